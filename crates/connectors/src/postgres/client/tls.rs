//! TLS as `ssl_mode` asks for it.
//!
//! The modes mean what libpq means by them: <https://www.postgresql.org/docs/current/libpq-ssl.html>.

use std::sync::Arc;

use inlet_source::{ErrorKind, SourceError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// How far the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum SslMode {
    /// Not at all.
    Disable,
    /// Encrypted if the server can.
    Prefer,
    /// Encrypted, whoever answers.
    Require,
    /// Encrypted, and the certificate was issued by somebody trusted.
    VerifyCa,
    /// The same, and it is that of the host.
    VerifyFull,
}

impl SslMode {
    /// As users write them.
    pub(in crate::postgres) const CHOICES: [(&'static str, Self); 5] = [
        ("disable", Self::Disable),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];
}

/// Certificates and a key, in PEM.
#[derive(Clone, Default)]
pub(in crate::postgres) struct Pem {
    pub(in crate::postgres) roots: Option<String>,
    pub(in crate::postgres) certificate: Option<String>,
    pub(in crate::postgres) key: Option<String>,
}

/// What is wrong with the certificates of a config: the field and a sentence.
pub(in crate::postgres) type BadPem = (&'static str, String);

/// How to talk TLS to the server; `None` where that is not wanted.
pub(in crate::postgres) fn client_config(
    mode: SslMode,
    pem: &Pem,
) -> Result<Option<Arc<ClientConfig>>, BadPem> {
    if mode == SslMode::Disable {
        return Ok(None);
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ("ssl_mode", format!("TLS cannot be used: {error}")))?;
    let roots = pem.roots.as_deref().map(|text| certificates("ssl_root_cert", text)).transpose()?;
    let verifier = Verifier::new(mode, roots, provider)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let config = match (&pem.certificate, &pem.key) {
        (Some(chain), Some(key)) => {
            let chain = certificates("ssl_cert", chain)?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                .map_err(|_| ("ssl_key", "it holds no private key in PEM".to_owned()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| ("ssl_key", format!("it does not go with the certificate: {error}")))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Some(Arc::new(config)))
}

fn certificates(field: &'static str, text: &str) -> Result<Vec<CertificateDer<'static>>, BadPem> {
    let found = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err((field, "it holds no certificate in PEM".to_owned())),
    }
}

/// Looks at the server's certificate as far as the mode asks for it.
#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate will do.
    issuers: Option<Arc<WebPkiServerVerifier>>,
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(
        mode: SslMode,
        roots: Option<Vec<CertificateDer<'static>>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, BadPem> {
        let verifies = matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull);
        // As with libpq, `require` with a root certificate looks who issued the server's.
        let wants_issuer = verifies || (mode == SslMode::Require && roots.is_some());
        let checks_name = mode == SslMode::VerifyFull;
        if !wants_issuer {
            return Ok(Self { issuers: None, checks_name, provider });
        }
        let mut store = RootCertStore::empty();
        let roots = roots.unwrap_or_else(|| rustls_native_certs::load_native_certs().certs);
        store.add_parsable_certificates(roots);
        let issuers =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider)).build();
        let issuers = issuers.map_err(|_| {
            let detail = "there is no certificate authority to trust: this system has none, so say one here";
            ("ssl_root_cert", detail.to_owned())
        })?;
        Ok(Self { issuers: Some(issuers), checks_name, provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(issuers) = &self.issuers else { return Ok(ServerCertVerified::assertion()) };
        match issuers.verify_server_cert(certificate, chain, name, ocsp, now) {
            // The name is looked at last, so everything else was in order.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why no TLS connection came about.
pub(in crate::postgres) fn explained(error: std::io::Error) -> SourceError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (kind, message, hint) = match cause {
        Some(rustls::Error::InvalidCertificate(certificate)) => match certificate {
            CertificateError::UnknownIssuer => (
                ErrorKind::Denied,
                "the server's certificate was issued by nobody this machine trusts",
                "say the certificate of the authority in `ssl_root_cert`",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                ErrorKind::Denied,
                "the server's certificate is for another host",
                "use the host name that the certificate has, or `ssl_mode` verify-ca",
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                (ErrorKind::Denied, "the server's certificate has expired", "renew it on the server")
            }
            _ => (
                ErrorKind::Denied,
                "the server's certificate is not good",
                "see the log for what is wrong with it",
            ),
        },
        Some(rustls::Error::AlertReceived(_)) => (
            ErrorKind::Denied,
            "the server broke the TLS handshake off",
            "it may want a client certificate: `ssl_cert` and `ssl_key`",
        ),
        Some(_) => (ErrorKind::Denied, "no TLS connection came about", "check that the port is PostgreSQL's"),
        None => (ErrorKind::Unavailable, "the connection broke off in the TLS handshake", "try again"),
    };
    SourceError::new(kind, "connect", message).hint(hint).because(error)
}
