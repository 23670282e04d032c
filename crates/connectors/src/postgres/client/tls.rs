//! TLS as `ssl_mode` asks for it.

use std::sync::Arc;

use inlet_source::{ErrorKind, SourceError};
pub(in crate::postgres) use inlet_tls::SslMode;
use inlet_tls::{CertificateFlaw, Identity, Roots, TlsError, TlsOptions};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

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
    let roots = pem.roots.as_deref().map(|text| certificates("ssl_root_cert", text)).transpose()?;
    let options = TlsOptions { mode, roots: roots.map(Roots::These), identity: identity(pem)? };
    let config = options.client_config().map_err(|error| match error {
        TlsError::Unusable(cause) => ("ssl_mode", format!("TLS cannot be used: {cause}")),
        TlsError::NobodyToTrust(_) => {
            let detail = "there is no certificate authority to trust: this system has none, so say one here";
            ("ssl_root_cert", detail.to_owned())
        }
        TlsError::WrongKey(cause) => ("ssl_key", format!("it does not go with the certificate: {cause}")),
    })?;
    Ok(Some(Arc::new(config)))
}

fn identity(pem: &Pem) -> Result<Option<Identity>, BadPem> {
    let (Some(chain), Some(key)) = (&pem.certificate, &pem.key) else { return Ok(None) };
    let chain = certificates("ssl_cert", chain)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| ("ssl_key", "it holds no private key in PEM".to_owned()))?;
    Ok(Some(Identity { chain, key }))
}

fn certificates(field: &'static str, text: &str) -> Result<Vec<CertificateDer<'static>>, BadPem> {
    let found = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err((field, "it holds no certificate in PEM".to_owned())),
    }
}

/// Why no TLS connection came about.
pub(in crate::postgres) fn explained(error: std::io::Error) -> SourceError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (kind, message, hint) = match (cause.and_then(CertificateFlaw::of), cause) {
        (Some(flaw), _) => {
            let (message, hint) = of_certificate(flaw);
            (ErrorKind::Denied, message, hint)
        }
        (None, Some(rustls::Error::AlertReceived(_))) => (
            ErrorKind::Denied,
            "the server broke the TLS handshake off",
            "it may want a client certificate: `ssl_cert` and `ssl_key`",
        ),
        (None, Some(_)) => {
            (ErrorKind::Denied, "no TLS connection came about", "check that the port is PostgreSQL's")
        }
        (None, None) => {
            (ErrorKind::Unavailable, "the connection broke off in the TLS handshake", "try again")
        }
    };
    SourceError::new(kind, "connect", message).hint(hint).because(error)
}

/// What is wrong with the server's certificate, and what to do about it.
fn of_certificate(flaw: CertificateFlaw) -> (&'static str, &'static str) {
    match flaw {
        CertificateFlaw::UnknownIssuer => (
            "the server's certificate was issued by nobody this machine trusts",
            "say the certificate of the authority in `ssl_root_cert`",
        ),
        CertificateFlaw::WrongHost => (
            "the server's certificate is for another host",
            "use the host name that the certificate has, or `ssl_mode` verify-ca",
        ),
        CertificateFlaw::Expired => ("the server's certificate has expired", "renew it on the server"),
        CertificateFlaw::OldVersion => (
            "the server's certificate is one of X.509 version 1, which has no names of hosts",
            "make one with a subjectAltName, or use `ssl_mode` require without `ssl_root_cert`",
        ),
        CertificateFlaw::Unsuitable => {
            ("the server's certificate is not good", "see the log for what is wrong with it")
        }
    }
}
