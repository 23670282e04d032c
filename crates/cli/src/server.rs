//! The HTTP server of a process: from a bound port to the last answer.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use inlet_api::{Auth, RateLimit, health_router, router, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::errors::CommandError;
use crate::node::Node;
use crate::signals::StopRequests;

/// Requests in hand get this long to end. Shorter than the syncs' own grace, so that both fit into ten seconds.
const REQUEST_GRACE: Duration = Duration::from_secs(5);

/// A server that has its port and does not answer yet.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Takes the port.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, CommandError> {
        let listener = TcpListener::bind(address).await.map_err(|error| refused(address, error))?;
        let address = listener.local_addr().map_err(|error| refused(address, error))?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where commands on this machine reach it.
    pub(crate) fn local_url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// Answers until the process is asked to stop, then ends what is in hand: requests and syncs side by side. A second
    /// request to stop ends it at once.
    pub(crate) async fn run(
        self,
        node: &Node,
        auth: Auth,
        rate: Option<RateLimit>,
        stop: &mut StopRequests,
    ) -> Result<(), CommandError> {
        let mut app = node.app(auth);
        app.limits.rate = rate;
        let limits = app.limits.clone();
        let routes = if node.answers_calls() { router(app) } else { health_router(app) };
        let stopping = watch::Sender::new(false);
        let is_stopping = |mut stopped: watch::Receiver<bool>| async move {
            // An error would mean that the sender is gone: as good a reason to stop.
            let _stopping = stopped.wait_for(|stopped| *stopped).await.map(|_| ());
        };
        let requests =
            serve(self.listener, routes, &limits, is_stopping(stopping.subscribe()), REQUEST_GRACE);
        let syncs = async {
            is_stopping(stopping.subscribe()).await;
            node.stop().await;
        };
        let all = async { tokio::join!(requests, syncs) };
        let mut all = std::pin::pin!(all);
        tokio::select! {
            _ = &mut all => return Ok(()),
            signal = stop.next() => tracing::info!(signal, "stopping: no new requests, syncs commit what they have in hand"),
        }
        stopping.send_replace(true);
        tokio::select! {
            _ = &mut all => {
                tracing::info!("stopped");
                Ok(())
            }
            signal = stop.next() => {
                Err(CommandError::failure("interrupted", format!("{signal} came a second time: ended at once"))
                    .hint("nothing committed is lost; syncs go on at the next start")
                    .into())
            }
        }
    }
}

fn refused(address: SocketAddr, error: io::Error) -> CommandError {
    let message = format!("cannot listen on {address}");
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program has the port: stop it, or choose another with --listen 127.0.0.1:0"
        }
        io::ErrorKind::PermissionDenied => "ports under 1024 are the system's: choose another with --listen",
        _ => "choose an address of this machine with --listen",
    };
    CommandError::failure("server.cannot_listen", message).because(error).hint(hint).into()
}
