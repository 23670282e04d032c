//! Why a connection is not protected as it was asked for.

use std::error::Error;
use std::io;

use inlet_tls::CertificateFlaw;

use super::SslMode;

/// What is wrong, in words for whoever sets it up.
#[derive(Debug, thiserror::Error)]
#[error("TLS with sslmode={mode}: {what}")]
pub(in crate::postgres) struct Fault {
    mode: SslMode,
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    pub(in crate::postgres) fn new(mode: SslMode, what: impl Into<String>) -> Self {
        Self { mode, what: what.into(), source: None }
    }

    pub(super) fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// What a handshake that broke off means.
    pub(super) fn of_handshake(mode: SslMode, error: io::Error) -> Self {
        let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let what = match (cause.and_then(CertificateFlaw::of), cause) {
            (Some(flaw), _) => of_certificate(flaw),
            (None, Some(rustls::Error::AlertReceived(_))) => {
                "the server broke the handshake off; it may want a client certificate (sslcert and sslkey)"
            }
            (None, Some(_)) => "no handshake came about; look whether the port is PostgreSQL's",
            (None, None) => "the connection broke off in the handshake",
        };
        Self::new(mode, what).because(error)
    }

    /// The server does not speak it.
    pub(in crate::postgres) fn not_spoken(mode: SslMode) -> Self {
        let what = "the server takes no TLS; turn `ssl` on in its postgresql.conf, or use sslmode=disable where nobody can listen";
        Self::new(mode, what)
    }

    /// Whether it was the way, and not what stands in certificates and settings: then trying again helps.
    pub(in crate::postgres) fn is_of_the_way(&self) -> bool {
        let cause = self.source.as_ref().and_then(|cause| cause.downcast_ref::<io::Error>());
        cause
            .is_some_and(|cause| !cause.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>))
    }
}

fn of_certificate(flaw: CertificateFlaw) -> &'static str {
    match flaw {
        CertificateFlaw::UnknownIssuer => {
            "the server's certificate was issued by nobody who is trusted; name the authority's certificate in sslrootcert"
        }
        CertificateFlaw::WrongHost => {
            "the server's certificate is for another host; use the name that it has, or sslmode=verify-ca"
        }
        CertificateFlaw::Expired => "the server's certificate has expired; renew it on the server",
        CertificateFlaw::OldVersion => {
            "the server's certificate is one of X.509 version 1, which has no names of hosts; make one with a subjectAltName"
        }
        CertificateFlaw::Unsuitable => "the server's certificate is not good",
    }
}

/// Whether the driver found that the server does not speak TLS, which it only says in words.
pub(in crate::postgres) fn refuses_tls(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|cause| cause.to_string() == "server does not support TLS")
}
