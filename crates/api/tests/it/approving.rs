//! Deletes that a person is asked about.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{COLLECTION, Setup, TestApp, json as json_request, request, with};

/// Four files of 60 records each, of which two are gone since the first sync.
async fn half_is_gone() -> (TestApp, String) {
    let text = |file: usize| {
        let rows = (0..60).map(|row| format!("{},{file}\n", file * 1_000 + row));
        format!("id,file\n{}", rows.collect::<String>())
    };
    let names = ["part-0.csv", "part-1.csv", "part-2.csv", "part-3.csv"];
    let texts: Vec<String> = (0..4).map(text).collect();
    let app = TestApp::new().await;
    let root = app.folder.path().join("files");
    for (name, text) in names.iter().zip(&texts) {
        std::fs::write(root.join(name), text).unwrap();
    }
    let config = json!({"path": root.join("part-*.csv")});
    let connector = app.connector(json!({"name": "parts", "type": "files", "config": config})).await;
    assert_eq!(app.sync(&connector).await["counts"]["created"], 240);
    for name in &names[2..] {
        std::fs::remove_file(root.join(name)).unwrap();
    }
    (app, connector)
}

async fn asking(app: &TestApp, connector: &str) -> String {
    let triggered = app.post(&format!("{connector}/sync"), json!({})).await;
    let sync = triggered.location().to_owned();
    app.until(&sync, |sync| sync["status"] == "needs_approval").await;
    sync
}

async fn records(app: &TestApp) -> Vec<Value> {
    app.records().await
}

#[tokio::test]
async fn a_real_delete_of_half_the_source_is_shown_in_full_and_approved() {
    let (app, connector) = half_is_gone().await;
    let sync = asking(&app, &connector).await;
    let shown = app.get(&sync).await.json();
    let name = &shown["pending_deletes"]["streams"][0]["name"];
    let stream = json!({"name": name, "records": 120, "of": 240, "if_absent": 0, "in_doubt": 0});
    let expected = json!({"records": 120, "of": 240, "streams": [stream]});
    assert_eq!(shown["pending_deletes"], expected);
    assert_eq!((&shown["finished_at"], records(&app).await.len()), (&Value::Null, 240));

    let mut listed = Vec::new();
    let mut page = format!("{sync}/deletes?limit=50");
    loop {
        let answer = app.get(&page).await.json();
        listed.extend(answer["data"].as_array().unwrap().clone());
        match answer["next_cursor"].as_str() {
            Some(cursor) => page = format!("{sync}/deletes?limit=50&cursor={cursor}"),
            None => break,
        }
    }
    let foreign = app.get(&format!("{COLLECTION}/records?limit=1")).await.json()["next_cursor"].clone();
    let foreign = format!("{sync}/deletes?cursor={}", foreign.as_str().unwrap());
    assert_eq!(app.get(&foreign).await.code(), "pagination.cursor_invalid");
    let gone: Vec<Value> =
        records(&app).await.into_iter().filter(|record| record["data"]["file"].as_i64() >= Some(2)).collect();
    assert_eq!(listed, gone, "the records as they are");

    let approved = app.post(&format!("{sync}/approve"), json!({})).await;
    assert_eq!((approved.status, &approved.json()["status"]), (StatusCode::ACCEPTED, &json!("running")));
    let ended = app.ended(&sync).await;
    assert_eq!((&ended["status"], &ended["counts"]["deleted"]), (&json!("succeeded"), &json!(120)));
    assert_eq!((&ended["attempt"], &ended["pending_deletes"]), (&json!(2), &Value::Null));
    let causes: Vec<&str> =
        ended["moves"].as_array().unwrap().iter().map(|step| step["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["triggered", "claimed", "large_delete", "approved", "ended"]);
    assert_eq!(records(&app).await.len(), 120);
}

#[tokio::test]
async fn what_is_discarded_stays_and_the_next_sync_asks_again() {
    let (app, connector) = half_is_gone().await;
    let sync = asking(&app, &connector).await;
    let discarded = app.post(&format!("{sync}/discard"), json!({})).await;
    assert_eq!((discarded.status, &discarded.json()["status"]), (StatusCode::OK, &json!("cancelled")));
    let ended = app.get(&sync).await.json();
    assert_eq!((&ended["status"], &ended["counts"]["deleted"]), (&json!("cancelled"), &json!(0)));
    let next = asking(&app, &connector).await;
    assert_eq!(app.get(&next).await.json()["pending_deletes"]["records"], 120);
    assert_eq!(records(&app).await.len(), 240);
}

#[tokio::test]
async fn only_a_sync_that_asks_can_be_decided_on_and_only_once() {
    let (app, connector) = half_is_gone().await;
    let sync = asking(&app, &connector).await;
    app.post(&format!("{sync}/approve"), json!({})).await;
    app.ended(&sync).await;
    assert_eq!(app.get(&format!("{sync}/deletes")).await.json()["data"], json!([]));
    for call in ["approve", "discard"] {
        let refused = app.send(request(Method::POST, &format!("{sync}/{call}"), "")).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::CONFLICT, "sync.not_waiting_for_approval")
        );
        let problem = refused.json();
        assert!(problem["detail"].as_str().unwrap().contains("is succeeded"), "{problem}");
        assert_eq!(problem["resource"]["status"], "succeeded");
    }
    let unknown = format!("{connector}/sync/syn_01h455vb4pex5vsknk084sn02q/approve");
    assert_eq!(app.post(&unknown, json!({})).await.code(), "sync.not_found");
    let bad = app.post(&format!("{sync}/approve"), json!({"all": true})).await;
    assert_eq!(bad.code(), "request.invalid_fields");
}

