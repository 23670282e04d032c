//! The nodes, and what they run.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use inlet_model::{NodeId, NodeRole, NodeRoles};
use inlet_store::catalog::Node;
use serde_json::{Value, json};

use crate::app::{TestApp, members, request};
use crate::two_spaces::TwoSpaces;

/// Makes a node known that started this long after the others.
async fn known(app: &TestApp, number: u64) -> NodeId {
    let now = app.now();
    let started_at = now.plus(Duration::from_secs(number));
    let id = NodeId::from_u128(u128::from(number));
    let roles = NodeRoles::only(NodeRole::Worker);
    let node = Node { id, name: format!("host-{number}"), version: "9.9.9".to_owned(), roles, started_at };
    app.catalog.node_renew(&node, now.plus(Duration::from_secs(30)), now).await.unwrap();
    id
}

async fn nodes(app: &TestApp) -> Vec<Value> {
    app.get("/v1/nodes").await.json()["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_shown_with_the_syncs_that_it_runs() {
    let app = TestApp::new().await;
    let held = app.connector(json!({"name": "held", "type": "held"})).await;
    let path = app.send(request(Method::POST, &format!("{held}/sync"), "")).await.location().to_owned();
    let sync = app.until(&path, |sync| sync["status"] == "running").await;
    let node = nodes(&app).await.remove(0);
    let fields =
        ["id", "last_seen_at", "name", "roles", "started_at", "status", "sync_count", "syncs", "version"];
    assert_eq!(members(&node).into_iter().collect::<Vec<_>>(), fields);
    assert!(node["id"].as_str().unwrap().starts_with("nod_"));
    assert_eq!(node["roles"], json!(["api", "worker", "scheduler"]));
    assert_eq!((&node["status"], &node["version"]), (&json!("active"), &json!(env!("CARGO_PKG_VERSION"))));
    let runs = json!([{
        "id": sync["id"], "connector_id": sync["connector_id"], "collection_id": "default", "space_id": "default",
        "status": "running", "started_at": sync["started_at"],
    }]);
    assert_eq!((&node["syncs"], &node["sync_count"]), (&runs, &json!(1)));
}

#[tokio::test]
async fn a_node_that_is_silent_for_longer_than_its_lease_is_shown_as_lost() {
    let app = TestApp::without_workers().await;
    assert_eq!(nodes(&app).await, [Value::Null; 0]);
    known(&app, 1).await;
    for (seconds, status) in [(0, "active"), (29, "active"), (1, "lost"), (3_600, "lost")] {
        app.clock.advance(seconds * 1_000_000);
        assert_eq!(nodes(&app).await[0]["status"], status);
    }
    known(&app, 1).await;
    assert_eq!(nodes(&app).await[0]["status"], "active", "it is heard of again");
}

#[tokio::test]
async fn nodes_are_listed_page_by_page_from_either_end() {
    let app = TestApp::without_workers().await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(known(&app, number).await.to_string());
    }
    let first = app.get("/v1/nodes?order=asc&limit=2").await;
    assert_eq!(first.ids(), ids[..2]);
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let last = app.get(&format!("/v1/nodes?order=asc&limit=2&cursor={cursor}")).await;
    assert_eq!((last.ids(), &last.json()["next_cursor"]), (ids[2..].to_vec(), &Value::Null));
    ids.reverse();
    assert_eq!(app.get("/v1/nodes").await.ids(), ids);
    for (query, code) in [
        (format!("cursor={cursor}"), "pagination.cursor_invalid"),
        ("cursor=x".to_owned(), "pagination.cursor_invalid"),
        ("limit=201".to_owned(), "pagination.limit_invalid"),
        ("order=up".to_owned(), "request.invalid_parameter"),
        ("status=lost".to_owned(), "request.unknown_parameter"),
    ] {
        let refused = app.get(&format!("/v1/nodes?{query}")).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, code), "{query}");
    }
}

#[tokio::test]
async fn a_key_of_one_space_sees_no_nodes() {
    let server = TwoSpaces::new().await;
    let key = server.key("admin", Some("space-one")).await;
    let refused = server.get(&key, "/v1/nodes").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "auth.key_bound"));
    let key = server.key("admin", None).await;
    assert_eq!(server.get(&key, "/v1/nodes").await.status, StatusCode::OK);
}
