//! The API of a server of its own, in a folder of its own, and a short way to call it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use inlet_api::{App, Auth, Limits, Metrics, router};
use inlet_model::secret::{Vault, VaultKey};
use inlet_model::{Clock, Entropy, ManualClock, SeededEntropy, SystemEntropy, Timestamp};
use inlet_source::{ConnectorType, Environment, Registry};
use inlet_store::catalog::PurgeId;
use inlet_store::{Catalog, CollectionStores};
use inlet_sync::{Engine, EngineMetrics, EngineOptions, EngineParts, RetryOptions};
use inlet_webhooks::{Courier, CourierOptions, CourierParts, SystemNames, WebhookMetrics};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::backends;
use crate::database::Database;
use crate::held::{self, Gate};

/// The collection that every server has.
pub(crate) const COLLECTION: &str = "/v1/spaces/default/collections/default";

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// How a test wants its server.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) auth: Auth,
    pub(crate) limits: Limits,
    /// 0: no sync ever begins.
    pub(crate) running_syncs: usize,
    /// Files by name, under the one root that may be read.
    pub(crate) files: Vec<(&'static str, &'static str)>,
    /// What seals secrets.
    pub(crate) vault: Vault,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            auth: Auth::None { local_token: None },
            // Time stands still here, so that no bucket would fill again.
            limits: Limits { rate: None, ..Limits::default() },
            running_syncs: 2,
            files: Vec::new(),
            vault: vault(1),
        }
    }
}

/// A vault of one key, another for each `seed`.
pub(crate) fn vault(seed: u64) -> Vault {
    Vault::new(VaultKey::generate(&SeededEntropy::new(seed)), [])
}

