//! How far a connector has been read: shown, set and reset.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, Setup, TestApp, json as json_request};

async fn put(app: &TestApp, path: &str, body: Value) -> Answer {
    app.send(json_request(Method::PUT, path, body)).await
}

/// A connector that has read two files, and where its state is.
async fn of_files() -> (TestApp, String, String) {
    let files = vec![("a.csv", "id\n1\n2\n"), ("b.csv", "id\n3\n")];
    let app = TestApp::with(Setup { files, ..Setup::default() }).await;
    let path = app.folder.path().join("files").join("*.csv");
    let connector = app.connector(json!({"name": "files", "type": "files", "config": {"path": path}})).await;
    assert_eq!(app.sync(&connector).await["status"], "succeeded");
    let state = format!("{connector}/state");
    (app, connector, state)
}

#[tokio::test]
async fn what_was_read_is_shown_and_read_again_once_it_is_reset() {
    let (app, connector, state) = of_files().await;
    let shown = app.get(&state).await.json();
    assert_eq!(shown["next_cursor"], Value::Null);
    let scopes = shown["streams"][0]["scopes"].as_array().unwrap();
    let records: Vec<_> = scopes.iter().map(|scope| scope["records"].as_u64().unwrap()).collect();
    assert_eq!(records, [2, 1]);
    assert!(scopes.iter().all(|scope| !scope["cursor"].is_null() && scope["listing"].is_null()), "{shown}");

    assert_eq!(app.delete(&state).await.status, StatusCode::NO_CONTENT);
    let reset = app.get(&state).await.json();
    assert!(reset["streams"][0]["scopes"].as_array().unwrap().iter().all(|scope| scope["cursor"].is_null()));
    assert_eq!(app.records().await.len(), 3, "nothing is deleted");
    let again = app.sync(&connector).await;
    assert_eq!((&again["counts"]["unchanged"], &again["counts"]["deleted"]), (&json!(3), &json!(0)));
    let scopes = app.get(&state).await.json()["streams"][0]["scopes"].as_array().unwrap().clone();
    assert!(scopes.iter().all(|scope| !scope["cursor"].is_null()));
}

#[tokio::test]
async fn a_state_that_was_kept_can_be_sent_back() {
    let (app, _, state) = of_files().await;
    let kept = app.get(&state).await.json();
    app.delete(&state).await;
    assert_eq!(put(&app, &state, kept.clone()).await.status, StatusCode::NO_CONTENT);
    let back = app.get(&state).await.json();
    for (one, other) in [(0, 0), (0, 1)] {
        let cursor = |state: &Value| state["streams"][one]["scopes"][other]["cursor"].clone();
        assert_eq!(cursor(&back), cursor(&kept));
    }
}

#[tokio::test]
async fn a_stream_gets_exactly_the_cursors_that_are_given() {
    let (app, _, state) = of_files().await;
    let kept = app.get(&state).await.json();
    let (stream, first) = (&kept["streams"][0]["name"], &kept["streams"][0]["scopes"][0]);
    let only_first = json!({"streams": [{"name": stream, "scopes": [
        {"scope": first["scope"], "cursor": first["cursor"]}]}]});
    assert_eq!(put(&app, &state, only_first).await.status, StatusCode::NO_CONTENT);
    let left = app.get(&state).await.json();
    let scopes = left["streams"][0]["scopes"].as_array().unwrap();
    assert_eq!((&scopes[0]["cursor"], &scopes[1]["cursor"]), (&first["cursor"], &Value::Null));
    assert_eq!(app.records().await.len(), 3, "records stay");
}

#[tokio::test]
async fn the_state_comes_in_pages_of_scopes() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    let state = format!("{connector}/state");
    let scopes: Vec<Value> = (0..5).map(|n| json!({"scope": format!("part {n}"), "cursor": n})).collect();
    let body =
        json!({"streams": [{"name": "b", "scopes": scopes}, {"name": "a", "scopes": [{"cursor": [1]}]}]});
    assert_eq!(put(&app, &state, body).await.status, StatusCode::NO_CONTENT);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{state}?limit=2{cursor}")).await.json();
        for stream in page["streams"].as_array().unwrap() {
            for scope in stream["scopes"].as_array().unwrap() {
                seen.push(json!([stream["name"], scope["scope"], scope["cursor"]]));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<Value> = std::iter::once(json!(["a", "", [1]]))
        .chain((0..5).map(|n| json!(["b", format!("part {n}"), n])))
        .collect();
    assert_eq!(seen, expected);
    let of_a = app.get(&format!("{state}?stream=a")).await.json();
    assert_eq!(of_a["streams"].as_array().unwrap().len(), 1);
    let page = app.get(&format!("{state}?limit=1")).await.json();
    let next = page["next_cursor"].as_str().unwrap();
    let refused = put(&app, &state, page.clone()).await;
    assert_eq!(
        refused.json()["errors"][0]["pointer"],
        "/next_cursor",
        "half a state would lose the other half"
    );
    assert_eq!(app.get(&format!("{state}?stream=b&cursor={next}")).await.code(), "pagination.cursor_invalid");
    app.delete(&format!("{state}?stream=b")).await;
    let left = app.get(&state).await.json();
    assert_eq!(left["streams"][0]["scopes"][0]["cursor"], json!([1]));
    assert!(left["streams"][1]["scopes"].as_array().unwrap().iter().all(|scope| scope["cursor"].is_null()));
}

#[tokio::test]
async fn while_a_sync_runs_the_state_is_shown_and_not_changed() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "held", "type": "held"})).await;
    let state = format!("{connector}/state");
    let body = json!({"streams": [{"name": "rows", "scopes": [{"cursor": 1}]}]});
    let sync = app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned();
    app.until(&sync, |sync| !sync["streams"].as_array().unwrap().is_empty()).await;
    assert_eq!(app.get(&state).await.status, StatusCode::OK);
    for refused in [put(&app, &state, body.clone()).await, app.delete(&state).await] {
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "sync.already_running"));
        assert_eq!(refused.location(), sync);
    }
    app.post(&format!("{connector}/sync/cancel"), json!({})).await;
    app.ended(&sync).await;
    assert_eq!(put(&app, &state, body).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_stream_that_the_connector_does_not_select_is_refused() {
    let app = TestApp::without_workers().await;
    let streams = json!([{"name": "orders"}]);
    let body = json!({"name": "c", "type": "external_source", "streams": streams});
    let state = format!("{}/state", app.connector(body).await);
    let of = |name: &str| json!({"streams": [{"name": name, "scopes": [{"cursor": 1}]}]});
    let refused = put(&app, &state, of("ordres")).await;
    assert_eq!(refused.code(), "request.invalid_fields");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/streams/0/name");
    assert_eq!(put(&app, &state, of("orders")).await.status, StatusCode::NO_CONTENT);
    let long = json!({"streams": [{"name": "orders", "scopes": [{"cursor": "x".repeat(65 << 10)}]}]});
    assert_eq!(put(&app, &state, long).await.json()["errors"][0]["code"], "field.length");
    let unknown = state.replace("con_", "con_0");
    assert_eq!(app.get(&unknown).await.code(), "connector.not_found");
}
