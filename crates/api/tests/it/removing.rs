//! Records that are removed on request.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{COLLECTION, TestApp};

/// A connector that has brought these records into the stream, keyed by `id`.
async fn synced(app: &TestApp, stream: &str, ids: &[i64]) -> String {
    let connector = app.connector(json!({"name": stream, "type": "external_source"})).await;
    push_and_sync(app, &connector, stream, ids).await;
    connector
}

async fn push_and_sync(app: &TestApp, connector: &str, stream: &str, ids: &[i64]) -> Value {
    let records: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let pushed = app.post(&format!("{connector}/records?stream={stream}&key_field=id"), json!(records)).await;
    assert_eq!(pushed.status, StatusCode::ACCEPTED, "{}", pushed.text());
    app.sync(connector).await
}

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

async fn changes(app: &TestApp) -> Vec<Value> {
    let page = app.get(&format!("{COLLECTION}/changes?cursor=0&limit=1000")).await.json();
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_connector_is_deleted_with_its_records_and_the_feed_tells() {
    let app = TestApp::new().await;
    let (gone, stays) = (synced(&app, "s", &[1, 2, 3]).await, synced(&app, "s", &[1]).await);
    assert_eq!(app.delete(&format!("{gone}?records=delete")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&gone).await.code(), "connector.not_found");
    app.until_nothing_is_queued().await;
    let left = app.records().await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["connector_id"], id_of(&stays));
    let deleted: Vec<Value> = changes(&app).await.into_iter().filter(|it| it["op"] == "deleted").collect();
    assert_eq!(deleted.len(), 3);
    for change in deleted {
        assert_eq!((&change["sync_id"], &change["data"]), (&Value::Null, &Value::Null));
        assert_eq!(change["connector_id"], id_of(&gone));
    }
}

#[tokio::test]
async fn deleting_a_connector_keeps_its_records_unless_asked() {
    let app = TestApp::new().await;
    for (query, left) in [("", 2), ("?records=keep", 4)] {
        let connector = synced(&app, "s", &[1, 2]).await;
        assert_eq!(app.delete(&format!("{connector}{query}")).await.status, StatusCode::NO_CONTENT);
        app.until_nothing_is_queued().await;
        assert_eq!(app.records().await.len(), left);
    }
}

#[tokio::test]
async fn records_are_removed_by_connector_by_stream_by_both_and_all() {
    let app = TestApp::new().await;
    let one = synced(&app, "s", &[1, 2]).await;
    push_and_sync(&app, &one, "t", &[1, 2, 3]).await;
    let two = synced(&app, "s", &[1]).await;
    let (one, two) = (id_of(&one), id_of(&two));
    let left = async |query: &str, records: u64| {
        let removed = app.delete(&format!("{COLLECTION}/records{query}")).await;
        assert_eq!(removed.status, StatusCode::ACCEPTED, "{}", removed.text());
        assert_eq!(removed.json(), json!({"status": "accepted", "records": records}));
        app.until_nothing_is_queued().await;
        assert_eq!(app.get(COLLECTION).await.json()["removing"], false);
        app.records().await.len()
    };
    assert_eq!(left(&format!("?connector_id={two}&stream=t"), 0).await, 6, "it has none of that stream");
    assert_eq!(left(&format!("?connector_id={one}&stream=t"), 3).await, 3);
    assert_eq!(left("?stream=s", 3).await, 0);
    let connector = synced(&app, "u", &[1, 2]).await;
    synced(&app, "u", &[1]).await;
    assert_eq!(left(&format!("?connector_id={}", id_of(&connector)), 2).await, 1);
    assert_eq!(left("", 1).await, 0);
    assert_eq!(left("", 0).await, 0, "nothing is left to remove");
}

#[tokio::test]
async fn the_records_that_a_deleted_connector_left_can_be_removed() {
    let app = TestApp::new().await;
    let connector = synced(&app, "s", &[1, 2]).await;
    app.delete(&connector).await;
    let removed = app.delete(&format!("{COLLECTION}/records?connector_id={}", id_of(&connector))).await;
    assert_eq!(removed.json()["records"], 2);
    app.until_nothing_is_queued().await;
    assert_eq!(app.records().await.len(), 0);
}

#[tokio::test]
async fn while_a_sync_runs_nothing_of_its_connector_is_removed() {
    let app = TestApp::new().await;
    let other = synced(&app, "s", &[1]).await;
    let held = app.connector(json!({"name": "held", "type": "held"})).await;
    let sync = app.post(&format!("{held}/sync"), json!({})).await.location().to_owned();
    app.until(&sync, |sync| !sync["streams"].as_array().unwrap().is_empty()).await;
    let records = format!("{COLLECTION}/records");
    for query in ["", "?stream=rows", &format!("?connector_id={}", id_of(&held))] {
        let refused = app.delete(&format!("{records}{query}")).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.code(), "sync.already_running");
        assert_eq!(refused.location(), sync);
        assert_eq!(refused.json()["resource"]["connector_id"], id_of(&held));
    }
    assert_eq!(app.records().await.len(), 1, "of all or nothing it was nothing");
    let free = app.delete(&format!("{records}?connector_id={}", id_of(&other))).await;
    assert_eq!(free.status, StatusCode::ACCEPTED);
    app.post(&format!("{held}/sync/cancel"), json!({})).await;
    app.ended(&sync).await;
    assert_eq!(app.delete(&records).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_removal_that_is_not_done_yet_is_shown_and_asked_for_twice_is_one() {
    let app = TestApp::without_workers().await;
    // Nothing that is queued from now on is carried out.
    app.engine.stop(std::time::Duration::from_secs(10)).await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    let put = json!({"streams": [{"name": "s", "scopes": [{"cursor": 1}]}]});
    let state = format!("{connector}/state");
    let set = || app.send(crate::app::json(axum::http::Method::PUT, &state, put.clone()));
    assert_eq!(set().await.status, StatusCode::NO_CONTENT);
    for _ in 0..3 {
        let removed = app.delete(&format!("{COLLECTION}/records")).await;
        assert_eq!(removed.status, StatusCode::ACCEPTED);
    }
    assert_eq!(app.get(COLLECTION).await.json()["removing"], true);
    assert_eq!(app.catalog.purge_list(inlet_store::catalog::PurgeId(0), 9).await.unwrap().len(), 1);
    assert_eq!(set().await.code(), "records.being_removed");
    assert_eq!(app.delete(&state).await.code(), "records.being_removed");
    assert_eq!(app.get(&state).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_pushed_after_a_removal_comes_in_as_new() {
    let app = TestApp::new().await;
    let connector = synced(&app, "s", &[1, 2]).await;
    app.delete(&format!("{COLLECTION}/records")).await;
    let sync = push_and_sync(&app, &connector, "s", &[1]).await;
    assert_eq!((&sync["status"], &sync["counts"]["created"]), (&json!("succeeded"), &json!(1)));
    assert_eq!(app.records().await.len(), 1);
    let numbers: Vec<u64> = changes(&app).await.iter().map(|it| it["change"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn deleting_with_records_in_the_middle_of_a_sync_leaves_nothing_of_it() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "held", "type": "held"})).await;
    let sync = app.post(&format!("{connector}/sync"), json!({})).await;
    app.until(sync.location(), |sync| sync["status"] == "running").await;
    assert_eq!(app.delete(&format!("{connector}?records=delete")).await.status, StatusCode::NO_CONTENT);
    let id = sync.json()["id"].as_str().unwrap().parse().unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(30), app.engine.ended(id)).await.unwrap();
    app.until_nothing_is_queued().await;
    assert_eq!(app.records().await.len(), 0);
}
