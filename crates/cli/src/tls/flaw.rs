//! What is wrong with a connection that there is but cannot be used.

use std::error::Error;
use std::io;

use rustls::CertificateError::{
    BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
    NotValidYetContext, UnknownIssuer,
};

/// Why a connection cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nobody who is trusted has issued the server's certificate.
    UnknownIssuer,
    /// The server's certificate is for other names.
    WrongHost,
    /// The server's certificate is no longer valid.
    Expired,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// Something else is wrong with the server's certificate.
    BadCertificate,
    /// The other side does not speak TLS.
    NoTls,
    /// The other side does not speak HTTP; perhaps it expects TLS first.
    NoHttp,
    /// The two sides do not agree, or the other one refuses.
    NoAgreement,
    /// There are no certificates on this machine that could be trusted.
    NoRoots,
}

impl Flaw {
    /// The flaw that a call failed of; `None` if it was none.
    pub(crate) fn of(error: &reqwest::Error) -> Option<Self> {
        let is_plain = error.url().is_some_and(|url| url.scheme() == "http");
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(link) = cause {
            if let Some(tls) = link.downcast_ref::<rustls::Error>() {
                return Some(Self::of_tls(tls, error.is_builder()));
            }
            if is_plain && link.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
                return Some(Self::NoHttp);
            }
            // The source of such an error is that of the one within it, which would be passed over.
            let within = link.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
            cause = match within {
                Some(within) => Some(within),
                None => link.source(),
            };
        }
        None
    }

    fn of_tls(error: &rustls::Error, while_building: bool) -> Self {
        use rustls::Error::{InvalidCertificate, InvalidMessage};
        match error {
            // A bad signature: the issuer has the name of one who is trusted, and another key.
            InvalidCertificate(UnknownIssuer | BadSignature) => Self::UnknownIssuer,
            InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => Self::WrongHost,
            InvalidCertificate(Expired | ExpiredContext { .. }) => Self::Expired,
            InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => Self::NotYetValid,
            InvalidCertificate(_) => Self::BadCertificate,
            InvalidMessage(_) => Self::NoTls,
            _ if while_building => Self::NoRoots,
            _ => Self::NoAgreement,
        }
    }

    /// Stable and dotted.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::UnknownIssuer => "tls.unknown_issuer",
            Self::WrongHost => "tls.wrong_host",
            Self::Expired => "tls.expired",
            Self::NotYetValid => "tls.not_yet_valid",
            Self::BadCertificate => "tls.bad_certificate",
            Self::NoTls => "tls.not_spoken",
            Self::NoHttp => "server.not_http",
            Self::NoAgreement => "tls.failed",
            Self::NoRoots => "tls.no_roots",
        }
    }

    /// What happened.
    pub(crate) fn message(self, address: &str) -> String {
        match self {
            Self::UnknownIssuer => {
                format!("nobody who is trusted here has issued the certificate of {address}")
            }
            Self::WrongHost => format!("the certificate of {address} is for another name"),
            Self::Expired => format!("the certificate of {address} has expired"),
            Self::NotYetValid => format!("the certificate of {address} is not valid yet"),
            Self::BadCertificate => format!("the certificate of {address} cannot be accepted"),
            Self::NoTls => format!("the server at {address} does not speak TLS"),
            Self::NoHttp => format!("the server at {address} does not speak plain HTTP"),
            Self::NoAgreement => format!("a TLS connection to {address} could not be made"),
            Self::NoRoots => "there are no certificates on this machine that could be trusted".to_owned(),
        }
    }

    /// What to do about it. `setting` is the one that names a file of certificates.
    pub(crate) fn hint(self, setting: &str) -> String {
        let words = match self {
            Self::UnknownIssuer => {
                return format!("name a file with the certificate of the server's authority: {setting}");
            }
            Self::NoRoots => {
                return format!(
                    "install the package ca-certificates, or name a file with the authority's certificate: {setting}"
                );
            }
            Self::WrongHost => "use a name that the certificate is for, or have one issued for this name",
            Self::Expired => "have it renewed; if it was, is the clock of this machine right?",
            Self::NotYetValid => "is the clock of this machine right?",
            Self::BadCertificate => {
                "have it issued anew; the cause says what is wrong with it (`CaUsedAsEndEntity`: that of an authority, or made \
                 by `openssl req -x509` without `-addext basicConstraints=CA:FALSE`)"
            }
            Self::NoTls => {
                "begin the address with http:// if the server has no TLS, or name the port that has it"
            }
            Self::NoHttp => "begin the address with https:// if the server has TLS",
            Self::NoAgreement => "TLS 1.2 and 1.3 are spoken here, and no certificate of a client is shown",
        };
        words.to_owned()
    }
}
