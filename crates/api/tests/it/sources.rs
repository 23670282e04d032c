//! Asking a source whether it can be read, and what it has.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use inlet_api::Limits;
use serde_json::{Value, json};

use crate::app::{COLLECTION, Setup, TestApp, request};

async fn database(app: &TestApp, host: &str) -> String {
    let config = json!({"host": host, "password": "swordfish"});
    app.connector(json!({"name": "c", "type": "database", "config": config})).await
}

async fn impatient() -> TestApp {
    let limits = Limits { source_time: Duration::from_millis(20), ..Limits::default() };
    TestApp::with(Setup { limits, running_syncs: 0, ..Setup::default() }).await
}

#[tokio::test]
async fn a_check_tells_how_it_went_and_never_fails_itself() {
    let app = impatient().await;
    for (host, status, code, retryable) in [
        ("db", "succeeded", Value::Null, Value::Null),
        ("refusing", "failed", json!("source.denied"), json!(false)),
        ("away", "failed", json!("source.unavailable"), json!(true)),
        ("hanging", "failed", json!("source.timed_out"), json!(true)),
        ("panicking", "failed", json!("source.internal"), json!(false)),
    ] {
        let connector = database(&app, host).await;
        let answer = app.send(request(Method::POST, &format!("{connector}/check"), "")).await;
        assert_eq!(answer.status, StatusCode::OK);
        let check = answer.json();
        assert_eq!((&check["status"], &check["error"]["code"]), (&json!(status), &code), "{host}");
        assert_eq!(check["error"]["retryable"], retryable, "{host}");
        assert!(check["duration_ms"].is_u64());
    }
}

#[tokio::test]
async fn a_check_tries_a_config_without_keeping_it() {
    let app = TestApp::without_workers().await;
    let connector = database(&app, "db").await;
    let before = app.get(&connector).await.json();
    let check = format!("{connector}/check");
    let tried = app.post(&check, json!({"config": {"database": "sales"}})).await;
    assert_eq!(tried.json()["status"], "succeeded");
    let given = app.database.asked();
    assert_eq!(
        given,
        [json!({"host": "db", "database": "sales", "password": "swordfish"})],
        "the patched config"
    );
    let moved = json!({"config": {"host": "refusing", "password": "mine-1234"}});
    assert_eq!(app.post(&check, moved).await.json()["error"]["code"], "source.denied");
    assert_eq!(app.get(&connector).await.json(), before);
    for (bad, pointer) in [
        (json!({"config": 5}), "/config"),
        (json!({"config": {"database": 5}}), "/config/database"),
        (json!({"name": "x"}), "/name"),
    ] {
        let refused = app.post(&check, bad).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.text());
    }
}

