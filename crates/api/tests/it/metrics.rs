//! `GET /metrics`: that the numbers are right, that the docs name them all, and that no label says too much.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use inlet_api::{Auth, key_hash};
use inlet_model::sync::SyncStatus;
use inlet_model::{ConnectorId, SyncId};
use serde_json::{Value, json};

use crate::app::{Answer, COLLECTION, Setup, TestApp, json as json_request, request, with};

const KEY: &str = "inlet_key_of_the_operator";
const OPEN_METRICS: &str =
    "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that asks for keys and runs one sync at a time.
struct Story {
    app: TestApp,
    /// Ids that were given out.
    ids: Vec<String>,
}

impl Story {
    async fn new() -> Self {
        let app = TestApp::with(Setup {
            auth: Auth::Key { environment_key: Some(key_hash(KEY)), local_token: None },
            running_syncs: 1,
            files: vec![(
                "people.jsonl",
                "{\"id\":1,\"name\":\"Ada\"}\n{\"id\":2,\"name\":\"Bob\"}\nsecret_line\n",
            )],
            ..Setup::default()
        });
        Self { app: app.await, ids: Vec::new() }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        self.app.send(with(request, "x-api-key", KEY)).await
    }

    async fn connector(&mut self, body: Value) -> ConnectorId {
        let made = self.send(json_request(Method::POST, &format!("{COLLECTION}/connectors"), body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let id = made.json()["id"].as_str().unwrap().to_owned();
        self.ids.push(id.clone());
        id.parse().unwrap()
    }

    async fn trigger(&mut self, connector: ConnectorId) -> SyncId {
        let path = format!("{COLLECTION}/connectors/{connector}/sync");
        let triggered = self.send(request(Method::POST, &path, Body::empty())).await;
        assert_eq!(triggered.status, StatusCode::ACCEPTED, "{}", triggered.text());
        let id = triggered.json()["id"].as_str().unwrap().to_owned();
        self.ids.push(id.clone());
        id.parse().unwrap()
    }

    /// Waits until the sync is as wanted, without a request that would be counted.
    async fn until(&self, connector: ConnectorId, sync: SyncId, wanted: impl Fn(SyncStatus) -> bool) {
        let asking = async {
            while !wanted(self.app.catalog.sync_get(connector, sync).await.unwrap().unwrap().status) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.expect("it comes to pass within 30 s");
    }

    /// A sync from its trigger until it is counted.
    async fn sync(&mut self, connector: ConnectorId) {
        let sync = self.trigger(connector).await;
        self.until(connector, sync, SyncStatus::is_final).await;
        self.app.engine.ended(sync).await;
    }

    async fn push(&self, connector: ConnectorId, records: Value) {
        let path = format!("{COLLECTION}/connectors/{connector}/records?stream=secret_stream&key_field=id");
        let pushed = self.send(json_request(Method::POST, &path, records)).await;
        assert_eq!(pushed.status, StatusCode::ACCEPTED, "{}", pushed.text());
    }

    async fn metrics(&self) -> String {
        let asked = with(request(Method::GET, "/metrics", Body::empty()), "accept", OPEN_METRICS);
        let answer = self.send(asked).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.text().to_owned()
    }

    /// Everything that can be counted happens.
    async fn happens(&mut self) {
        let files = self.connector(json!({"name": "f", "type": "files", "config": {"path": self.people()},
            "streams": [{"name": "people", "primary_key": ["id"]}]}));
        let files = files.await;
        self.sync(files).await;
        let pushes = self.connector(json!({"name": "p", "type": "external_source"})).await;
        self.push(pushes, json!([{"id": 1, "word": "secret_word"}, {"id": 2}])).await;
        self.sync(pushes).await;
        self.push(pushes, json!([{"id": 1, "word": "another"}, {"id": 2}])).await;
        self.sync(pushes).await;

        let held = self.connector(json!({"name": "h", "type": "held"})).await;
        let running = self.trigger(held).await;
        self.until(held, running, |status| status == SyncStatus::Running).await;
        self.trigger(files).await;

        self.app.get("/v1/spaces?cursor=secret_query").await;
        self.send(request(Method::GET, "/v1/secret/path", Body::empty())).await;
        self.send(request(Method::from_bytes(b"SECRETMETHOD").unwrap(), "/v1/spaces", Body::empty())).await;
        self.app.clock.advance(90_000_000);
    }

    fn people(&self) -> String {
        self.app.folder.path().join("files/people.jsonl").to_str().unwrap().to_owned()
    }
}

/// One line: a name, labels, a value.
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    value: &'a str,
}

impl<'a> Sample<'a> {
    fn of(line: &'a str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap().split_terminator("\",");
        let label = |label: &'a str| label.trim_end_matches('"').split_once("=\"").unwrap();
        Self { name, labels: labels.map(label).collect(), value }
    }

    /// Whether it is the same each time the story happens: neither how long things took, nor in how many commits.
    fn is_known(&self) -> bool {
        let measured = ["_sum", "_bucket"].iter().any(|end| self.name.ends_with(end));
        !measured && !self.name.starts_with("process_") && self.name != "inlet_commit_seconds_count"
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

#[tokio::test]
async fn after_a_known_story_the_numbers_are_those_of_the_story() {
    let mut story = Story::new().await;
    story.happens().await;
    let text = story.metrics().await;
    assert!(text.ends_with("# EOF\n"));
    let happened = lines(&text).filter(|line| !line.ends_with(" 0") && Sample::of(line).is_known());
    let mut happened: Vec<&str> = happened.collect();
    happened.sort_unstable();
    insta::assert_snapshot!(happened.join("\n"));
    let commits = lines(&text).map(Sample::of).find(|sample| sample.name == "inlet_commit_seconds_count");
    assert!(commits.unwrap().value.parse::<u64>().unwrap() >= 3);
}

#[tokio::test]
async fn a_scrape_is_counted_for_the_next() {
    let story = Story::new().await;
    let counted = "inlet_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"} 1\n";
    assert!(!story.metrics().await.contains("inlet_http_requests_total"));
    assert!(story.metrics().await.contains(counted));
}

#[tokio::test]
async fn the_docs_and_the_server_name_the_same_metrics() {
    let story = Story::new().await;
    // What has never been answered has no number as yet.
    story.metrics().await;
    let text = story.metrics().await;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let shown: BTreeSet<String> = types
        .map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        })
        .collect();
    let docs = include_str!("../../../../docs/metrics.md");
    let table = docs.split("| label |").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let named: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
    assert_eq!(named, shown);
}

