//! Undoing a sync.

use std::fmt::Write as _;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{COLLECTION, Setup, TestApp, json as json_request, with};

/// A sync that was undone before it had its time over is undone for so long after its end: a day.
const UNDO_SECONDS: i64 = 24 * 60 * 60;

/// A CSV of these ids, each with this value.
fn csv(ids: impl Iterator<Item = u32>, value: &str) -> String {
    ids.fold("id,value\n".to_owned(), |mut text, id| {
        writeln!(text, "{id},{value}").unwrap();
        text
    })
}

/// What a record is, but for its change and who made it when.
fn content(records: &[Value]) -> Vec<Value> {
    let of = |record: &Value| {
        let mut record = record.clone();
        for name in ["change", "updated_at", "sync_id"] {
            record.as_object_mut().unwrap().remove(name).unwrap();
        }
        record
    };
    records.iter().map(of).collect()
}

/// A connector of a file, whose syncs delete without asking.
struct Orders {
    app: TestApp,
    connector: String,
}

impl Orders {
    async fn with(setup: Setup) -> Self {
        let app = TestApp::with(setup).await;
        let file = app.folder.path().join("files/orders.csv");
        std::fs::write(&file, csv(0..600, "good")).unwrap();
        let policy = json!({"approve_deletes_over": {"percent": 100, "records": 0}});
        let streams = json!([{"name": "orders", "primary_key": ["id"]}]);
        let body = json!({
            "name": "orders", "type": "files", "config": {"path": file}, "policy": policy, "streams": streams,
            "schedule": {"every": "1d"},
        });
        let connector = app.connector(body).await;
        Self { app, connector }
    }

    async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// The source has this now.
    fn write(&self, text: &str) {
        std::fs::write(self.app.folder.path().join("files/orders.csv"), text).unwrap();
    }

    /// Reads everything again; the path of the sync.
    async fn refreshed(&self) -> String {
        let body = json!({"mode": "full_refresh"});
        let triggered = self.app.post(&format!("{}/sync", self.connector), body).await;
        assert_eq!(triggered.status, StatusCode::ACCEPTED, "{}", triggered.text());
        let ended = self.app.ended(triggered.location()).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
        triggered.location().to_owned()
    }

    /// 600 good records, then a full refresh that overwrites 300 of them and deletes the others; that refresh, and the records
    /// as they were.
    async fn spoilt() -> (Self, String, Vec<Value>) {
        let orders = Self::new().await;
        orders.refreshed().await;
        let before = orders.app.records().await;
        orders.write(&csv(0..300, "rubbish"));
        let bad = orders.refreshed().await;
        let counts = orders.app.get(&bad).await.json()["counts"].clone();
        assert_eq!((&counts["updated"], &counts["deleted"]), (&json!(300), &json!(300)));
        (orders, bad, before)
    }

    /// Undoes that sync; the revert as it ended.
    async fn reverted(&self, sync: &str) -> Value {
        let queued = self.app.post(&format!("{sync}/revert"), json!({})).await;
        assert_eq!(queued.status, StatusCode::ACCEPTED, "{}", queued.text());
        self.app.ended(queued.location()).await
    }

    async fn refused(&self, sync: &str) -> String {
        let before = self.app.get(&self.connector).await.json();
        let refused = self.app.post(&format!("{sync}/revert"), json!({})).await;
        assert_eq!(self.app.get(&self.connector).await.json(), before, "the connector is as it was");
        refused.code()
    }

    async fn resume(&self) {
        let resumed = self.app.patch(&self.connector, json!({"status": "active"})).await;
        assert_eq!((resumed.status, &resumed.json()["notice"]), (StatusCode::OK, &Value::Null));
    }
}

#[tokio::test]
async fn a_bad_full_refresh_is_undone_and_the_connector_is_paused() {
    let (orders, bad, before) = Orders::spoilt().await;
    let app = &orders.app;
    let last = app.get(COLLECTION).await.json()["last_change"].as_u64().unwrap();
    let queued = app.post(&format!("{bad}/revert"), json!({})).await;
    assert_eq!((queued.status, &queued.json()["status"]), (StatusCode::ACCEPTED, &json!("queued")));
    assert_eq!(queued.json()["connector_status"], "paused");
    let reverted = app.ended(queued.location()).await;
    assert_eq!(reverted["status"], "succeeded", "{reverted}");
    assert!(bad.ends_with(reverted["reverts"].as_str().unwrap()));
    let counts = &reverted["counts"];
    assert_eq!(
        (&counts["created"], &counts["updated"], &counts["deleted"], &counts["unchanged"]),
        (&json!(300), &json!(300), &json!(0), &json!(0))
    );
    assert_eq!(content(&app.records().await), content(&before));
    let after = app.get(COLLECTION).await.json()["last_change"].as_u64().unwrap();
    assert_eq!(after, last + 600, "each is a change of the feed");

    let connector = app.get(&orders.connector).await.json();
    assert_eq!((&connector["status"], &connector["next_sync_at"]), (&json!("paused"), &Value::Null));
    assert_eq!(connector["notice"]["code"], "connector.paused_by_revert");
    assert_eq!(app.post(&format!("{}/sync", orders.connector), json!({})).await.code(), "connector.paused");

    // The source is as it was: what it says comes back in.
    orders.resume().await;
    let next = app.sync(&orders.connector).await;
    assert_eq!((&next["counts"]["updated"], &next["counts"]["deleted"]), (&json!(300), &json!(300)));
    let records = app.records().await;
    assert_eq!(records.len(), 300);
    assert!(records.iter().all(|record| record["data"]["value"] == "rubbish"));
}

