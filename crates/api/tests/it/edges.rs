//! What holds for every answer, whatever was asked: ids, panics, time-outs, callers who hang up.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use inlet_api::Limits;
use serde_json::json;
use tower::ServiceExt;

use crate::app::{COLLECTION, Setup, TestApp, json as json_request, request, with};

const CONNECTORS: &str = "/v1/spaces/default/collections/default/connectors";

#[tokio::test]
async fn every_answer_carries_a_request_id_and_keeps_a_good_one() {
    let app = TestApp::without_workers().await;
    for path in ["/v1/spaces", "/v1/nonsense", "/healthz", "/v1/spaces/%FF"] {
        let answer = app.get(path).await;
        assert!(answer.header("x-request-id").unwrap().starts_with("req_"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let kept = app.send(with(request(Method::GET, path, Body::empty()), "x-request-id", "trace-1")).await;
        assert_eq!(kept.header("x-request-id"), Some("trace-1"), "{path}");
    }
    let bad =
        app.send(with(request(Method::GET, "/v1/spaces", Body::empty()), "x-request-id", "two words")).await;
    assert!(bad.header("x-request-id").unwrap().starts_with("req_"));
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing_internal() {
    let app = TestApp::without_workers().await;
    let answer = app.post(CONNECTORS, json!({"name": "p", "type": "panicking"})).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "server.internal")
    );
    assert!(!answer.text().contains("secret"));
    assert_eq!(app.get(CONNECTORS).await.status, StatusCode::OK, "the server goes on");
}

#[tokio::test]
async fn a_post_that_panicked_does_not_hold_its_idempotency_key() {
    let app = TestApp::without_workers().await;
    for _ in 0..2 {
        let panicking = json_request(Method::POST, CONNECTORS, json!({"name": "p", "type": "panicking"}));
        assert_eq!(app.send(with(panicking, "idempotency-key", "k")).await.code(), "server.internal");
    }
}

#[tokio::test]
async fn health_needs_no_key_and_says_what_it_is() {
    let app = TestApp::without_workers().await;
    assert_eq!(app.get("/healthz").await.json(), json!({"status": "ok"}));
    assert_eq!(app.get("/readyz").await.json(), json!({"status": "ready"}));
    assert_eq!(
        app.send(request(Method::POST, "/healthz", Body::empty())).await.code(),
        "request.method_not_allowed"
    );
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_page() {
    let app = TestApp::without_workers().await;
    let problem = app.get("/v1/spaces/nowhere").await.json();
    let page = app.get(problem["type"].as_str().unwrap()).await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (StatusCode::OK, Some("text/markdown; charset=utf-8"))
    );
    assert!(page.text().starts_with("# `space.not_found`\n"));
    for path in ["/docs/errors/no.such_code", "/docs/errors/%FF"] {
        assert_eq!(app.get(path).await.code(), "request.route_not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_carried_through_when_its_caller_hangs_up() {
    let app = TestApp::without_workers().await;
    let mut create = json_request(Method::POST, CONNECTORS, json!({"name": "g", "type": "gated"}));
    create.headers_mut().insert("host", "localhost".parse().unwrap());
    let caller = tokio::spawn(app.router.clone().oneshot(create));
    app.gate.reached().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    app.gate.open();
    app.until(CONNECTORS, |list| list["data"].as_array().unwrap().len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_is_answered_and_still_done() {
    let limits = Limits { request_time: Duration::from_millis(20), ..Limits::default() };
    let app = TestApp::with(Setup { limits, running_syncs: 0, ..Setup::default() }).await;
    let late = app.post(CONNECTORS, json!({"name": "g", "type": "gated"})).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "server.timed_out"));
    app.gate.open();
    app.until(CONNECTORS, |list| list["data"].as_array().is_some_and(|data| data.len() == 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_the_server_takes_are_sent_away() {
    let limits = Limits { requests: 1, ..Limits::default() };
    let app = TestApp::with(Setup { limits, running_syncs: 0, ..Setup::default() }).await;
    let create = json_request(Method::POST, CONNECTORS, json!({"name": "g", "type": "gated"}));
    let (made, sent_away) = tokio::join!(app.send(create), async {
        app.gate.reached().await;
        let sent_away = app.get(COLLECTION).await;
        app.gate.open();
        sent_away
    });
    assert_eq!(
        (sent_away.code().as_str(), sent_away.header("retry-after")),
        ("server.unavailable", Some("1"))
    );
    assert_eq!(made.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let limits = Limits { body_time: Duration::from_millis(20), ..Limits::default() };
    let app = TestApp::with(Setup { limits, running_syncs: 0, ..Setup::default() }).await;
    let silent = futures_util::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
    let answer = app.send(request(Method::POST, CONNECTORS, Body::from_stream(silent))).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::REQUEST_TIMEOUT, "request.body_timed_out")
    );
}
