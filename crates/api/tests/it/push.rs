//! Pushing records.

use axum::http::{Method, StatusCode};
use inlet_api::Limits;
use serde_json::json;

use crate::app::{Answer, COLLECTION, Setup, TestApp, request, with};

async fn external(app: &TestApp) -> String {
    app.connector(json!({"name": "c", "type": "external_source"})).await
}

async fn push(app: &TestApp, path: &str, content_type: &str, body: &str) -> Answer {
    app.send(with(request(Method::POST, path, body.to_owned()), "content-type", content_type)).await
}

async fn keys(app: &TestApp) -> Vec<serde_json::Value> {
    let page = app.get(&format!("{COLLECTION}/records")).await.json();
    page["data"].as_array().unwrap().iter().map(|record| record["key"].clone()).collect()
}

#[tokio::test]
async fn each_form_of_a_push_lands_after_the_next_sync() {
    let app = TestApp::new().await;
    let connector = external(&app).await;
    let path = format!("{connector}/records?key_field=id");
    for (content_type, body, accepted) in [
        ("application/json", r#"{"id": 1}"#, 1),
        ("application/json; charset=utf-8", r#"[{"id": 2}, {"id": 3}]"#, 2),
        ("application/x-ndjson", "{\"id\": 4}\n{\"id\": 5}\n", 2),
        ("application/vnd.inlet.envelope+json", r#"[{"op": "upsert", "data": {"id": 6}}]"#, 1),
        (
            "application/vnd.inlet.envelope+x-ndjson",
            "{\"op\": \"upsert\", \"data\": {\"id\": 7}}\n{\"op\": \"delete\", \"key\": 1}",
            2,
        ),
        ("application/json", "[]", 0),
    ] {
        let pushed = push(&app, &path, content_type, body).await;
        assert_eq!(pushed.status, StatusCode::ACCEPTED, "{}", pushed.text());
        assert_eq!(pushed.json(), json!({"accepted": accepted, "stream": "records"}));
    }
    assert_eq!(keys(&app).await, [json!(null); 0], "pushed records wait for a sync");
    assert_eq!(app.sync(&connector).await["status"], "succeeded");
    assert_eq!(keys(&app).await, [2, 3, 4, 5, 6, 7].map(|key| json!(key)));
}

#[tokio::test]
async fn of_two_pushes_of_a_key_the_later_wins() {
    let app = TestApp::new().await;
    let connector = external(&app).await;
    let path = format!("{connector}/records?stream=s&key_field=id");
    for value in ["first", "second"] {
        app.post(&path, json!({"id": 1, "value": value})).await;
    }
    app.sync(&connector).await;
    assert_eq!(app.get(&format!("{COLLECTION}/records/s/1")).await.json()["data"]["value"], "second");
}

#[tokio::test]
async fn every_bad_record_is_named_and_then_none_is_taken() {
    let app = TestApp::new().await;
    let connector = external(&app).await;
    let path = format!("{connector}/records?key_field=id");
    let refused = push(&app, &path, "application/x-ndjson", "{\"id\":1}\n{\"id\":null}\nnonsense\n{}").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "request.invalid_fields")
    );
    let errors = refused.json()["errors"].clone();
    let named: Vec<_> =
        errors.as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(named, ["/1/id", "/2", "/3/id"]);
    app.sync(&connector).await;
    assert_eq!(keys(&app).await, [json!(null); 0]);
}

#[tokio::test]
async fn the_key_that_the_connector_states_is_asked_of_every_record() {
    let app = TestApp::without_workers().await;
    let streams = json!([{"name": "orders", "primary_key": ["no"]}]);
    let connector = app.connector(json!({"name": "c", "type": "external_source", "streams": streams})).await;
    let orders = format!("{connector}/records?stream=orders");
    assert_eq!(app.post(&orders, json!({"no": 1})).await.status, StatusCode::ACCEPTED);
    let refused = app.post(&orders, json!([{"no": 1}, {"number": 2}])).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/1/no");
    let unread = app.post(&format!("{connector}/records?stream=other"), json!({"no": 1})).await;
    assert_eq!(unread.code(), "request.invalid_parameter", "no sync would ever read it");
}

#[tokio::test]
async fn only_connectors_that_take_pushes_get_them() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "h", "type": "held"})).await;
    let refused = app.post(&format!("{connector}/records"), json!([])).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::CONFLICT, "connector.push_not_accepted")
    );
    assert!(refused.text().contains("`external_source`"));
}

#[tokio::test]
async fn when_too_much_waits_no_more_is_taken_until_a_sync() {
    let limits = Limits { inbox_bytes: 200, ..Limits::default() };
    let app = TestApp::with(Setup { limits, ..Setup::default() }).await;
    let connector = external(&app).await;
    let path = format!("{connector}/records?key_field=id");
    let body = json!({"id": 1, "text": "x".repeat(100)});
    assert_eq!(app.post(&path, body.clone()).await.status, StatusCode::ACCEPTED);
    let full = app.post(&path, body.clone()).await;
    assert_eq!((full.status, full.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "inbox.full"));
    assert_eq!((full.header("retry-after"), &full.json()["retryable"]), (Some("10"), &json!(true)));
    app.sync(&connector).await;
    assert_eq!(app.post(&path, body).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_push_may_be_larger_than_other_bodies_but_not_without_bound() {
    let app = TestApp::without_workers().await;
    let connector = external(&app).await;
    let path = format!("{connector}/records?key_field=id");
    let large = json!({"id": 1, "text": "x".repeat(2 << 20)});
    assert_eq!(app.post(&path, large).await.status, StatusCode::ACCEPTED);
    let too_large = push(&app, &path, "application/x-ndjson", &" ".repeat((16 << 20) + 1)).await;
    assert_eq!(too_large.code(), "request.too_large");
}

#[tokio::test]
async fn a_push_in_another_form_is_refused() {
    let app = TestApp::without_workers().await;
    let connector = external(&app).await;
    let path = format!("{connector}/records");
    for content_type in ["text/csv", "application/x-www-form-urlencoded", "application/vnd.inlet.envelope"] {
        let refused = push(&app, &path, content_type, "id\n1").await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.media_type")
        );
    }
    for query in ["key_field=", "key_field=a,,b", "stream=", "colour=red"] {
        assert_eq!(
            push(&app, &format!("{path}?{query}"), "application/json", "[]").await.status,
            StatusCode::BAD_REQUEST
        );
    }
}
