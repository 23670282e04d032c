//! A target: a small HTTP server that keeps what it is told, and answers as the test wants.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use tokio::sync::{mpsc, watch};

/// What was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// How the target answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn saying(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }
}

#[derive(Clone)]
struct Shared {
    received: mpsc::Sender<Received>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    open: watch::Sender<bool>,
}

/// A running target. It answers 204 unless it was told otherwise.
pub(crate) struct Receiver {
    address: SocketAddr,
    received: mpsc::Receiver<Received>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    open: watch::Sender<bool>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let (received, receiving) = mpsc::channel(1000);
        let (answers, open) = (Arc::<Mutex<VecDeque<Answer>>>::default(), watch::Sender::new(true));
        let shared = Shared { received, answers: Arc::clone(&answers), open: open.clone() };
        let router = Router::new().fallback(receive).with_state(shared);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, received: receiving, answers, open }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers the next requests so, one after the other.
    pub(crate) fn will_answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// Answers nobody until it is opened.
    pub(crate) fn close(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    /// The next request, for which it waits.
    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(Duration::from_secs(30), self.received.recv()).await;
        next.expect("the target is told something").unwrap()
    }

    /// Whether nothing has come that was not taken yet.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

async fn receive(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let answer = shared.answers.lock().unwrap().pop_front().unwrap_or_else(|| Answer::status(204));
    let received = Received { path: uri.path().to_owned(), headers, body };
    shared.received.send(received).await.unwrap();
    shared.open.subscribe().wait_for(|open| *open).await.unwrap();
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}