#[tokio::test]
async fn no_label_says_an_id_a_name_or_a_secret() {
    let mut story = Story::new().await;
    story.happens().await;
    let text = story.metrics().await;
    for id in &story.ids {
        assert!(!text.contains(id.as_str()), "{id}");
    }
    let folder = story.app.folder.path().to_str().unwrap();
    for word in [KEY, "secret", "SECRET", "people", "word", folder] {
        assert!(!text.contains(word), "{word}");
    }
    let document = story.app.get("/openapi.json").await.json();
    let routes = document["paths"].as_object().unwrap();
    let is_status = |value: &str| {
        SyncStatus::from_name(value).is_some() || value.parse::<u16>().is_ok_and(|code| code < 600)
    };
    let is_good = |label: &str, value: &str| match label {
        "route" => value == "-" || routes.contains_key(value),
        "method" => ["GET", "POST", "_OTHER"].contains(&value),
        "status" => is_status(value),
        "type" => value == "unknown" || story.app.types.contains(&value),
        "op" => ["created", "updated", "unchanged", "deleted", "rejected"].contains(&value),
        "outcome" => ["delivered", "failed", "given_up"].contains(&value),
        "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
        "version" => value == env!("CARGO_PKG_VERSION"),
        _ => false,
    };
    for line in lines(&text) {
        for (label, value) in Sample::of(line).labels {
            assert!(is_good(label, value), "{line}");
        }
    }
}

#[tokio::test]
async fn whoever_does_not_ask_for_open_metrics_gets_the_older_text() {
    let story = Story::new().await;
    let older = story.send(request(Method::GET, "/metrics", Body::empty())).await;
    assert_eq!(older.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(older.text().contains("\n# TYPE inlet_sync_bytes_total counter\n"));
    let asked = with(request(Method::GET, "/metrics", Body::empty()), "accept", OPEN_METRICS);
    let open_metrics = story.send(asked).await;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open_metrics.header("content-type"), Some(content_type));
    assert!(open_metrics.text().contains("\n# TYPE inlet_sync_bytes counter\n"));
}
