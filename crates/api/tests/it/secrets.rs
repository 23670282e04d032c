//! Secrets of connectors: kept, sent where they were meant for, and shown to nobody.

use std::path::PathBuf;

use axum::http::{Method, StatusCode};
use inlet_model::secret::Vault;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{Answer, COLLECTION, Setup, TestApp, json as json_request, vault, with};
use crate::backends;
use crate::logs::listen;

const PASSWORD: &str = "swordfish-7c1d";
const KEY: &str = "-----BEGIN pem-49ab-----";
const MASK: &str = "********";

fn config() -> Value {
    json!({"host": "db", "password": PASSWORD, "tunnel": {"server": "gate", "key": KEY, "user": "u"}})
}

async fn connector(app: &TestApp) -> String {
    app.connector(json!({"name": "c", "type": "database", "config": config()})).await
}

/// The bad fields of an answer, by pointer and code.
fn bad_fields(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.code(), "request.invalid_fields", "{}", answer.text());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
}

fn required(pointers: &[&str]) -> Vec<(String, String)> {
    pointers.iter().map(|pointer| ((*pointer).to_owned(), "config.secret_required".to_owned())).collect()
}

/// What the source of the connector's stored config is given.
async fn given(app: &TestApp, connector: &str) -> Value {
    app.database.asked();
    let checked = app.post(&format!("{connector}/check"), json!({})).await;
    assert_eq!(checked.json()["status"], "succeeded", "{}", checked.text());
    app.database.asked().remove(0)
}

/// A server over a directory that another one has had.
async fn again(folder: TempDir, vault: Vault) -> TestApp {
    TestApp::over(folder, Setup { vault, ..Setup::default() }).await
}

#[tokio::test]
async fn secrets_are_masked_wherever_a_connector_is_shown_and_reach_its_source() {
    let app = TestApp::without_workers().await;
    let shown =
        json!({"host": "db", "password": MASK, "tunnel": {"server": "gate", "key": MASK, "user": "u"}});
    let body = json!({"name": "c", "type": "database", "config": config()});
    let made = app.post(&format!("{COLLECTION}/connectors"), body).await;
    assert_eq!(made.json()["config"], shown);
    assert_eq!(app.get(made.location()).await.json()["config"], shown);
    assert_eq!(app.get(&format!("{COLLECTION}/connectors")).await.json()["data"][0]["config"], shown);
    assert_eq!(app.patch(made.location(), json!({"name": "d"})).await.json()["config"], shown);
    assert_eq!(given(&app, made.location()).await, config());
}

#[tokio::test]
async fn a_masked_secret_stays_a_new_one_replaces_it_and_null_removes_it() {
    let app = TestApp::without_workers().await;
    let connector = connector(&app).await;

    let shown = app.get(&connector).await.json()["config"].clone();
    let sent_back = app.patch(&connector, json!({"config": shown})).await;
    assert_eq!(
        (sent_back.status, sent_back.header("etag")),
        (StatusCode::OK, Some("\"1\"")),
        "nothing changed"
    );
    let same = app.patch(&connector, json!({"config": {"password": PASSWORD}})).await;
    assert_eq!(same.header("etag"), Some("\"1\""), "nor does the same secret change anything");

    let patch = json!({"config": {"database": "sales", "password": MASK}});
    assert_eq!(app.patch(&connector, patch).await.header("etag"), Some("\"2\""));
    let mut expected = config();
    expected["database"] = json!("sales");
    assert_eq!(given(&app, &connector).await, expected);

    app.patch(&connector, json!({"config": {"password": "another-one"}})).await;
    expected["password"] = json!("another-one");
    assert_eq!(given(&app, &connector).await, expected);

    let removed = app.patch(&connector, json!({"config": {"password": null, "tunnel": {"key": null}}})).await;
    assert_eq!(
        removed.json()["config"],
        json!({"host": "db", "database": "sales", "tunnel": {"server": "gate", "user": "u"}})
    );
    assert!(given(&app, &connector).await.get("password").is_none());
    let masked = app.patch(&connector, json!({"config": {"password": MASK}})).await;
    assert_eq!(bad_fields(&masked), required(&["/config/password"]), "there is none any more");
}

