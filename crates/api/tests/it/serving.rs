//! The API on a socket.

use std::num::NonZeroU32;
use std::time::Duration;

use inlet_api::{Auth, Limits, RateLimit, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::{Setup, TestApp};

const CONNECTORS: &str = "/v1/spaces/default/collections/default/connectors";

/// A server on a socket, until it is told to stop.
struct Served {
    app: TestApp,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Served {
    async fn with(limits: Limits) -> Self {
        Self::of(Setup { limits, running_syncs: 0, ..Setup::default() }).await
    }

    async fn of(setup: Setup) -> Self {
        let limits = setup.limits.clone();
        let app = TestApp::with(setup).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let router = app.router.clone();
        let ended = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(listener, router, &limits, stopped, Duration::from_secs(30)).await;
        });
        Self { app, address, stop, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Sends a text and gives all that comes back until the server closes.
async fn told(mut stream: TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(30), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_on_the_socket_is_answered() {
    let served = Served::with(Limits::default()).await;
    let answer = told(
        served.connect().await,
        "GET /v1/spaces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"id\":\"default\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_ends_the_connection() {
    let served = Served::with(Limits { head_time: Duration::from_millis(50), ..Limits::default() }).await;
    let answer = told(served.connect().await, "GET /v1/spaces HTTP/1.1\r\nHost: loc").await;
    assert!(!answer.contains("200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_before_it_is_sent() {
    let served = Served::with(Limits::default()).await;
    let head = format!(
        "POST {CONNECTORS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n"
    );
    let answer = told(served.connect().await, &head).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("request.too_large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_waits_for_a_free_place() {
    let served = Served::with(Limits { connections: 1, ..Limits::default() }).await;
    let mut first = served.connect().await;
    first.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert_ne!(first.read(&mut [0; 1024]).await.unwrap(), 0);
    let asking = tokio::spawn(told(
        served.connect().await,
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ));
    drop(first);
    assert!(asking.await.unwrap().starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_answers_what_it_has_in_hand() {
    let served = Served::with(Limits::default()).await;
    let body = json!({"name": "g", "type": "gated"}).to_string();
    let text = format!(
        "POST {CONNECTORS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let asking = tokio::spawn({
        let stream = served.connect().await;
        async move { told(stream, &text).await }
    });
    served.app.gate.reached().await;
    served.stop.send(()).unwrap();
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    served.app.gate.open();
    let answer = asking.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    tokio::time::timeout(Duration::from_secs(30), served.ended).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_does_not_wait_for_idle_connections() {
    let served = Served::with(Limits::default()).await;
    let mut idle = served.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert_ne!(idle.read(&mut [0; 1024]).await.unwrap(), 0);
    served.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), served.ended).await.unwrap().unwrap();
    assert_eq!(idle.read(&mut [0; 1024]).await.unwrap(), 0, "the server has closed it");
}

/// A sync that stays queued, and a request on a connection of its own that waits for its end.
async fn waiting_for_a_sync(served: &Served) -> (String, TcpStream) {
    let connector = served.app.connector(json!({"name": "c", "type": "external_source"})).await;
    let sync = served.app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned();
    let head = format!("GET {sync}?wait=60s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    loop {
        let mut stream = served.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        // If the look whether it waits takes its place, it is refused, and comes again.
        while tokio::time::timeout(Duration::from_millis(5), stream.readable()).await.is_err() {
            if is_full(served, &sync).await {
                return (sync, stream);
            }
        }
    }
}

/// Whether no more may wait for a sync.
async fn is_full(served: &Served, sync: &str) -> bool {
    served.app.get(&format!("{sync}?wait=1ms")).await.text().contains("wait for a sync")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_answers_who_waits_for_a_sync() {
    let served = Served::with(Limits { waits: 1, ..Limits::default() }).await;
    let (_, mut stream) = waiting_for_a_sync(&served).await;
    served.stop.send(()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"status\":\"queued\""), "{answer}");
    tokio::time::timeout(Duration::from_secs(30), served.ended).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_waits_no_more() {
    let served = Served::with(Limits { waits: 1, ..Limits::default() }).await;
    let (sync, stream) = waiting_for_a_sync(&served).await;
    drop(stream);
    let freed = async {
        while is_full(&served, &sync).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), freed).await.expect("the place is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_leave_when_the_server_stops() {
    let served = Served::with(Limits::default()).await;
    let connector = served.app.connector(json!({"name": "held", "type": "held"})).await;
    let sync = served.app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned();
    let mut stream = served.connect().await;
    stream
        .write_all(format!("GET {sync}/events HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("event: state") {
        let mut part = [0; 4096];
        let length =
            tokio::time::timeout(Duration::from_secs(30), stream.read(&mut part)).await.unwrap().unwrap();
        assert_ne!(length, 0);
        seen.extend_from_slice(&part[..length]);
    }
    served.stop.send(()).unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("event: end"));
    tokio::time::timeout(Duration::from_secs(10), served.ended).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_from_one_address_are_slowed_down() {
    let limits =
        Limits { rate: Some(RateLimit::per_second(NonZeroU32::new(1).unwrap())), ..Limits::default() };
    let auth = Auth::Key { environment_key: None, local_token: None };
    let served = Served::of(Setup { auth, limits, running_syncs: 0, ..Setup::default() }).await;
    let ask = "GET /v1/spaces HTTP/1.1\r\nHost: localhost\r\nX-API-Key: wrong\r\nConnection: close\r\n\r\n";
    for _ in 0..10 {
        assert!(told(served.connect().await, ask).await.starts_with("HTTP/1.1 401 "));
    }
    let refused = told(served.connect().await, ask).await;
    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains("request.rate_limited"), "{refused}");
}
