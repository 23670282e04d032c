//! From a host's name to the addresses that a connection may go to. The client connects to what is given here and to nothing
//! else, so that there is no gap between looking and connecting.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::target::{Gate, Refusal};

/// Resolves the names of hosts.
#[async_trait]
pub trait Names: Send + Sync + fmt::Debug {
    /// The addresses of a host.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// As the system resolves them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Why a name leads to no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAddress {
    /// It has no address.
    #[error("the name of the host leads to no address")]
    NotResolved(#[source] Option<io::Error>),
    /// It has none that a connection may go to.
    #[error("the name of the host leads to no address that may be reached")]
    Refused(#[source] Refusal),
}

/// Resolves names, and gives only addresses that may be connected to.
pub(crate) struct Guard {
    pub(crate) names: Arc<dyn Names>,
    pub(crate) gate: Gate,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, gate) = (Arc::clone(&self.names), self.gate);
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await;
            let found = found.map_err(|error| NoAddress::NotResolved(Some(error)))?;
            let admitted = admitted(gate, found)?;
            // The port is that of the URL.
            let addresses = admitted.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn admitted(gate: Gate, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, NoAddress> {
    let mut refused = None;
    let mut admitted = Vec::with_capacity(found.len());
    for address in found {
        match gate.admit(address) {
            Ok(()) => admitted.push(address),
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        _ if !admitted.is_empty() => Ok(admitted),
        Some(refusal) => Err(NoAddress::Refused(refusal)),
        None => Err(NoAddress::NotResolved(None)),
    }
}

#[cfg(test)]
mod tests {
    use inlet_source::Egress;

    use super::*;

    #[test]
    fn of_several_addresses_only_those_that_may_be_reached_are_left() {
        let gate = Gate { egress: Egress::Public, tls: true };
        let addresses =
            |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let mixed = addresses(&["127.0.0.1", "93.184.216.34", "169.254.169.254"]);
        assert_eq!(admitted(gate, mixed).unwrap(), addresses(&["93.184.216.34"]));
        assert!(matches!(admitted(gate, addresses(&["10.0.0.1"])), Err(NoAddress::Refused(_))));
        assert!(matches!(admitted(gate, Vec::new()), Err(NoAddress::NotResolved(None))));
    }
}
