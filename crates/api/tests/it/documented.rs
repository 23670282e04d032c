//! The seven calls that the server was asked for, as they were printed: only the ids, the address and the key are filled in.

use axum::http::StatusCode;
use inlet_api::{Auth, key_hash};

use crate::app::{Answer, COLLECTION, Setup, TestApp};
use crate::curl;

const LIST_CONNECTORS: &str = r#"curl -X GET "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors" -H "X-API-Key: your_api_key""#;
const CREATE_CONNECTOR: &str = r#"curl -X POST "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors" \
 -H "Idempotency-Key: unique_key" \
 -H "Content-Type: application/json" \
 -d '{"name": "New Connector", "type": "external_source"}'"#;
const UPDATE_CONNECTOR: &str = r#"curl -X PATCH "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}" \
 -H "Content-Type: application/json" \
 -d '{"name": "Updated Connector Name"}'"#;
const DELETE_CONNECTOR: &str = r#"curl -X DELETE "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}" \
 -H "X-API-Key: your_api_key""#;
const TRIGGER_SYNC: &str = r#"curl -X POST "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync" \
 -H "Content-Type: application/json""#;
const LIST_SYNCS: &str = r#"curl -X GET "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync" \
 -H "X-API-Key: your_api_key""#;
const CANCEL_SYNC: &str = r#"curl -X POST "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/cancel" \
 -H "X-API-Key: your_api_key""#;

/// A user of the server, who copies commands from the document.
struct User<'a> {
    app: &'a TestApp,
    connector_id: String,
    /// What is added to every command.
    and: &'static str,
}

impl User<'_> {
    async fn runs(&self, command: &str) -> Answer {
        let command = command
            .replace("https://api.example.com", "http://127.0.0.1:8080")
            .replace("{space_id}", "default")
            .replace("{collection_id}", "default")
            .replace("{connector_id}", &self.connector_id);
        self.app.send(curl::request(&format!("{command}{}", self.and))).await
    }
}

/// The life of a connector, told in the seven calls.
async fn walk_through(mut user: User<'_>) {
    let created = user.runs(CREATE_CONNECTOR).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    user.connector_id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(created.location(), format!("{COLLECTION}/connectors/{}", user.connector_id));
    assert_eq!(
        (&created.json()["name"], &created.json()["type"]),
        (&"New Connector".into(), &"external_source".into())
    );

    let again = user.runs(CREATE_CONNECTOR).await;
    assert_eq!((again.status, again.body), (created.status, created.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");

    let listed = user.runs(LIST_CONNECTORS).await;
    assert_eq!((listed.status, listed.ids()), (StatusCode::OK, vec![user.connector_id.clone()]));

    let updated = user.runs(UPDATE_CONNECTOR).await;
    assert_eq!((updated.status, &updated.json()["name"]), (StatusCode::OK, &"Updated Connector Name".into()));

    let triggered = user.runs(TRIGGER_SYNC).await;
    assert_eq!(triggered.status, StatusCode::ACCEPTED, "{}", triggered.text());
    let sync = triggered.json();
    assert_eq!(
        (&sync["status"], &sync["trigger"], &sync["mode"]),
        (&"queued".into(), &"api".into(), &"incremental".into())
    );

    let syncs = user.runs(LIST_SYNCS).await;
    assert_eq!((syncs.status, syncs.ids()), (StatusCode::OK, vec![sync["id"].as_str().unwrap().to_owned()]));

    let cancelled = user.runs(CANCEL_SYNC).await;
    assert_eq!((cancelled.status, &cancelled.json()["status"]), (StatusCode::OK, &"cancelled".into()));

    let deleted = user.runs(DELETE_CONNECTOR).await;
    assert_eq!((deleted.status, deleted.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(user.runs(LIST_SYNCS).await.code(), "connector.not_found");
    assert_eq!(user.runs(LIST_CONNECTORS).await.ids(), [""; 0]);
}

#[tokio::test]
async fn the_seven_calls_work_as_printed_without_keys() {
    let app = TestApp::without_workers().await;
    walk_through(User { app: &app, connector_id: String::new(), and: "" }).await;
}

#[tokio::test]
async fn the_seven_calls_work_with_the_key_and_only_with_it() {
    let auth = Auth::Key { environment_key: Some(key_hash("your_api_key")), local_token: None };
    let app = TestApp::with(Setup { auth, running_syncs: 0, ..Setup::default() }).await;
    let without = User { app: &app, connector_id: "con_00000000000000000000000000".to_owned(), and: "" };
    for command in [CREATE_CONNECTOR, UPDATE_CONNECTOR, TRIGGER_SYNC] {
        assert_eq!(without.runs(command).await.code(), "auth.key_required");
    }
    for command in [LIST_CONNECTORS, DELETE_CONNECTOR, LIST_SYNCS, CANCEL_SYNC] {
        let other = command.replace("your_api_key", "another_key");
        assert_eq!(without.runs(&other).await.code(), "auth.key_invalid");
    }
    walk_through(User { app: &app, connector_id: String::new(), and: r#" -H "X-API-Key: your_api_key""# })
        .await;
}

#[tokio::test]
async fn a_sync_runs_to_its_end_after_the_trigger_as_printed() {
    let app = TestApp::new().await;
    let mut user = User { app: &app, connector_id: String::new(), and: "" };
    user.connector_id = user.runs(CREATE_CONNECTOR).await.json()["id"].as_str().unwrap().to_owned();
    let triggered = user.runs(TRIGGER_SYNC).await;
    let ended = app.ended(triggered.location()).await;
    assert_eq!((&ended["status"], &ended["error"]), (&"succeeded".into(), &serde_json::Value::Null));
    assert_eq!(user.runs(CANCEL_SYNC).await.code(), "sync.none_active");
}
