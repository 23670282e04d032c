//! All routes: that each asks for a key, that none is missing here, and that the documentation has each.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use inlet_api::{Auth, key_hash};
use serde_json::{Value, json};

use crate::app::{Setup, TestApp, request, with};

/// Every call of the API: its path, its methods, and whether it asks for a key; as the server itself describes them.
async fn calls(app: &TestApp) -> Vec<(String, Vec<String>, bool)> {
    let document = app.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, operations): (&String, &Value)| {
        let operations = operations.as_object().unwrap();
        let is_public = operations.values().all(|operation| operation["security"] == json!([]));
        let methods = operations.keys().map(|method| method.to_uppercase()).collect();
        (path.clone(), methods, !is_public)
    };
    paths.iter().map(of).collect()
}

async fn protected(app: &TestApp) -> Vec<(String, Vec<String>)> {
    let calls = calls(app).await.into_iter();
    calls.filter(|(.., asks)| *asks).map(|(path, methods, _)| (path, methods)).collect()
}

/// The path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let samples = [
        ("{space_id}", "default"),
        ("{collection_id}", "default"),
        ("{connector_id}", "con_01h455vb4pex5vsknk084sn02q"),
        ("{sync_id}", "syn_01h455vb4pex5vsknk084sn02q"),
        ("{type}", "files"),
        ("{stream}", "s"),
        ("{key}", "1"),
        ("{webhook_id}", "whk_01h455vb4pex5vsknk084sn02q"),
        ("{delivery_id}", "msg_01h455vb4pex5vsknk084sn02q"),
        ("{key_id}", "key_01h455vb4pex5vsknk084sn02q"),
        ("{code}", "server.internal"),
    ];
    samples.into_iter().fold(path.to_owned(), |path, (name, sample)| path.replace(name, sample))
}

async fn app() -> TestApp {
    let auth = Auth::Key { environment_key: Some(key_hash("good")), local_token: None };
    TestApp::with(Setup { auth, running_syncs: 0, ..Setup::default() }).await
}

#[tokio::test]
async fn every_route_but_health_and_the_pages_of_errors_asks_for_a_key() {
    let app = app().await;
    for (path, methods) in protected(&app).await {
        for method in methods.iter().map(String::as_str).chain(["HEAD", "OPTIONS", "TRACE"]) {
            let method: Method = method.parse().unwrap();
            let answer = app.send(request(method.clone(), &filled(&path), Body::empty())).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
    }
    assert_eq!(
        app.get("/v1/nonsense").await.status,
        StatusCode::UNAUTHORIZED,
        "not even what there is, is told"
    );
}

#[tokio::test]
async fn a_path_takes_the_methods_that_are_described_and_no_others() {
    let app = app().await;
    for (path, methods, _) in calls(&app).await {
        let refused = with(request(Method::TRACE, &filled(&path), Body::empty()), "x-api-key", "good");
        let answer = app.send(refused).await;
        assert_eq!(answer.code(), "request.method_not_allowed", "{path}");
        let allowed: BTreeSet<&str> =
            answer.header("allow").unwrap().split(',').filter(|name| *name != "HEAD").collect();
        assert_eq!(allowed, methods.iter().map(String::as_str).collect(), "{path}");
    }
}

#[tokio::test]
async fn only_these_ask_for_no_key() {
    let calls = calls(&app().await).await.into_iter();
    let public: Vec<String> = calls.filter(|(.., asks)| !asks).map(|(path, ..)| path).collect();
    assert_eq!(
        public,
        ["/docs", "/docs/errors/{code}", "/healthz", "/openapi.json", "/readyz", "/v1/hooks/{connector_id}"]
    );
}

#[tokio::test]
async fn every_operation_has_its_section_in_the_docs() {
    let docs = include_str!("../../../../docs/api.md");
    for (path, methods) in protected(&app().await).await {
        for method in methods {
            let heading = format!("### `{method} {path}`\n");
            assert!(docs.contains(&heading), "docs/api.md has no section {heading}");
        }
    }
}
