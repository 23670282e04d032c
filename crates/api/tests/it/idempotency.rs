//! Requests that are sent more than once.

use std::collections::HashSet;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures_util::future::join_all;
use inlet_api::{Auth, key_hash};
use serde_json::json;

use crate::app::{COLLECTION, Setup, TestApp, json as json_request, with};

fn connectors() -> String {
    format!("{COLLECTION}/connectors")
}

fn keyed(path: &str, body: serde_json::Value, key: &str) -> Request<Body> {
    with(json_request(Method::POST, path, body), "idempotency-key", key)
}

fn new_connector(key: &str) -> Request<Body> {
    keyed(&connectors(), json!({"name": "New Connector", "type": "external_source"}), key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_posts_with_one_key_make_one_connector() {
    let app = TestApp::without_workers().await;
    let answers = join_all((0..100).map(|_| app.send(new_connector("unique_key")))).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == StatusCode::CREATED);
    for answer in refused {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::CONFLICT, "idempotency.in_progress")
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(made.iter().map(|answer| &answer.body).collect::<HashSet<_>>().len(), 1);
    let fresh = made.iter().filter(|answer| answer.header("idempotency-replayed").is_none());
    assert_eq!(fresh.count(), 1);
    assert_eq!(app.get(&connectors()).await.ids().len(), 1);
    let replayed = app.send(new_connector("unique_key")).await;
    assert_eq!(
        (replayed.status, replayed.header("idempotency-replayed")),
        (StatusCode::CREATED, Some("true"))
    );
    assert_eq!(replayed.body, made[0].body);
}

#[tokio::test]
async fn a_replay_is_the_first_answer_even_after_the_thing_has_changed() {
    let app = TestApp::without_workers().await;
    let first = app.send(new_connector("k")).await;
    app.patch(first.location(), json!({"name": "Another"})).await;
    let replayed = app.send(new_connector("\"k\"")).await;
    assert_eq!((replayed.status, &replayed.body), (StatusCode::CREATED, &first.body));
    assert_eq!(replayed.location(), first.location());
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let app = TestApp::without_workers().await;
    app.send(new_connector("k")).await;
    let other = keyed(&connectors(), json!({"name": "Other", "type": "external_source"}), "k");
    let refused = app.send(other).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency.mismatch")
    );
    assert_eq!(app.get(&connectors()).await.ids().len(), 1);
}

#[tokio::test]
async fn a_request_that_failed_left_nothing_and_runs_again() {
    let app = TestApp::without_workers().await;
    let bad = app.send(keyed(&connectors(), json!({"name": "New Connector"}), "k")).await;
    assert_eq!(bad.code(), "request.invalid_fields");
    assert_eq!(app.send(new_connector("k")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn every_post_with_an_effect_replays() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    for (path, body) in [
        ("/v1/spaces".to_owned(), json!({"name": "s", "id": "sales"})),
        ("/v1/spaces/default/collections".to_owned(), json!({"name": "o", "id": "orders"})),
        (format!("{connector}/sync"), json!({})),
        (format!("{connector}/records?key_field=id"), json!([{"id": 1}])),
    ] {
        let first = app.send(keyed(&path, body.clone(), "k")).await;
        assert!(first.status.is_success(), "{path}: {}", first.text());
        let second = app.send(keyed(&path, body, "k")).await;
        assert_eq!((second.status, &second.body), (first.status, &first.body), "{path}");
        assert_eq!(second.headers.get("location"), first.headers.get("location"), "{path}");
        assert_eq!(second.header("idempotency-replayed"), Some("true"), "{path}");
    }
    assert_eq!(app.get(&format!("{connector}/sync")).await.ids().len(), 1);
}

#[tokio::test]
async fn a_record_is_kept_for_a_day() {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    let app = TestApp::without_workers().await;
    app.send(new_connector("k")).await;
    app.clock.advance(DAY - 60_000_000);
    assert_eq!(app.send(new_connector("k")).await.header("idempotency-replayed"), Some("true"));
    app.clock.advance(60_000_000);
    assert_eq!(app.send(new_connector("k")).await.header("idempotency-replayed"), None);
    assert_eq!(app.get(&connectors()).await.ids().len(), 2);
}

#[tokio::test]
async fn the_keys_of_different_callers_do_not_meet() {
    let auth = Auth::Key { environment_key: Some(key_hash("one")), local_token: Some(key_hash("two")) };
    let app = TestApp::with(Setup { auth, running_syncs: 0, ..Setup::default() }).await;
    for caller in ["one", "two"] {
        let made = app.send(with(new_connector("k"), "x-api-key", caller)).await;
        assert_eq!((made.status, made.header("idempotency-replayed")), (StatusCode::CREATED, None));
    }
}

#[tokio::test]
async fn a_cancel_takes_a_key_and_says_how_the_sync_stands_now() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    app.post(&format!("{connector}/sync"), json!({})).await;
    let cancel = format!("{connector}/sync/cancel");
    assert_eq!(app.send(keyed(&cancel, json!({}), "k")).await.json()["status"], "cancelled");
    assert_eq!(app.send(keyed(&cancel, json!({}), "k")).await.code(), "sync.none_active");
    assert_eq!(app.send(keyed(&cancel, json!({}), &"k".repeat(256))).await.code(), "idempotency.key_invalid");
}