#[tokio::test]
async fn a_stored_secret_is_never_sent_to_another_destination() {
    let app = TestApp::without_workers().await;
    let connector = connector(&app).await;
    let check = format!("{connector}/check");
    let both = required(&["/config/password", "/config/tunnel/key"]);
    for config in [
        json!({"host": "evil"}),
        json!({"host": "evil", "password": MASK}),
        json!({"tunnel": {"server": "evil"}}),
        json!({"tunnel": {"server": null}}),
        json!({"host": "evil", "database": "x", "tunnel": {"key": MASK, "user": null}}),
    ] {
        assert_eq!(bad_fields(&app.patch(&connector, json!({"config": config})).await), both, "{config}");
        assert_eq!(bad_fields(&app.post(&check, json!({"config": config})).await), both, "{config}");
    }
    let one = json!({"config": {"host": "evil", "password": "mine-1234"}});
    assert_eq!(bad_fields(&app.patch(&connector, one.clone()).await), required(&["/config/tunnel/key"]));
    assert_eq!(bad_fields(&app.post(&check, one).await), required(&["/config/tunnel/key"]));
    assert_eq!(app.database.asked(), [] as [Value; 0], "no source was asked anything");

    // In steps: neither a change without secrets nor their removal makes way for the stored ones.
    let step = json!({"config": {"host": "evil", "password": null, "tunnel": null}});
    assert_eq!(app.patch(&connector, step).await.status, StatusCode::OK);
    let step = json!({"config": {"password": MASK, "tunnel": {"key": MASK}}});
    assert_eq!(bad_fields(&app.patch(&connector, step).await), both);

    let new = json!({"config": {"host": "elsewhere", "password": "mine-1234", "tunnel": {"key": "mine"}}});
    assert_eq!(app.patch(&connector, new).await.status, StatusCode::OK);
    assert_eq!(given(&app, &connector).await["password"], "mine-1234");
}

