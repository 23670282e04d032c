//! What a target may be: a URL, and the addresses that it leads to.

use std::net::IpAddr;

use inlet_source::{Egress, Forbidden};
use inlet_store::catalog::DeliveryError;
use url::{Host, Url};

/// Bytes of the longest URL.
const URL_MAX: usize = 2048;

/// Why no delivery may be sent to a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is none, or too long.
    #[error("it is no URL of at most {URL_MAX} characters, such as `https://example.com/inlet`")]
    Malformed,
    /// It is of another kind.
    #[error("its scheme is neither `https` nor `http`")]
    Scheme,
    /// It has a name or a password in it.
    #[error("it holds credentials; a target knows us by our signature")]
    Credentials,
    /// It ends in a fragment, which is never sent.
    #[error("it ends in a fragment, which is never sent")]
    Fragment,
    /// Its address is none that may be reached.
    #[error("it cannot be reached")]
    Refused(#[from] Refusal),
}

/// Why no connection is made to an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is none that this server may reach.
    #[error("the address may not be reached")]
    Forbidden(#[from] Forbidden),
    /// It is neither of this machine nor of a private network.
    #[error("without TLS only addresses of this machine and of private networks are reached: write `https`")]
    TlsRequired,
}

impl Refusal {
    /// What it is called in the log of deliveries.
    pub(crate) fn as_delivery_error(&self) -> DeliveryError {
        match self {
            Self::Forbidden(_) => DeliveryError::AddressRefused,
            Self::TlsRequired => DeliveryError::TlsRequired,
        }
    }
}

/// Which addresses the connections of one scheme may go to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate {
    pub(crate) egress: Egress,
    /// Whether the connection is safe wherever it goes.
    pub(crate) tls: bool,
}

impl Gate {
    /// Refuses an address that no connection may go to.
    pub(crate) fn admit(self, address: IpAddr) -> Result<(), Refusal> {
        self.egress.permits(address)?;
        if self.tls || inlet_source::is_local(address) { Ok(()) } else { Err(Refusal::TlsRequired) }
    }

    /// Refuses a URL whose host is an address that no connection may go to. A name is looked at when it is resolved.
    pub(crate) fn admit_host(self, url: &Url) -> Result<(), Refusal> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.admit(address.into()),
            Some(Host::Ipv6(address)) => self.admit(address.into()),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }
}

/// Reads a URL that deliveries may be sent to, as far as that can be told before its name is resolved.
pub fn check_url(text: &str, egress: Egress) -> Result<Url, UrlError> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= URL_MAX).ok_or(UrlError::Malformed)?;
    let tls = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(UrlError::Scheme),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    Gate { egress, tls }.admit_host(&url)?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, egress: Egress) -> Result<(), UrlError> {
        check_url(text, egress).map(|_| ())
    }

    #[test]
    fn a_target_is_a_web_address_and_carries_no_credentials() {
        for good in ["https://example.com", "https://example.com:8443/a/b?c=d", "http://127.0.0.1:9/x"] {
            assert_eq!(checked(good, Egress::Any), Ok(()), "{good}");
        }
        for (bad, error) in [
            ("", UrlError::Malformed),
            ("example.com/hook", UrlError::Malformed),
            ("https://", UrlError::Malformed),
            ("ftp://example.com", UrlError::Scheme),
            ("file:///etc/passwd", UrlError::Scheme),
            ("https://me@example.com", UrlError::Credentials),
            ("https://me:pass@example.com", UrlError::Credentials),
            ("https://:pass@example.com", UrlError::Credentials),
            ("https://example.com/#there", UrlError::Fragment),
        ] {
            assert_eq!(checked(bad, Egress::Any), Err(error), "{bad}");
        }
        assert!(checked(&format!("https://example.com/{}", "a".repeat(2048)), Egress::Any).is_err());
    }

    #[test]
    fn metadata_addresses_are_refused_however_they_are_written() {
        for address in
            ["169.254.169.254", "0xa9fea9fe", "2852039166", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"]
        {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://{address}/latest");
                assert!(
                    matches!(checked(&url, Egress::Any), Err(UrlError::Refused(Refusal::Forbidden(_)))),
                    "{url}"
                );
            }
        }
    }

    #[test]
    fn without_tls_only_near_addresses_are_reached_and_only_where_the_operator_allows_them() {
        assert_eq!(
            checked("http://93.184.216.34/", Egress::Any),
            Err(UrlError::Refused(Refusal::TlsRequired))
        );
        assert_eq!(checked("https://93.184.216.34/", Egress::Public), Ok(()));
        for near in ["http://127.0.0.1/", "http://[::1]/", "http://10.0.0.8/", "https://192.168.1.1/"] {
            assert_eq!(checked(near, Egress::Any), Ok(()), "{near}");
            assert!(matches!(checked(near, Egress::Public), Err(UrlError::Refused(Refusal::Forbidden(_)))));
        }
    }
}