#[tokio::test]
async fn a_config_that_is_not_allowed_any_more_is_a_failed_check() {
    let files = vec![("a.csv", "id\n1\n")];
    let app = TestApp::with(Setup { files, running_syncs: 0, ..Setup::default() }).await;
    let path = app.folder.path().join("files/a.csv");
    let connector = app.connector(json!({"name": "a", "type": "files", "config": {"path": path}})).await;
    let streams = app.get(&format!("{connector}/streams")).await.json();
    assert_eq!((&streams["data"][0]["name"], &streams["data"][0]["selected"]), (&json!("a"), &json!(true)));

    let folder = app.closed().await;
    std::fs::rename(folder.path().join("files"), folder.path().join("elsewhere")).unwrap();
    std::fs::create_dir(folder.path().join("files")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere/a.csv"), folder.path().join("files/a.csv"))
        .unwrap();
    let app = TestApp::over(folder, Setup { running_syncs: 0, ..Setup::default() }).await;
    let check = app.post(&format!("{connector}/check"), json!({})).await.json();
    assert_eq!(
        (&check["status"], &check["error"]["code"]),
        (&json!("failed"), &json!("connector.config_invalid"))
    );
    assert_eq!(app.get(&format!("{connector}/streams")).await.code(), "connector.config_invalid");
}

#[tokio::test]
async fn streams_are_shown_with_what_the_connector_makes_of_them() {
    let app = TestApp::without_workers().await;
    let connector = database(&app, "db").await;
    let found = |name: &str| {
        json!({"name": name, "schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
               "primary_key": ["id"], "cursor_field": "at", "estimated_records": 7,
               "selected": true, "settings": null})
    };
    let streams = app.get(&format!("{connector}/streams")).await;
    assert_eq!(streams.json(), json!({"data": [found("table_0"), found("table_1")], "next_cursor": null}));

    app.patch(&connector, json!({"streams": [{"name": "table_1", "primary_key": ["at"]}]})).await;
    let streams = app.get(&format!("{connector}/streams")).await.json();
    let settings = &app.get(&connector).await.json()["streams"][0];
    let selected = |index: usize| (&streams["data"][index]["selected"], &streams["data"][index]["settings"]);
    assert_eq!(selected(0), (&json!(false), &Value::Null));
    assert_eq!(selected(1), (&json!(true), settings));
}

#[tokio::test]
async fn a_source_that_cannot_tell_its_streams_is_an_error_with_its_code() {
    let app = impatient().await;
    for (host, status, code) in [
        ("refusing", StatusCode::UNPROCESSABLE_ENTITY, "source.denied"),
        ("away", StatusCode::BAD_GATEWAY, "source.unavailable"),
        ("hanging", StatusCode::GATEWAY_TIMEOUT, "source.timed_out"),
        ("panicking", StatusCode::INTERNAL_SERVER_ERROR, "source.internal"),
        ("crowded", StatusCode::UNPROCESSABLE_ENTITY, "source.limit"),
    ] {
        let connector = database(&app, host).await;
        let answer = app.get(&format!("{connector}/streams")).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{host}");
    }
}

#[tokio::test]
async fn only_so_many_sources_are_asked_at_a_time_and_one_that_nobody_waits_for_is_given_up() {
    let limits = Limits { source_calls: 1, ..Limits::default() };
    let app = TestApp::with(Setup { limits, running_syncs: 0, ..Setup::default() }).await;
    let (hanging, good) = (database(&app, "hanging").await, database(&app, "db").await);
    let path = format!("{hanging}/streams");
    let asking = app.get(&path);
    let refused = async {
        while app.database.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        app.get(&format!("{good}/streams")).await
    };
    let refused = tokio::select! {
        _ = asking => panic!("a hanging source answers"),
        refused = refused => refused,
    };
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("server.unavailable", Some("1")));
    let listed = |answer: &Value| answer["data"].is_array();
    app.until(&format!("{good}/streams"), listed).await;
}

#[tokio::test]
async fn connector_types_are_shown_with_their_schema_and_page() {
    let app = TestApp::without_workers().await;
    let all = app.get("/v1/connector-types").await.json();
    let types: Vec<&str> =
        all["data"].as_array().unwrap().iter().map(|each| each["type"].as_str().unwrap()).collect();
    assert!(types.is_sorted() && types.contains(&"files") && types.contains(&"external_source"), "{types:?}");
    let files = app.get("/v1/connector-types/files").await.json();
    assert!(all["data"].as_array().unwrap().contains(&files));
    assert_eq!(files["config_schema"]["required"], json!(["path"]));
    assert_eq!(
        (&files["accepts_push"], &files["capabilities"]["incremental"]),
        (&json!(false), &json!(true))
    );
    assert!(files["docs"].as_str().unwrap().starts_with("# files\n"));
    let unknown = app.get("/v1/connector-types/f%00les").await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (StatusCode::NOT_FOUND, "connector_type.not_found")
    );
}

#[tokio::test]
async fn a_schedule_is_kept_and_shown_with_its_next_time() {
    let app = TestApp::without_workers().await;
    let schedule = json!({"cron": "0 7 * * 1-5", "timezone": "Europe/Berlin"});
    let body = json!({"name": "a", "type": "external_source", "schedule": schedule});
    let made = app.post(&format!("{COLLECTION}/connectors"), body).await;
    let next = json!("2026-01-01T06:00:00.000Z");
    assert_eq!((&made.json()["schedule"], &made.json()["next_sync_at"]), (&schedule, &next));
    let connector = made.location();
    assert_eq!(app.patch(connector, json!({"schedule": schedule})).await.header("etag"), Some("\"1\""));
    let zone = app.patch(connector, json!({"schedule": {"timezone": "UTC"}})).await.json();
    assert_eq!(zone["schedule"], json!({"cron": "0 7 * * 1-5", "timezone": "UTC"}), "a patch merges");
    let every = json!({"schedule": {"every": "6h", "cron": null, "timezone": null}});
    assert_eq!(app.patch(connector, every).await.json()["schedule"], json!({"every": "6h"}));
    assert_eq!(app.get(connector).await.json()["schedule"], json!({"every": "6h"}));
    assert_eq!(app.patch(connector, json!({"schedule": null})).await.json()["schedule"], Value::Null);
    assert_eq!(app.get(connector).await.json()["next_sync_at"], Value::Null);
}