#[tokio::test]
async fn a_new_connector_is_given_its_secrets_themselves() {
    let app = TestApp::without_workers().await;
    let config = json!({"host": 5, "password": MASK, "tunnel": {"key": MASK, "color": "red"}});
    let body = json!({"name": "c", "type": "database", "config": config});
    let refused = app.post(&format!("{COLLECTION}/connectors"), body).await;
    let mut expected = required(&["/config/password", "/config/tunnel/key"]);
    let others = [("/config/host", "field.type"), ("/config/tunnel/color", "field.unknown")];
    expected.extend(others.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    assert_eq!(bad_fields(&refused), expected, "with everything else that is wrong");
    let nothing = json!({"name": "c", "type": "database", "config": {"host": "db", "password": null}});
    assert_eq!(app.post(&format!("{COLLECTION}/connectors"), nothing).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn without_its_key_a_connector_is_shown_fails_its_syncs_and_can_be_given_new_secrets() {
    let app = TestApp::without_workers().await;
    let connector = connector(&app).await;
    let app = again(app.closed().await, vault(2)).await;

    assert_eq!(app.get(&connector).await.json()["config"]["password"], MASK);
    let sync = app.sync(&connector).await;
    assert_eq!(
        (&sync["status"], &sync["error"]["code"]),
        (&json!("failed"), &json!("connector.secret_unreadable"))
    );
    let checked = app.post(&format!("{connector}/check"), json!({})).await.json();
    assert_eq!(checked["error"]["code"], "connector.secret_unreadable");
    assert_eq!(app.get(&format!("{connector}/streams")).await.code(), "connector.secret_unreadable");
    assert_eq!(app.patch(&connector, json!({"name": "renamed"})).await.status, StatusCode::OK);
    let other = app.patch(&connector, json!({"config": {"database": "sales"}})).await;
    assert_eq!(bad_fields(&other), required(&["/config/password", "/config/tunnel/key"]));

    let new = json!({"config": {"password": PASSWORD, "tunnel": {"key": KEY}}});
    assert_eq!(app.patch(&connector, new).await.status, StatusCode::OK);
    assert_eq!(given(&app, &connector).await, config());
}

#[tokio::test]
async fn no_secret_is_in_any_answer_any_log_or_any_file() {
    let app = TestApp::new().await;
    let (log, _guard) = listen();
    let mut answers: Vec<Answer> = Vec::new();
    let body = json!({"name": "c", "type": "database", "config": config()});
    let create = json_request(Method::POST, &format!("{COLLECTION}/connectors"), body);
    let create = with(create, "idempotency-key", "k");
    let made = app.send(create).await;
    let connector = made.location().to_owned();
    let body = json!({"name": "c", "type": "database", "config": config()});
    let create = json_request(Method::POST, &format!("{COLLECTION}/connectors"), body);
    let replayed = app.send(with(create, "idempotency-key", "k")).await;
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
    answers.extend([made, replayed]);

    for host in ["db", "refusing", "away", "panicking"] {
        let config = json!({"host": host, "password": PASSWORD, "tunnel": {"key": KEY}});
        answers.push(app.patch(&connector, json!({"config": config})).await);
        assert_eq!(answers.last().unwrap().status, StatusCode::OK);
        answers.push(app.post(&format!("{connector}/check"), json!({})).await);
        answers.push(app.post(&format!("{connector}/check"), json!({"config": config})).await);
        answers.push(app.get(&format!("{connector}/streams")).await);
        app.sync(&connector).await;
        answers.push(app.get(&format!("{connector}/sync")).await);
        answers.push(app.get(&connector).await);
    }
    assert!(
        answers.iter().any(|answer| answer.text().contains("db://u:********@refusing")),
        "it was said, and masked"
    );
    // A begun sync keeps its settings.
    let hang = json!({"config": {"host": "hanging", "password": PASSWORD, "tunnel": {"key": KEY}}});
    app.patch(&connector, hang).await;
    let running = app.post(&format!("{connector}/sync"), json!({})).await;
    app.until(running.location(), |sync| sync["status"] == "running").await;
    let bad = json!({"config": {"host": 5, "password": PASSWORD, "color": PASSWORD, "tunnel": {"key": KEY}}});
    answers.push(app.patch(&connector, bad).await);

    for answer in &answers {
        for secret in [PASSWORD, KEY] {
            assert!(!answer.text().contains(secret), "{}", answer.text());
        }
    }
    assert!(
        log.text().contains("a check failed") && log.text().contains("the source failed"),
        "the log was heard"
    );
    for secret in [PASSWORD, KEY] {
        assert!(!log.text().contains(secret), "{}", log.text());
        for (path, bytes) in app.files() {
            assert!(
                !bytes.windows(secret.len()).any(|part| part == secret.as_bytes()),
                "{secret} in {path:?}"
            );
        }
    }
    let is_written =
        |(path, bytes): &(PathBuf, Vec<u8>)| path.ends_with("catalog.db-wal") && !bytes.is_empty();
    assert!(app.files().iter().any(is_written) || !backends::are_files());
}

#[tokio::test]
async fn a_complaint_about_a_secret_does_not_repeat_it() {
    let app = TestApp::without_workers().await;
    let body = json!({"name": "c", "type": "database", "config": {"host": "db", "password": "tiny-pw"}});
    let refused = app.post(&format!("{COLLECTION}/connectors"), body).await;
    assert_eq!(refused.json()["errors"][0]["detail"], format!("`{MASK}` is too short for a password"));
}
