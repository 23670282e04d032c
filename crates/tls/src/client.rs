//! How a client talks TLS.

use std::sync::Arc;

use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::SslMode;
use crate::verifier::Verifier;

/// What is asked of connections.
#[derive(Debug, Default)]
pub struct TlsOptions {
    /// How far they are protected.
    pub mode: SslMode,
    /// Who is trusted to issue certificates of servers. Without it, where [the mode](Self::mode) wants to know: [`Roots::System`].
    pub roots: Option<Roots>,
    /// What to log in with.
    pub identity: Option<Identity>,
}

/// Who is trusted.
#[derive(Debug)]
pub enum Roots {
    /// Whom this machine trusts.
    System,
    /// These and no others.
    These(Vec<CertificateDer<'static>>),
}

/// A certificate, with those that lead from it to one that is trusted, and its key.
#[derive(Debug)]
pub struct Identity {
    /// The certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first one.
    pub key: PrivateKeyDer<'static>,
}

/// Why nobody can talk TLS so.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// TLS itself cannot be used.
    #[error("TLS cannot be used")]
    Unusable(#[source] rustls::Error),
    /// This machine trusts nobody, and nobody was named.
    #[error("there is no certificate authority to trust")]
    NobodyToTrust(#[source] VerifierBuilderError),
    /// The key is not that of the certificate.
    #[error("the key does not go with the certificate")]
    WrongKey(#[source] rustls::Error),
}

impl TlsOptions {
    /// How to talk TLS so. Reads whom the machine trusts, where that matters.
    pub fn client_config(self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?;
        let issuers = issuers(self.mode, self.roots, &provider)?;
        let verifier = Verifier::new(issuers, self.mode == SslMode::VerifyFull, provider);
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        match self.identity {
            Some(Identity { chain, key }) => {
                builder.with_client_auth_cert(chain, key).map_err(TlsError::WrongKey)
            }
            None => Ok(builder.with_no_client_auth()),
        }
    }
}

/// Who may have issued the server's certificate; `None`: anybody.
fn issuers(
    mode: SslMode,
    roots: Option<Roots>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<WebPkiServerVerifier>>, TlsError> {
    let verifies = match mode {
        SslMode::Disable | SslMode::Prefer => false,
        // Whoever names an authority means it.
        SslMode::Require => roots.is_some(),
        SslMode::VerifyCa | SslMode::VerifyFull => true,
    };
    if !verifies {
        return Ok(None);
    }
    let trusted = match roots {
        Some(Roots::These(certificates)) => certificates,
        Some(Roots::System) | None => rustls_native_certs::load_native_certs().certs,
    };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(trusted);
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
    builder.build().map(Some).map_err(TlsError::NobodyToTrust)
}
