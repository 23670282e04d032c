//! Answering on a socket: a bounded number of connections, each bounded in the time and memory its head may take.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::Limits;

/// The most bytes of a request's head.
const HEAD_BYTES: usize = 64 << 10;
/// How long to wait when the system gives no connection (too many open files, say).
const PAUSE: Duration = Duration::from_millis(100);

/// The address that a request comes from: its caller's, or that of a proxy before us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Tells a request that the server stops, so that one that only waits is answered.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Waits until the server begins to stop.
    pub(crate) async fn begun(mut self) {
        // An error means that the server itself is gone: that is a stop too.
        let _begun = self.0.wait_for(|stopping| *stopping).await.map(|_| ());
    }
}

/// Answers requests until `stop` is done; then takes no more, lets those in hand end, and returns when they have, or
/// `grace` is over.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    stop: impl Future<Output = ()>,
    grace: Duration,
) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.head_time).max_buf_size(HEAD_BYTES);
    let (stopping, stopped) = watch::channel(false);
    let router = router.layer(Extension(Stopping(stopped.clone())));
    let free = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &free) => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        let (stream, permit) = accepted;
        let (server, router, stopped) = (server.clone(), router.clone(), stopped.clone());
        connections.spawn(async move {
            answer(&server, stream, router, stopped).await;
            drop(permit);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!("some requests had not ended when the grace period was over; they were cut off");
    }
}

async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    let permit = Arc::clone(free).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(
    server: &http1::Builder,
    stream: TcpStream,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    // Small answers go out at once. Where the system refuses that, they only go out later.
    let _refused = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        router.call(request)
    });
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    // An error means that the server itself is gone: that is a stop too.
    let stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
