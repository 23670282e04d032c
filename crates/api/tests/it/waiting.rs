//! Reading a sync and waiting for its end.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use inlet_api::Limits;
use serde_json::json;
use tokio::task::JoinSet;

use crate::app::{Setup, TestApp};

/// A sync of a connector whose source hangs.
async fn a_sync(app: &TestApp) -> (String, String) {
    let connector = app.connector(json!({"name": "held", "type": "held"})).await;
    let sync = app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned();
    (connector, sync)
}

/// Waits for the sync; again and again while too many do, of whom [`until_full`] is one.
fn waiting(app: &Arc<TestApp>, sync: &str) -> tokio::task::JoinHandle<crate::app::Answer> {
    let (app, path) = (Arc::clone(app), format!("{sync}?wait=60s"));
    tokio::spawn(async move {
        loop {
            let answer = app.get(&path).await;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    })
}

/// Waits until so many requests wait for a sync, which is when one more is refused.
async fn until_full(app: &TestApp, sync: &str) {
    while !app.get(&format!("{sync}?wait=1ms")).await.text().contains("wait for a sync") {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn with_waits(waits: usize, running_syncs: usize) -> Arc<TestApp> {
    let limits = Limits { waits, ..Limits::default() };
    Arc::new(TestApp::with(Setup { limits, running_syncs, ..Setup::default() }).await)
}

#[tokio::test]
async fn a_sync_that_has_ended_is_answered_at_once() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    let sync = app.sync(&connector).await;
    let path = format!("{connector}/sync/{}", sync["id"].as_str().unwrap());
    assert_eq!(app.get(&format!("{path}?wait=60s")).await.json(), sync);
}

#[tokio::test]
async fn when_the_time_is_over_the_sync_is_shown_as_it_stands() {
    let app = TestApp::without_workers().await;
    let (_, sync) = a_sync(&app).await;
    for wait in ["0s", "1ms", "20ms"] {
        let answer = app.get(&format!("{sync}?wait={wait}")).await;
        assert_eq!((answer.status, &answer.json()["status"]), (StatusCode::OK, &json!("queued")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_running_sync_is_answered_with_its_counts() {
    let app = Arc::new(TestApp::new().await);
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    app.post(&format!("{connector}/records?key_field=id"), json!([{"id": 1}, {"id": 2}])).await;
    let sync = app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned();
    let answer = waiting(&app, &sync).await.unwrap();
    assert_eq!(answer.json()["status"], "succeeded");
    assert_eq!(answer.json()["counts"]["created"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_queued_or_running_can_be_waited_for_until_it_is_cancelled() {
    for running_syncs in [0, 1] {
        let app = with_waits(2, running_syncs).await;
        let (connector, sync) = a_sync(&app).await;
        let both = [waiting(&app, &sync), waiting(&app, &sync)];
        until_full(&app, &sync).await;
        app.post(&format!("{connector}/sync/cancel"), json!({})).await;
        for waited in both {
            let answer = waited.await.unwrap();
            assert_eq!((answer.status, &answer.json()["status"]), (StatusCode::OK, &json!("cancelled")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_deleted_with_its_connector_is_not_found() {
    for path in ["connector", "space"] {
        let app = with_waits(1, 0).await;
        let (connector, sync) = a_sync(&app).await;
        let waited = waiting(&app, &sync);
        until_full(&app, &sync).await;
        let (gone, code) = match path {
            "connector" => (connector, "connector.not_found"),
            _ => ("/v1/spaces/default?cascade=true".to_owned(), "space.not_found"),
        };
        assert_eq!(app.delete(&gone).await.status, StatusCode::NO_CONTENT);
        assert_eq!(waited.await.unwrap().code(), code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_wait_leave_room_for_all_others() {
    let app = Arc::new(TestApp::without_workers().await);
    let (connector, sync) = a_sync(&app).await;
    let mut waited = JoinSet::new();
    for _ in 0..1000 {
        let (app, path) = (Arc::clone(&app), format!("{sync}?wait=60s"));
        waited.spawn(async move { app.get(&path).await });
    }
    for _ in 0..488 {
        let refused = waited.join_next().await.unwrap().unwrap();
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, Some("1")));
        assert_eq!(refused.code(), "server.unavailable");
    }
    for _ in 0..10 {
        assert_eq!(app.get("/v1/spaces").await.status, StatusCode::OK);
        assert_eq!(app.get(&sync).await.json()["status"], "queued", "who does not wait is answered");
    }
    assert_eq!(app.post(&format!("{connector}/sync/cancel"), json!({})).await.status, StatusCode::OK);
    while let Some(answer) = waited.join_next().await {
        assert_eq!(answer.unwrap().json()["status"], "cancelled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_takes_no_place_among_the_requests_in_hand() {
    let limits = Limits { waits: 1, requests: 2, ..Limits::default() };
    let app = Arc::new(TestApp::with(Setup { limits, running_syncs: 0, ..Setup::default() }).await);
    let (connector, sync) = a_sync(&app).await;
    let waited = waiting(&app, &sync);
    until_full(&app, &sync).await;
    // Both places are free: one is held back while a connector is made, the other answers.
    let making = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.connector(json!({"name": "g", "type": "gated"})).await }
    });
    app.gate.reached().await;
    assert_eq!(app.get("/v1/spaces").await.status, StatusCode::OK);
    app.gate.open();
    making.await.unwrap();
    app.post(&format!("{connector}/sync/cancel"), json!({})).await;
    assert_eq!(waited.await.unwrap().json()["status"], "cancelled");
}
