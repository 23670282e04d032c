//! The log of a sync.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{Setup, TestApp};

async fn a_log(app: &TestApp) -> String {
    let connector =
        app.connector(json!({"name": "c", "type": "files", "config": {"path": "people.jsonl"}})).await;
    let sync = app.sync(&connector).await;
    format!("{connector}/sync/{}/logs", sync["id"].as_str().unwrap())
}

async fn with_people() -> TestApp {
    TestApp::with(Setup { files: vec![("people.jsonl", "{\"id\":1}\n")], ..Setup::default() }).await
}

fn codes(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|line| line["code"].as_str().unwrap()).collect()
}

const ALL: [&str; 6] = [
    "sync.begun",
    "stream.begun",
    "stream.listing_begun",
    "schema.learned",
    "stream.complete",
    "sync.succeeded",
];

#[tokio::test]
async fn a_log_is_read_oldest_first_or_newest_first_page_by_page() {
    let app = with_people().await;
    let logs = a_log(&app).await;
    let whole = app.get(&logs).await.json();
    assert_eq!((codes(&whole), &whole["next_cursor"]), (ALL.to_vec(), &Value::Null));
    let (first, line) = (&whole["data"][0], &whole["data"][1]);
    assert_eq!((&first["seq"], &first["stream"], &first["level"]), (&json!(1), &Value::Null, &json!("info")));
    assert_eq!((&line["seq"], &line["stream"]), (&json!(2), &json!("people")));
    assert!(line["message"].as_str().unwrap().contains("from its beginning"));
    for (order, mut expected) in [("asc", ALL.to_vec()), ("desc", ALL.to_vec())] {
        if order == "desc" {
            expected.reverse();
        }
        let (mut read, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("{logs}?order={order}&limit=2{cursor}")).await.json();
            read.extend(codes(&page).into_iter().map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn a_log_is_narrowed_to_what_is_grave_and_its_cursors_are_its_own() {
    let app = with_people().await;
    let logs = a_log(&app).await;
    assert_eq!(codes(&app.get(&format!("{logs}?level=info")).await.json()), ALL);
    assert_eq!(codes(&app.get(&format!("{logs}?level=warning")).await.json()), [""; 0]);
    let cursor = app.get(&format!("{logs}?limit=1")).await.json()["next_cursor"].as_str().unwrap().to_owned();
    for other in ["level=info&", "order=desc&"] {
        let refused = app.get(&format!("{logs}?{other}cursor={cursor}")).await;
        assert_eq!(refused.code(), "pagination.cursor_invalid");
    }
    for bad in ["level=grave", "order=up", "level=info&level=info"] {
        assert_eq!(app.get(&format!("{logs}?{bad}")).await.code(), "request.invalid_parameter", "{bad}");
    }
}

#[tokio::test]
async fn a_failed_sync_says_why_and_one_that_has_not_begun_nothing() {
    let app = with_people().await;
    let gone = json!({"path": "gone.jsonl", "stream": "gone"});
    let streams = json!([{"name": "gone"}]);
    let connector = json!({"name": "c", "type": "files", "config": gone, "streams": streams});
    let connector = app.connector(connector).await;
    let sync = app.sync(&connector).await;
    let path = format!("{connector}/sync/{}/logs?level=error", sync["id"].as_str().unwrap());
    let grave = app.get(&path).await.json();
    assert_eq!(sync["status"], "failed");
    assert_eq!(codes(&grave).last(), sync["error"]["code"].as_str().as_ref());

    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "held", "type": "held"})).await;
    let sync = app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned();
    let answer = app.get(&format!("{sync}/logs")).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"data": [], "next_cursor": null})));
}