#[tokio::test]
async fn what_has_changed_since_stays_and_is_counted() {
    let (orders, bad, before) = Orders::spoilt().await;
    orders.write(&format!("{}7,mended\n", csv((0..300).filter(|id| *id != 7), "rubbish")));
    orders.refreshed().await;
    let reverted = orders.reverted(&bad).await;
    assert_eq!(reverted["counts"]["unchanged"], 1, "{reverted}");
    let records = orders.app.records().await;
    let mended = records.iter().filter(|record| record["data"]["value"] == "mended").count();
    assert_eq!((mended, records.len()), (1, before.len()));
    let revert = format!("{}/sync/{}", orders.connector, reverted["id"].as_str().unwrap());
    let log = orders.app.get(&format!("{revert}/logs")).await.json();
    let told = log["data"].as_array().unwrap().iter().find(|line| line["code"] == "sync.reverted").unwrap();
    let message = told["message"].as_str().unwrap();
    assert!(message.starts_with("599 records are") && message.contains("1 stays as it is"), "{message}");
}

#[tokio::test]
async fn a_sync_is_undone_once_and_a_revert_can_be_undone() {
    let (orders, bad, before) = Orders::spoilt().await;
    let spoilt = orders.app.records().await;
    let reverted = orders.reverted(&bad).await;
    let again = orders.app.post(&format!("{bad}/revert"), json!({})).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "revert.already_reverted"));
    assert_eq!(
        (&again.json()["resource"]["id"], again.json()["resource"]["reverts"].is_string()),
        (&reverted["id"], true)
    );
    let revert = again.location().to_owned();
    assert!(revert.ends_with(reverted["id"].as_str().unwrap()));

    orders.reverted(&revert).await;
    assert_eq!(content(&orders.app.records().await), content(&spoilt));
    assert_eq!(orders.refused(&bad).await, "revert.already_reverted");
    assert_ne!(content(&before), content(&spoilt));
}

#[tokio::test]
async fn only_a_sync_that_has_ended_and_changed_something_can_be_undone() {
    let (orders, bad, _) = Orders::spoilt().await;
    let app = &orders.app;
    let unchanged = orders.refreshed().await;
    assert_eq!(orders.refused(&unchanged).await, "revert.nothing_to_undo");
    let dry = app
        .post(&format!("{}/sync", orders.connector), json!({"dry_run": true, "mode": "full_refresh"}))
        .await;
    app.ended(dry.location()).await;
    assert_eq!(orders.refused(dry.location()).await, "revert.nothing_to_undo");
    let unknown = format!("{}/sync/syn_01h455vb4pex5vsknk084sn02q", orders.connector);
    assert_eq!(orders.refused(&unknown).await, "sync.not_found");
    for body in [json!({"on_conflict": "queue"}), json!({"all": true})] {
        let refused = app.post(&format!("{bad}/revert"), body).await;
        assert_eq!(refused.code(), "request.invalid_fields");
    }
}

#[tokio::test]
async fn a_sync_cannot_be_undone_when_its_time_is_over() {
    let (orders, bad, before) = Orders::spoilt().await;
    orders.app.clock.advance((UNDO_SECONDS + 1) * 1_000_000);
    assert_eq!(orders.refused(&bad).await, "revert.expired");
    // Just before, the other one can.
    orders.write(&csv(0..600, "good"));
    let later = orders.refreshed().await;
    orders.app.clock.advance((UNDO_SECONDS - 60) * 1_000_000);
    assert_eq!(orders.reverted(&later).await["status"], "succeeded");
    assert_eq!(before.len(), 600);
    assert_eq!(orders.app.records().await.len(), 300);
}

#[tokio::test]
async fn another_sync_is_in_the_way_unless_it_is_to_be_replaced() {
    let setup = Setup { running_syncs: 0, ..Setup::default() };
    let (orders, bad, before) = Orders::spoilt().await;
    // A server whose syncs stay queued, over the same data.
    let app = TestApp::over(orders.app.closed().await, setup).await;
    let queued = app.post(&format!("{}/sync", orders.connector), json!({})).await;
    let refused = app.post(&format!("{bad}/revert"), json!({})).await;
    assert_eq!((refused.code().as_str(), refused.location()), ("sync.already_running", queued.location()));
    let unfinished = app.post(&format!("{}/revert", queued.location()), json!({})).await;
    assert_eq!(unfinished.code(), "sync.already_running");
    let revert = app.post(&format!("{bad}/revert"), json!({"on_conflict": "replace"})).await;
    assert_eq!(revert.status, StatusCode::ACCEPTED, "{}", revert.text());
    assert_eq!(app.get(queued.location()).await.json()["status"], "cancelled");

    // A revert that was cancelled may be asked for again.
    app.post(&format!("{}/cancel", revert.location()), json!({})).await;
    let again = app.post(&format!("{bad}/revert"), json!({})).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{}", again.text());
    let app = TestApp::over(app.closed().await, Setup::default()).await;
    assert_eq!(app.ended(again.location()).await["status"], "succeeded");
    assert_eq!(content(&app.records().await), content(&before));
}

#[tokio::test]
async fn a_revert_that_is_asked_for_twice_under_one_key_is_made_once() {
    let (orders, bad, _) = Orders::spoilt().await;
    let ask =
        || with(json_request(Method::POST, &format!("{bad}/revert"), json!({})), "idempotency-key", "k");
    let first = orders.app.send(ask()).await;
    orders.app.ended(first.location()).await;
    let again = orders.app.send(ask()).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}
