//! TLS as `sslmode` in a database's address asks for it.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use inlet_tls::{Identity, Roots, TlsError, TlsOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;

pub(super) use self::fault::{Fault, refuses_tls};
use self::stream::Encrypted;
pub(super) use inlet_tls::SslMode;

mod fault;
mod stream;

/// What the driver, which looks at no certificate itself, has to know of the mode.
pub(super) fn mode_of_driver(mode: SslMode) -> tokio_postgres::config::SslMode {
    match mode {
        SslMode::Disable => tokio_postgres::config::SslMode::Disable,
        SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
            tokio_postgres::config::SslMode::Require
        }
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
        let options = TlsOptions { mode: self.mode, roots: self.roots()?, identity: self.identity()? };
        let config = options.client_config().map_err(|error| {
            let what = match error {
                TlsError::Unusable(_) => "TLS cannot be used",
                TlsError::NobodyToTrust(_) => {
                    "there is nobody to trust: name a file with your authority in sslrootcert"
                }
                TlsError::WrongKey(_) => "sslkey does not go with sslcert",
            };
            Fault::new(self.mode, what).because(error)
        })?;
        Ok(Tls { mode: self.mode, connector: TlsConnector::from(Arc::new(config)) })
    }

    fn roots(&self) -> Result<Option<Roots>, Fault> {
        Ok(match &self.roots {
            None => None,
            Some(file) if file.as_os_str() == "system" => Some(Roots::System),
            Some(file) => Some(Roots::These(certificates(self.mode, file)?)),
        })
    }

    fn identity(&self) -> Result<Option<Identity>, Fault> {
        match (&self.certificate, &self.key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                let chain = certificates(self.mode, certificate)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                    Fault::new(self.mode, format!("no key can be read from sslkey `{}`", key.display()))
                        .because(error)
                })?;
                Ok(Some(Identity { chain, key }))
            }
            _ => Err(Fault::new(self.mode, "sslcert and sslkey are given together or not at all")),
        }
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
