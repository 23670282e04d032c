//! What is wrong with a server's certificate.

use rustls::CertificateError::{
    BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, Other, UnknownIssuer,
};
use rustls::Error;

/// Why a server's certificate is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFlaw {
    /// Nobody who is trusted has issued it. So it is with an authority of the same name and another key.
    UnknownIssuer,
    /// It is for other names.
    WrongHost,
    /// It is no longer valid.
    Expired,
    /// It is not one of X.509 version 3. Such a one has no names by which a host could be known.
    OldVersion,
    /// Something else.
    Unsuitable,
}

impl CertificateFlaw {
    /// The flaw of which a handshake failed; `None` if it did of something else.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        let Error::InvalidCertificate(flaw) = error else { return None };
        Some(match flaw {
            UnknownIssuer | BadSignature => Self::UnknownIssuer,
            NotValidForName | NotValidForNameContext { .. } => Self::WrongHost,
            Expired | ExpiredContext { .. } => Self::Expired,
            // Which it is, is only said in words.
            Other(cause) if cause.to_string().contains("UnsupportedCertVersion") => Self::OldVersion,
            _ => Self::Unsuitable,
        })
    }
}
