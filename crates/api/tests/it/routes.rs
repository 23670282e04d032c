//! All routes: that each asks for a key, that none is missing here, and that the documentation has each.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use inlet_api::{Auth, key_hash};

use crate::app::{Setup, TestApp, request, with};

const CONNECTOR: &str = "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}";

/// Every path that asks for a key, and its methods.
fn protected() -> Vec<(String, &'static [&'static str])> {
    let collection = "/v1/spaces/{space_id}/collections/{collection_id}";
    [
        ("/v1/spaces".to_owned(), &["GET", "POST"][..]),
        ("/v1/spaces/{space_id}".to_owned(), &["GET", "PATCH", "DELETE"]),
        ("/v1/spaces/{space_id}/collections".to_owned(), &["GET", "POST"]),
        (collection.to_owned(), &["GET", "PATCH", "DELETE"]),
        (format!("{collection}/records"), &["GET", "DELETE"]),
        (format!("{collection}/records/{{stream}}/{{key}}"), &["GET"]),
        (format!("{collection}/changes"), &["GET"]),
        (format!("{collection}/connectors"), &["GET", "POST"]),
        (CONNECTOR.to_owned(), &["GET", "PATCH", "DELETE"]),
        (format!("{CONNECTOR}/records"), &["POST"]),
        (format!("{CONNECTOR}/state"), &["GET", "PUT", "DELETE"]),
        (format!("{CONNECTOR}/sync"), &["GET", "POST"]),
        (format!("{CONNECTOR}/sync/cancel"), &["POST"]),
        (format!("{CONNECTOR}/sync/{{sync_id}}"), &["GET"]),
        (format!("{CONNECTOR}/sync/{{sync_id}}/cancel"), &["POST"]),
    ]
    .into()
}

const PUBLIC: &[&str] = &["/healthz", "/readyz", "/docs/errors/{code}"];

/// The path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let samples = [
        ("{space_id}", "default"),
        ("{collection_id}", "default"),
        ("{connector_id}", "con_01h455vb4pex5vsknk084sn02q"),
        ("{sync_id}", "syn_01h455vb4pex5vsknk084sn02q"),
        ("{stream}", "s"),
        ("{key}", "1"),
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
    for (path, methods) in protected() {
        for method in methods.iter().chain(&["HEAD", "OPTIONS", "PUT"]) {
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
async fn the_routes_listed_here_are_all_routes_with_all_their_methods() {
    let app = app().await;
    for (path, methods) in protected() {
        let refused = with(
            request(Method::from_bytes(b"BREW").unwrap(), &filled(&path), Body::empty()),
            "x-api-key",
            "good",
        );
        let answer = app.send(refused).await;
        assert_eq!(answer.code(), "request.method_not_allowed", "{path}");
        let mut allowed: Vec<&str> =
            answer.header("allow").unwrap().split(',').filter(|name| *name != "HEAD").collect();
        let mut expected = methods.to_vec();
        allowed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(allowed, expected, "{path}");
    }
    let routes = include_str!("../../src/router.rs").matches(".route(").count();
    assert_eq!(routes, protected().len() + PUBLIC.len(), "a route of router.rs is not listed here");
}

#[test]
fn every_operation_is_documented() {
    let docs = include_str!("../../../../docs/api.md");
    for (path, methods) in protected() {
        for method in methods {
            let heading = format!("### `{method} {path}`\n");
            assert!(docs.contains(&heading), "docs/api.md has no section {heading}");
        }
    }
}
