//! TLS as `sslmode` asks for it. The modes mean what libpq means by them: <https://www.postgresql.org/docs/current/libpq-ssl.html>.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;

pub(super) use self::fault::{Fault, refuses_tls};
use self::stream::Encrypted;
use self::verifier::Verifier;

mod fault;
mod stream;
mod verifier;

/// How far connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SslMode {
    /// Not at all.
    Disable,
    /// Encrypted if the server can.
    #[default]
    Prefer,
    /// Encrypted, whoever answers.
    Require,
    /// Encrypted, and the certificate was issued by somebody trusted.
    VerifyCa,
    /// The same, and it is that of the host.
    VerifyFull,
}

impl SslMode {
    const NAMES: [(&'static str, Self); 5] = [
        ("disable", Self::Disable),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, mode)| mode)
    }

    /// What the driver, which looks at no certificate itself, has to know of it.
    pub(super) fn of_driver(self) -> tokio_postgres::config::SslMode {
        match self {
            Self::Disable => tokio_postgres::config::SslMode::Disable,
            Self::Prefer => tokio_postgres::config::SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => tokio_postgres::config::SslMode::Require,
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.into_iter().find(|(_, mode)| mode == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// What is said of TLS in a database's address.
#[derive(Debug, Default)]
pub(super) struct TlsSettings {
    pub(super) mode: SslMode,
    /// The file with the certificates of those who are trusted, in PEM; `system` for those that the system trusts.
    pub(super) roots: Option<PathBuf>,
    /// The file with the certificate to log in with, in PEM.
    pub(super) certificate: Option<PathBuf>,
    /// The file with its key, in PEM.
    pub(super) key: Option<PathBuf>,
}

impl TlsSettings {
    /// How to talk TLS. The files are read here, once.
    pub(super) fn connector(&self) -> Result<Tls, Fault> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Fault::new(self.mode, "TLS cannot be used").because(error))?;
        let verifier = Verifier { mode: self.mode, issuers: self.issuers(&provider)?, provider };
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let config = match (&self.certificate, &self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates(self.mode, certificate)?;
                let read = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                    Fault::new(self.mode, format!("no key can be read from sslkey `{}`", key.display()))
                        .because(error)
                })?;
                builder.with_client_auth_cert(chain, read).map_err(|error| {
                    Fault::new(self.mode, "sslkey does not go with sslcert").because(error)
                })?
            }
            _ => return Err(Fault::new(self.mode, "sslcert and sslkey are given together or not at all")),
        };
        Ok(Tls { mode: self.mode, connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Who may have issued the server's certificate; `None`: anybody.
    fn issuers(&self, provider: &Arc<CryptoProvider>) -> Result<Option<Arc<WebPkiServerVerifier>>, Fault> {
        let file = self.roots.as_ref().filter(|file| file.as_os_str() != "system");
        let verifies = match self.mode {
            SslMode::Disable | SslMode::Prefer => false,
            // As with libpq, whoever names an authority means it.
            SslMode::Require => self.roots.is_some(),
            SslMode::VerifyCa | SslMode::VerifyFull => true,
        };
        if !verifies {
            return Ok(None);
        }
        let found = match file {
            Some(file) => certificates(self.mode, file)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found);
        let issuers =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        issuers.map(Some).map_err(|error| {
            Fault::new(self.mode, "there is nobody to trust: name a file with your authority in sslrootcert")
                .because(error)
        })
    }
}

fn certificates(mode: SslMode, file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let bad = || Fault::new(mode, format!("no certificate can be read from `{}`", file.display()));
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(bad()),
        Ok(found) => Ok(found),
        Err(error) => Err(bad().because(error)),
    }
}

/// Makes plain connections encrypted ones.
#[derive(Clone)]
pub(super) struct Tls {
    mode: SslMode,
    connector: TlsConnector,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The same for one host.
pub(super) struct TlsOfHost {
    tls: Tls,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Encrypted<S>;
    type TlsConnect = TlsOfHost;
    type Error = Fault;

    fn make_tls_connect(&mut self, host: &str) -> Result<TlsOfHost, Fault> {
        // That of a socket's folder is asked for, but never used.
        let host = if host.is_empty() { "localhost" } else { host };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            Fault::new(self.mode, "the host's name can have no certificate").because(error)
        })?;
        Ok(TlsOfHost { tls: self.clone(), name })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for TlsOfHost {
    type Stream = Encrypted<S>;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Encrypted<S>, Fault>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { tls: Tls { mode, connector }, name } = self;
        Box::pin(async move {
            let connected = connector.connect(name, stream).await;
            connected.map(Encrypted).map_err(|error| Fault::of_handshake(mode, error))
        })
    }
}
