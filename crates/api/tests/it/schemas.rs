//! Schemas of streams: shown in all their versions, and what a connector's policy makes of records that do not fit.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::TestApp;

/// A connector to a file that has been read.
async fn of_a_file(policy: &str) -> (TestApp, String) {
    let app = TestApp::new().await;
    write(&app, "{\"id\":1,\"size\":1}\n{\"id\":2,\"size\":2}\n");
    let stream = json!({"name": "people", "primary_key": ["id"]});
    let config = json!({"path": "people.jsonl", "stream": "people"});
    let connector = json!({"name": "c", "type": "files", "config": config, "streams": [stream], "policy": {"schema": policy}});
    let connector = app.connector(connector).await;
    assert_eq!(app.sync(&connector).await["status"], "succeeded");
    (app, connector)
}

fn write(app: &TestApp, lines: &str) {
    std::fs::write(app.folder.path().join("files/people.jsonl"), lines).unwrap();
}

fn fields(page: &Value) -> Vec<&Value> {
    page["data"].as_array().unwrap().iter().map(|version| &version["fields"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_shown_with_the_sync_that_made_it() {
    let (app, connector) = of_a_file("evolve").await;
    write(&app, "{\"id\":1,\"size\":\"big\"}\n{\"id\":2,\"size\":2,\"name\":\"Ada\"}\n");
    let sync = app.sync(&connector).await;
    let schemas = format!("{connector}/schemas");
    let newest = app.get(&schemas).await.json();
    let first = json!({"id": ["integer"], "size": ["integer"]});
    let second = json!({"id": ["integer"], "name": ["string"], "size": ["integer", "string"]});
    assert_eq!(fields(&newest), [&second]);
    let version = &newest["data"][0];
    assert_eq!(
        (&version["stream"], &version["version"], &version["sync_id"]),
        (&json!("people"), &json!(2), &sync["id"])
    );
    assert_eq!(fields(&app.get(&format!("{schemas}?stream=people")).await.json()), [&second, &first]);
    let page = app.get(&format!("{schemas}?stream=people&limit=1")).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = app.get(&format!("{schemas}?stream=people&limit=1&cursor={cursor}")).await.json();
    assert_eq!((fields(&next), &next["next_cursor"]), (vec![&first], &Value::Null));
    assert_eq!(app.get(&format!("{schemas}?stream=other")).await.json()["data"], json!([]));
    let moved = app.get(&format!("{schemas}?limit=1&cursor={cursor}")).await;
    assert_eq!(moved.status, StatusCode::BAD_REQUEST, "a cursor of another list");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_schema_fails_the_sync_until_the_change_is_taken() {
    let (app, connector) = of_a_file("freeze").await;
    write(&app, "{\"id\":1,\"size\":\"big\"}\n");
    let failed = app.sync(&connector).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("schema.changed")));
    assert_eq!(app.records().await.len(), 2, "nothing is deleted, and nothing changed");
    assert_eq!(app.patch(&connector, json!({"policy": {"schema": "evolve"}})).await.status, StatusCode::OK);
    assert_eq!(app.sync(&connector).await["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_learned_anew_once_the_state_is_reset() {
    let (app, connector) = of_a_file("freeze").await;
    write(&app, "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
    app.delete(&format!("{connector}/state")).await;
    assert_eq!(app.sync(&connector).await["status"], "succeeded");
    assert_eq!(fields(&app.get(&format!("{connector}/schemas")).await.json()), [&json!({"id": ["string"]})]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_push_that_does_not_fit_is_not_masked_twice_when_it_is_read_again() {
    let app = TestApp::new().await;
    let stream = json!({"name": "records", "primary_key": ["email"], "masking": {"email": "hash"}});
    let connector = json!({"name": "c", "type": "external_source", "streams": [stream], "policy": {"schema": "reject_record"}});
    let connector = app.connector(connector).await;
    let push = async |record: Value| app.post(&format!("{connector}/records"), record).await;
    push(json!({"email": "ada@example.com", "size": 1})).await;
    app.sync(&connector).await;
    push(json!([{"email": "ada@example.com", "size": "big"}, {"email": "bob@example.com", "size": 2}])).await;
    let sync = app.sync(&connector).await;
    assert_eq!((&sync["counts"]["rejected"], &sync["counts"]["created"]), (&json!(1), &json!(1)), "{sync}");
    let rejected = format!("{connector}/sync/{}/rejected", sync["id"].as_str().unwrap());
    let listed = app.get(&rejected).await.text().to_owned();
    assert!(listed.contains("schema.not_fitting") && !listed.contains("ada@"), "{listed}");
    app.patch(&connector, json!({"policy": {"schema": "evolve"}})).await;
    let replayed = app.ended(app.post(&format!("{rejected}/replay"), json!({})).await.location()).await;
    let counts = &replayed["counts"];
    assert_eq!(
        (&counts["updated"], &counts["created"]),
        (&json!(1), &json!(0)),
        "its key is the one it had: {replayed}"
    );
    assert_eq!(app.records().await.len(), 2);
}
