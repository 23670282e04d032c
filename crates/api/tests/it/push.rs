//! Pushing records.

use axum::http::{Method, StatusCode};
use inlet_api::Limits;
use inlet_model::StreamName;
use serde_json::{Value, json};

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

/// What was pushed to the stream `records` and waits for a sync, as it is kept.
async fn waiting(app: &TestApp, connector: &str) -> String {
    let (space, collection) = ("default".parse().unwrap(), "default".parse().unwrap());
    let collection = app.catalog.collection_get(&space, &collection).await.unwrap().unwrap();
    let store = app.stores.open(collection.store_id).await.unwrap();
    let id = connector.rsplit('/').next().unwrap().parse().unwrap();
    let items = store.inbox_after(id, &StreamName::new("records").unwrap(), 0, 1 << 20).await.unwrap();
    items.into_iter().map(|item| String::from_utf8(item.lines).unwrap()).collect()
}

#[tokio::test]
async fn what_is_masked_is_masked_before_it_waits() {
    let app = TestApp::new().await;
    let masking = json!({"email": "hash", "ssn": "drop", "/address/street": "redact"});
    let streams = json!([{"name": "records", "primary_key": ["email"], "masking": masking}]);
    let connector = app.connector(json!({"name": "c", "type": "external_source", "streams": streams})).await;
    let path = format!("{connector}/records");
    let record =
        json!({"email": "ada@example.com", "ssn": "078-05-1120", "address": {"street": "Baker Street"}});
    assert_eq!(app.post(&path, record.clone()).await.status, StatusCode::ACCEPTED);
    let envelope = r#"{"op":"upsert","key":"eve@example.com","data":{"email":"eve@example.com","ssn":"1"}}"#;
    let media_type = "application/vnd.inlet.envelope+x-ndjson";
    assert_eq!(push(&app, &path, media_type, envelope).await.status, StatusCode::ACCEPTED);
    let lines = waiting(&app, &connector).await;
    assert!(!lines.contains("example.com") && !lines.contains("078") && !lines.contains("Baker"), "{lines}");
    app.sync(&connector).await;
    let records = app.get("/v1/spaces/default/collections/default/records").await.json();
    let records = records["data"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record["key"], record["data"]["email"], "the key is that of the masked value");
    }
    assert!(records.iter().any(|record| record["data"]["address"]["street"] == "[redacted]"));
    push(&app, &path, media_type, r#"{"op":"delete","key":"ada@example.com"}"#).await;
    app.sync(&connector).await;
    assert_eq!(keys(&app).await.len(), 1, "a delete by the clear key finds its record");
}

#[tokio::test]
async fn what_waits_is_masked_by_the_settings_of_its_sync() {
    let app = TestApp::new().await;
    let stream = |masking: Value| json!([{"name": "records", "primary_key": ["id"], "masking": masking}]);
    let connector = app
        .connector(json!({"name": "c", "type": "external_source", "streams": stream(json!({"a": "hash"}))}))
        .await;
    let record = |id: u64| json!({"id": id, "a": "same", "b": "clear"});
    app.post(&format!("{connector}/records"), record(1)).await;
    let masking = json!({"a": "hash", "b": "redact"});
    assert_eq!(app.patch(&connector, json!({"streams": stream(masking)})).await.status, StatusCode::OK);
    app.post(&format!("{connector}/records"), record(2)).await;
    app.sync(&connector).await;
    let records = app.get("/v1/spaces/default/collections/default/records").await.json();
    let data: Vec<&Value> =
        records["data"].as_array().unwrap().iter().map(|record| &record["data"]).collect();
    assert_eq!((&data[0]["b"], &data[1]["b"]), (&json!("[redacted]"), &json!("[redacted]")));
    assert_eq!(data[0]["a"], data[1]["a"], "what was hashed already is not hashed again");
}

#[tokio::test]
async fn a_key_that_masking_leaves_nothing_of_is_refused() {
    let app = TestApp::without_workers().await;
    let streams = json!([{"name": "records", "masking": {"ssn": "drop", "/a/b": "hash"}}]);
    let connector = app.connector(json!({"name": "c", "type": "external_source", "streams": streams})).await;
    for field in ["ssn", "id,a"] {
        let refused = app.post(&format!("{connector}/records?key_field={field}"), json!([])).await;
        assert_eq!(refused.code(), "request.invalid_parameter", "{field}");
    }
}

#[tokio::test]
async fn pushes_can_be_appended_but_replace_nothing() {
    let app = TestApp::new().await;
    let streams = |mode: &str| json!([{"name": "records", "primary_key": ["id"], "write_mode": mode}]);
    let body = json!({"name": "c", "type": "external_source", "streams": streams("replace")});
    let refused = app.post("/v1/spaces/default/collections/default/connectors", body).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/streams/0/write_mode");
    let connector =
        app.connector(json!({"name": "c", "type": "external_source", "streams": streams("append")})).await;
    let refused = app.patch(&connector, json!({"streams": streams("replace")})).await;
    assert_eq!(refused.json()["errors"][0]["code"], "field.value");
    for _ in 0..2 {
        app.post(&format!("{connector}/records"), json!([{"id": 1}, {"id": 1}])).await;
        app.sync(&connector).await;
    }
    assert_eq!(keys(&app).await.len(), 4, "each was pushed, and each is kept");
}

#[tokio::test]
async fn without_the_masking_key_no_push_is_taken() {
    let app = TestApp::without_workers().await;
    let streams = json!([{"name": "records", "masking": {"ssn": "redact"}}]);
    let connector = app.connector(json!({"name": "c", "type": "external_source", "streams": streams})).await;
    let foreign = format!("x1.0a0b0c0d.{}", "00".repeat(60)).parse().unwrap();
    app.catalog.masking_key_keep(foreign).await.unwrap();
    let refused = app.post(&format!("{connector}/records"), json!({"ssn": 1})).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "masking.key_unreadable")
    );
    assert_eq!(waiting(&app, &connector).await, "");
}
