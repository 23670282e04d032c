//! Where sources may connect to.
//!
//! The check is on an address, after its name was resolved, so that no name leads around it; whoever follows redirects
//! asks again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses sources may reach. Link-local ones, behind which cloud machines keep their credentials, are never among
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Egress {
    /// Every other address.
    #[default]
    Any,
    /// Addresses of the public internet only: neither this machine nor its neighbours.
    Public,
}

/// The address may not be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {what}, which this server may not reach")]
pub struct Forbidden {
    /// The address.
    pub address: IpAddr,
    what: &'static str,
}

/// Where clouds other than by a link-local address tell machines their credentials.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

impl Egress {
    /// Refuses an address that may not be reached.
    pub fn permits(self, address: IpAddr) -> Result<(), Forbidden> {
        let address = address.to_canonical();
        let forbidden = |what| Err(Forbidden { address, what });
        if METADATA.contains(&address) || is_link_local(address) {
            return forbidden("a link-local or metadata address");
        }
        if address.is_multicast() || address.is_unspecified() {
            return forbidden("no address of one machine");
        }
        match self {
            Self::Public if address.is_loopback() => forbidden("an address of this machine"),
            Self::Public if is_private(address) => forbidden("an address of a private network"),
            _ => Ok(()),
        }
    }
}

/// Whether it is an address of this machine or of a private network.
#[must_use]
pub fn is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || is_private(address)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            address.is_private() || address.is_broadcast() || is_shared || first == 0 || first >= 240
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_and_metadata_addresses_are_never_reached() {
        for address in [
            "169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
        ] {
            for egress in [Egress::Any, Egress::Public] {
                assert!(egress.permits(address.parse().unwrap()).is_err(), "{address} {egress:?}");
            }
        }
    }

    #[test]
    fn private_addresses_are_reached_unless_only_public_ones_may_be() {
        for address in [
            "127.0.0.1",
            "::1",
            "10.0.0.8",
            "172.16.3.4",
            "192.168.1.1",
            "100.64.0.1",
            "fd12::1",
            "::ffff:10.0.0.1",
        ] {
            let address = address.parse().unwrap();
            assert_eq!(Egress::Any.permits(address), Ok(()));
            assert!(Egress::Public.permits(address).is_err(), "{address}");
            assert!(is_local(address), "{address}");
        }
        for address in ["93.184.216.34", "2606:2800:220:1::1"] {
            let address = address.parse().unwrap();
            assert_eq!(Egress::Public.permits(address), Ok(()));
            assert!(!is_local(address), "{address}");
        }
    }
}