#[tokio::test]
async fn a_decision_that_is_repeated_is_answered_alike() {
    let (app, connector) = half_is_gone().await;
    let sync = asking(&app, &connector).await;
    let approve =
        || with(json_request(Method::POST, &format!("{sync}/approve"), json!({})), "idempotency-key", "k");
    let first = app.send(approve()).await;
    app.ended(&sync).await;
    let again = app.send(approve()).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn a_cancel_of_a_sync_that_asks_discards() {
    let (app, connector) = half_is_gone().await;
    let sync = asking(&app, &connector).await;
    let cancelled = app.post(&format!("{sync}/cancel"), json!({})).await;
    assert_eq!((cancelled.status, &cancelled.json()["status"]), (StatusCode::OK, &json!("cancelled")));
    asking(&app, &connector).await;
    assert_eq!(records(&app).await.len(), 240);
}

#[tokio::test]
async fn the_connector_of_a_sync_that_asks_can_be_deleted() {
    let (app, connector) = half_is_gone().await;
    asking(&app, &connector).await;
    assert_eq!(app.delete(&format!("{connector}?records=delete")).await.status, StatusCode::NO_CONTENT);
    app.until(COLLECTION, |collection| collection["removing"] == false).await;
    assert_eq!(records(&app).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_sync_asks_across_a_restart() {
    let (app, connector) = half_is_gone().await;
    let sync = asking(&app, &connector).await;
    let before = app.get(&sync).await.json();
    let app = TestApp::over(app.closed().await, Setup::default()).await;
    assert_eq!(app.get(&sync).await.json(), before);
    app.post(&format!("{sync}/approve"), json!({})).await;
    assert_eq!(app.ended(&sync).await["counts"]["deleted"], 120);
}

#[tokio::test]
async fn a_connector_says_what_is_asked_about() {
    let (app, connector) = half_is_gone().await;
    let policy = json!({"policy": {"approve_deletes_over": {"percent": 100, "records": 0}}});
    assert_eq!(app.patch(&connector, policy).await.status, StatusCode::OK);
    let ended = app.sync(&connector).await;
    assert_eq!((&ended["status"], &ended["counts"]["deleted"]), (&json!("succeeded"), &json!(120)));
}

#[tokio::test]
async fn a_dry_run_shows_what_a_sync_would_do_and_would_ask() {
    let (app, connector) = half_is_gone().await;
    let before = app.get(COLLECTION).await.json();
    let triggered = app.post(&format!("{connector}/sync"), json!({"dry_run": true})).await;
    assert_eq!((triggered.status, &triggered.json()["dry_run"]), (StatusCode::ACCEPTED, &json!(true)));
    let ended = app.ended(triggered.location()).await;
    assert_eq!((&ended["status"], &ended["counts"]["deleted"]), (&json!("succeeded"), &json!(120)));
    let preview = &ended["preview"];
    assert_eq!(preview["asks_about"]["records"], 120);
    let stream = &preview["streams"][0];
    assert_eq!((&stream["counts"]["deleted"], &stream["exact"]), (&json!(120), &json!(true)));
    assert_eq!(stream["samples"].as_array().unwrap().len(), 10);
    assert_eq!(stream["samples"][0]["after"], Value::Null);
    assert_eq!(app.get(COLLECTION).await.json(), before);
    let listed = app.get(&format!("{connector}/sync")).await.json();
    assert_eq!((&listed["data"][0]["dry_run"], &listed["data"][1]["dry_run"]), (&json!(true), &json!(false)));
    let refused = app.post(&format!("{connector}/sync"), json!({"dry_run": "yes"})).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/dry_run");
}
