//! What the log says of a request, and what it never says.

use std::io;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use inlet_api::{Auth, key_hash};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::app::{COLLECTION, Setup, TestApp, json as json_request, with};

const CONNECTORS: &str = "/v1/spaces/{space_id}/collections/{collection_id}/connectors";

/// What was logged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines about requests, and about their failures.
    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "inlet_api::log").collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everything this thread logs from now on, and with it all that the tests' runtime of one thread does.
pub(crate) fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

async fn app() -> TestApp {
    let auth = Auth::Key { environment_key: Some(key_hash("inlet_of_the_operator")), local_token: None };
    TestApp::with(Setup { auth, running_syncs: 0, ..Setup::default() }).await
}

fn create(body: Value) -> axum::http::Request<axum::body::Body> {
    let create = json_request(Method::POST, &format!("{COLLECTION}/connectors"), body);
    with(with(create, "x-api-key", "inlet_of_the_operator"), "x-request-id", "trace-1")
}

#[tokio::test]
async fn each_request_is_one_line_with_the_same_fields() {
    let app = app().await;
    let (log, _guard) = listen();
    app.send(create(json!({"name": "a", "type": "external_source"}))).await;
    app.send(with(create(json!({"name": "a"})), "idempotency-key", "k")).await;
    app.get("/v1/nonsense?who=me").await;
    app.get("/healthz").await;
    let lines = log.lines();
    let told: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    let post = |status: u16| format!("POST {CONNECTORS} {status}");
    assert_eq!(told, [post(201), post(422), "GET - 401".to_owned(), "GET /healthz 200".to_owned()]);
    let first = &lines[0];
    assert_eq!(
        (&first["level"], &first["method"], &first["route"]),
        (&json!("INFO"), &json!("POST"), &json!(CONNECTORS))
    );
    assert_eq!(
        (&first["status"], &first["request_id"], &first["key"]),
        (&json!(201), &json!("trace-1"), &json!("environment"))
    );
    assert!(first["duration_ms"].is_u64());
    let codes: Vec<_> = lines.iter().map(|line| &line["code"]).collect();
    assert_eq!(
        codes,
        [&Value::Null, &json!("request.invalid_fields"), &json!("auth.key_required"), &Value::Null]
    );
}

#[tokio::test]
async fn a_failure_of_the_server_is_logged_once_with_its_cause() {
    let app = app().await;
    let (log, _guard) = listen();
    app.send(create(json!({"name": "p", "type": "panicking"}))).await;
    let errors: Vec<_> = log.lines().into_iter().filter(|line| line["level"] == "ERROR").collect();
    let [error] = errors.as_slice() else { panic!("one line: {errors:?}") };
    assert_eq!((&error["code"], &error["request_id"]), (&json!("server.internal"), &json!("trace-1")));
    assert!(error["causes"].as_str().unwrap().starts_with("the request's task panicked: "));
}

#[tokio::test]
async fn neither_keys_nor_bodies_nor_queries_are_logged() {
    let app = app().await;
    let (log, _guard) = listen();
    app.send(create(json!({"name": "a body's word", "type": "external_source"}))).await;
    app.send(with(create(json!({"name": "a body's word"})), "idempotency-key", "a-word-of-the-header")).await;
    app.send(with(create(json!({})), "authorization", "Bearer inlet_another")).await;
    app.get("/v1/spaces?cursor=a-word-of-the-query").await;
    assert!(!log.lines().is_empty());
    for secret in ["inlet_of_the_operator", "inlet_another", "a body's word", "a-word-of-the"] {
        assert!(!log.text().contains(secret), "{secret} in {}", log.text());
    }
}