/// A server without its socket.
pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) stores: Arc<dyn CollectionStores>,
    pub(crate) engine: Engine,
    pub(crate) webhooks: Courier,
    pub(crate) gate: Gate,
    pub(crate) database: Database,
    pub(crate) folder: TempDir,
    /// The names of the connector types.
    pub(crate) types: Vec<&'static str>,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// A server whose syncs stay queued.
    pub(crate) async fn without_workers() -> Self {
        Self::with(Setup { running_syncs: 0, ..Setup::default() }).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("files")).unwrap();
        Self::over(folder, setup).await
    }

    /// A server over a folder that is there: one of before.
    pub(crate) async fn over(folder: TempDir, setup: Setup) -> Self {
        let root = folder.path().join("files");
        for (name, text) in &setup.files {
            std::fs::write(root.join(name), text).unwrap();
        }
        let clock = Arc::new(ManualClock::new(START));
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let (catalog, stores) = backends::open(folder.path(), &clock, &entropy).await;
        let (gate, database) = (Gate::default(), Database::default());
        let connectors = inlet_connectors::registry();
        let types = connectors.iter().cloned().chain(held::types(gate.clone()));
        let types = types.chain([Arc::new(database.clone()) as Arc<dyn ConnectorType>]);
        let registry = Registry::new(types.collect::<Vec<Arc<dyn ConnectorType>>>());
        let types = registry.iter().map(|each| each.name()).collect();
        let environment =
            Environment { files_roots: vec![root.canonicalize().unwrap()], ..Environment::default() };
        let mut metrics = prometheus_client::registry::Registry::default();
        let parts = EngineParts {
            catalog: Arc::clone(&catalog),
            stores: Arc::clone(&stores),
            signals: Arc::new(inlet_store::NoSignals),
            registry: registry.clone(),
            environment: environment.clone(),
            vault: setup.vault.clone(),
            clock: clock.clone(),
            entropy: Arc::clone(&entropy),
            metrics: EngineMetrics::register(&mut metrics, &registry),
        };
        let courier = CourierParts {
            catalog: Arc::clone(&catalog),
            vault: setup.vault.clone(),
            egress: environment.egress,
            names: Arc::new(SystemNames),
            clock: clock.clone(),
            entropy: Arc::clone(&entropy),
            metrics: WebhookMetrics::register(&mut metrics),
        };
        let webhooks = Courier::start(courier, CourierOptions::default());
        let options = EngineOptions {
            running_syncs: setup.running_syncs,
            // Time stands still here, and with it all waiting.
            retry: RetryOptions::none(),
            ..EngineOptions::default()
        };
        let engine = Engine::start(parts, options).await.unwrap();
        let app = App {
            catalog: Arc::clone(&catalog),
            stores: Arc::clone(&stores),
            engine: engine.clone(),
            webhooks: webhooks.clone(),
            registry,
            environment,
            vault: setup.vault,
            clock: clock.clone(),
            entropy,
            auth: setup.auth,
            limits: setup.limits,
            metrics: Metrics::new(metrics, &*clock),
            traces: None,
        };
        Self { router: router(app), clock, catalog, stores, engine, webhooks, gate, database, folder, types }
    }

    /// Ends the server, and gives its folder back.
    pub(crate) async fn closed(self) -> TempDir {
        self.engine.stop(Duration::from_secs(10)).await;
        self.webhooks.stop(Duration::from_secs(10)).await;
        self.folder
    }

    /// Every file in the folder, with what is in it.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut folders = vec![self.folder.path().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), std::fs::read(path).unwrap()));
                }
            }
        }
        files
    }

    /// Sends a request as it is, but for the `Host` that every client sends, and gives the answer as it begins.
    pub(crate) async fn open(&self, mut request: Request<Body>) -> Response<Body> {
        self.clock.advance(1000);
        let host = header::HeaderValue::from_static("127.0.0.1:8080");
        request.headers_mut().entry(header::HOST).or_insert(host);
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// As [`open`](Self::open), with the whole answer. A stream of events may never end: only how it begins is taken.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, mut body) = self.open(request).await.into_parts();
        let body = if parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream")
        {
            body.frame().await.unwrap().unwrap().into_data().unwrap().to_vec()
        } else {
            body.collect().await.unwrap().to_bytes().to_vec()
        };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path, Body::empty())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path, Body::empty())).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(json(Method::POST, path, body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(json(Method::PATCH, path, body)).await
    }

    /// Makes a connector in the default collection, and gives its path.
    pub(crate) async fn connector(&self, body: Value) -> String {
        let made = self.post(&format!("{COLLECTION}/connectors"), body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        made.location().to_owned()
    }

    /// A connector, made by that path, and a sync of it that asks whether it may delete.
    pub(crate) async fn asking(&self, connectors: &str) -> (String, String) {
        let file = self.folder.path().join("files/asked.csv");
        std::fs::write(&file, "id\n1\n").unwrap();
        let body = serde_json::json!({"name": "asked", "type": "files", "config": {"path": file}});
        let connector = self.post(connectors, body).await.location().to_owned();
        self.sync(&connector).await;
        std::fs::write(&file, "id\n").unwrap();
        let triggered = self.post(&format!("{connector}/sync"), Value::Object(Default::default())).await;
        let sync = triggered.location().to_owned();
        self.until(&sync, |sync| sync["status"] == "needs_approval").await;
        (connector, sync)
    }

    /// Triggers a sync of the connector at that path and waits for its end.
    pub(crate) async fn sync(&self, connector: &str) -> Value {
        let triggered = self.post(&format!("{connector}/sync"), Value::Object(Default::default())).await;
        assert_eq!(triggered.status, StatusCode::ACCEPTED, "{}", triggered.text());
        self.ended(triggered.location()).await
    }

    /// Waits until the sync at that path has ended.
    pub(crate) async fn ended(&self, sync: &str) -> Value {
        self.until(sync, |sync| !sync["finished_at"].is_null()).await
    }

    /// Asks until the answer is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let asking = async {
            loop {
                let found = self.get(path).await.json();
                if wanted(&found) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asking).await.expect("it comes to pass within 30 s")
    }

    /// Waits until the engine has done all that deletes have queued.
    pub(crate) async fn until_nothing_is_queued(&self) {
        let asking = async {
            loop {
                let tasks = self.catalog.task_list(1).await.unwrap();
                let purges = self.catalog.purge_list(PurgeId(0), 1).await.unwrap();
                if tasks.is_empty() && purges.is_empty() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asking).await.expect("it is done within 30 s");
    }

    /// The records of the default collection, in one page.
    pub(crate) async fn records(&self) -> Vec<Value> {
        let page = self.get(&format!("{COLLECTION}/records?limit=1000")).await.json();
        page["data"].as_array().unwrap().clone()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A request without a body's headers.
pub(crate) fn request(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(method).uri(path).body(body.into()).unwrap()
}

/// A request with a JSON body.
pub(crate) fn json(method: Method, path: &str, body: Value) -> Request<Body> {
    let request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

/// The request with one header more.
pub(crate) fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").expect("there is a Location")
    }

    /// The code of a problem, which must be one in every respect.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("/docs/errors/{code}"));
        assert!(problem["retryable"].is_boolean());
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{problem}");
        code
    }

    /// The ids of a list.
    pub(crate) fn ids(&self) -> Vec<String> {
        let items = self.json()["data"].as_array().unwrap().clone();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// The names of an object's members.
pub(crate) fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
