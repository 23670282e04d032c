//! The audit log: who changed what.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{json as json_request, with};
use crate::two_spaces::{OPERATOR, TwoSpaces};

/// Operations that change data or how far it was read, or nothing at all, and not what exists or is wanted.
const UNAUDITED: &[&str] = &["push_records", "check_connector", "set_state", "reset_state", "test_webhook"];

async fn audit(server: &TwoSpaces, query: &str) -> Vec<Value> {
    let page = server.get(OPERATOR, &format!("/v1/audit?limit=200{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    page.json()["data"].as_array().unwrap().clone()
}

/// A connector of the space `one`, and a sync of it that asks whether it may delete.
async fn asking(server: &TwoSpaces) -> (String, String) {
    let connectors = server.one.connector().rsplit_once('/').unwrap().0.to_owned();
    let file = server.app.folder.path().join("files/asked.csv");
    std::fs::write(&file, "id\n1\n").unwrap();
    let body = json!({"name": "asked", "type": "files", "config": {"path": file}});
    let connector = server.send(OPERATOR, Method::POST, &connectors, Some(body)).await;
    let sync = async || {
        let path = format!("{}/sync", connector.location());
        let sync = server.send(OPERATOR, Method::POST, &path, None).await;
        loop {
            let found = server.get(OPERATOR, sync.location()).await.json();
            if found["status"] == "needs_approval" || !found["finished_at"].is_null() {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(sync().await["status"], "succeeded");
    std::fs::write(&file, "id\n").unwrap();
    let asking = sync().await;
    assert_eq!(asking["status"], "needs_approval");
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    (id(&connector.json()), id(&asking))
}

#[tokio::test]
async fn every_operation_that_changes_something_leaves_an_entry() {
    for operation in TwoSpaces::new().await.operations().await {
        if operation.is_safe() || UNAUDITED.contains(&operation.id.as_str()) {
            continue;
        }
        let server = TwoSpaces::new().await;
        let mut things = server.one.clone();
        if operation.id.starts_with("cancel") {
            // One that is held open.
            let connectors = server.one.connector().rsplit_once('/').unwrap().0.to_owned();
            let held = Some(json!({"name": "held", "type": "held"}));
            let held = server.send(OPERATOR, Method::POST, &connectors, held).await;
            let sync = server.send(OPERATOR, Method::POST, &format!("{}/sync", held.location()), None).await;
            things.connector_id = held.json()["id"].as_str().unwrap().to_owned();
            things.sync_id = sync.json()["id"].as_str().unwrap().to_owned();
        }
        if ["approve_sync", "discard_sync"].contains(&operation.id.as_str()) {
            (things.connector_id, things.sync_id) = asking(&server).await;
        }
        if operation.id == "replay_rejected_records" {
            things = server.refusing(&things).await;
        }
        let before = audit(&server, "").await;
        let answer = server.ask(OPERATOR, &operation, &things.fill(&operation.path)).await;
        assert!(answer.status.is_success(), "{}: {}", operation.id, answer.text());
        let after = audit(&server, "").await;
        assert_eq!(after.len(), before.len() + 1, "{} leaves one entry", operation.id);
        let entry = &after[0];
        assert_eq!(entry["actor"], "environment", "{}", operation.id);
        assert_eq!(entry["request_id"].as_str(), answer.header("x-request-id"), "{}", operation.id);
        let path = things.fill(&operation.path);
        for (name, id) in entry["target"].as_object().unwrap() {
            // What came of it is another sync.
            if operation.id == "replay_rejected_records" && name == "sync_id" {
                continue;
            }
            if operation.path.contains(&format!("{{{name}}}")) {
                assert!(path.contains(id.as_str().unwrap()), "{}: {name}", operation.id);
            }
        }
    }
}

#[tokio::test]
async fn an_entry_tells_who_when_what_and_which_fields_and_no_value() {
    let server = TwoSpaces::new().await;
    let key = server.key("write", None).await;
    let patch = json_request(Method::PATCH, &server.one.connector(), json!({"name": "planted-name"}));
    let patch = with(with(patch, "x-api-key", &key), "x-request-id", "trace-7");
    assert_eq!(server.app.send(patch).await.status, StatusCode::OK);
    let entry = audit(&server, "").await.remove(0);
    let keys = server.get(OPERATOR, "/v1/keys").await;
    assert_eq!(entry["actor"].as_str(), Some(keys.ids()[0].as_str()));
    assert_eq!((&entry["request_id"], &entry["action"]), (&json!("trace-7"), &json!("connector.update")));
    assert_eq!(entry["fields"], json!(["/name"]));
    let target = json!({"space_id": "space-one", "collection_id": "collection-one",
                        "connector_id": server.one.connector_id, "sync_id": null, "key_id": null,
                        "webhook_id": null});
    assert_eq!(entry["target"], target);
    assert_eq!(
        entry["at"].as_str(),
        Some(server.get(OPERATOR, &server.one.connector()).await.json()["updated_at"].as_str().unwrap())
    );
    let all = Value::from(audit(&server, "").await).to_string();
    assert!(!all.contains("planted-name") && !all.contains(&key));
}

#[tokio::test]
async fn what_is_refused_or_changes_nothing_leaves_no_entry() {
    let server = TwoSpaces::new().await;
    let read = server.key("read", None).await;
    let before = audit(&server, "").await;
    let connector = server.one.connector();
    let name = json!({"name": "one"});
    for (key, method, path, body) in [
        (read.as_str(), Method::DELETE, connector.as_str(), None),
        (OPERATOR, Method::PATCH, &connector, Some(name)),
        (OPERATOR, Method::PATCH, &connector, Some(json!({"nam": "n"}))),
        (OPERATOR, Method::POST, "/v1/spaces", Some(json!({"name": "n", "id": "space-one"}))),
        (OPERATOR, Method::DELETE, "/v1/spaces/space-one", None),
        (OPERATOR, Method::POST, &format!("{connector}/sync/cancel"), None),
        (OPERATOR, Method::GET, &connector, None),
    ] {
        server.send(key, method, path, body).await;
    }
    assert_eq!(audit(&server, "").await, before);
}

#[tokio::test]
async fn entries_are_filtered_by_actor_and_action() {
    let server = TwoSpaces::new().await;
    let key = server.key("admin", None).await;
    let made = server.send(&key, Method::POST, "/v1/spaces", Some(json!({"name": "n"}))).await;
    let by_key = audit(&server, "&action=space.create").await.remove(0);
    assert_eq!(by_key["target"]["space_id"], made.json()["id"]);
    let actor = by_key["actor"].as_str().unwrap();
    assert_eq!(audit(&server, &format!("&actor={actor}")).await, std::slice::from_ref(&by_key));
    assert_eq!(audit(&server, &format!("&actor={actor}&action=space.delete")).await.len(), 0);
    let by_operator = audit(&server, "&actor=environment").await;
    assert!(by_operator.len() > 5 && by_operator.iter().all(|entry| entry["actor"] == "environment"));
    for bad in ["actor=somebody", "action=space", "action=", "actor="] {
        let refused = server.get(OPERATOR, &format!("/v1/audit?{bad}")).await;
        assert_eq!(refused.code(), "request.invalid_parameter", "{bad}");
    }
}
