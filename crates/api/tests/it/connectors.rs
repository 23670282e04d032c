//! Making, changing and deleting connectors.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{COLLECTION, Setup, TestApp, json as json_request, request, with};

#[tokio::test]
async fn a_connector_is_shown_as_documented() {
    let app = TestApp::without_workers().await;
    let body = json!({"name": "New Connector", "type": "external_source",
                      "streams": [{"name": "orders", "primary_key": ["id"]}], "schedule": null});
    let made = app.post(&format!("{COLLECTION}/connectors"), body).await;
    let connector = made.json();
    assert_eq!(
        connector,
        json!({"id": connector["id"], "space_id": "default", "collection_id": "default", "name": "New Connector",
               "type": "external_source", "config": {},
               "streams": [{"name": "orders", "mode": "incremental", "write_mode": "upsert", "primary_key": ["id"],
                            "cursor_field": null, "fields": null, "masking": {}}],
               "schedule": null,
               "policy": {"max_rejected": 1000, "approve_deletes_over": {"percent": 20, "records": 100}, "schema": "evolve",
                          "pause_after_failures": 10},
               "status": "active", "last_sync": null, "next_sync_at": null, "failures": 0, "notice": null,
               "created_at": "2026-01-01T00:00:00.001Z", "updated_at": "2026-01-01T00:00:00.001Z"})
    );
    assert_eq!((made.status, made.header("etag")), (StatusCode::CREATED, Some("\"1\"")));
    let found = app.get(made.location()).await;
    assert_eq!((found.json(), found.header("etag")), (connector.clone(), Some("\"1\"")));
    assert_eq!(
        app.get(&format!("{COLLECTION}/connectors")).await.json(),
        json!({"data": [connector], "next_cursor": null})
    );
}

#[tokio::test]
async fn a_patch_merges_and_both_media_types_do() {
    let files = vec![("a.csv", "id\n1\n"), ("b.csv", "id\n2\n")];
    let app = TestApp::with(Setup { files, running_syncs: 0, ..Setup::default() }).await;
    let root = app.folder.path().join("files");
    let config = json!({"path": root.join("a.csv")});
    let connector = app.connector(json!({"name": "a", "type": "files", "config": config})).await;

    let renamed = app.patch(&connector, json!({"name": "b"})).await;
    assert_eq!((renamed.status, renamed.header("etag")), (StatusCode::OK, Some("\"2\"")));
    assert_eq!((&renamed.json()["name"], &renamed.json()["config"]), (&json!("b"), &config));
    assert_ne!(renamed.json()["updated_at"], renamed.json()["created_at"]);

    let mut merge = json_request(Method::PATCH, &connector, json!({"config": {"path": root.join("b.csv")}}));
    merge
        .headers_mut()
        .insert("content-type", "application/merge-patch+json; charset=utf-8".parse().unwrap());
    let moved = app.send(merge).await.json();
    assert_eq!((&moved["name"], &moved["config"]["path"]), (&json!("b"), &json!(root.join("b.csv"))));

    let selected = app.patch(&connector, json!({"streams": [{"name": "b"}]})).await.json();
    assert_eq!(selected["streams"][0]["name"], "b");
    assert_eq!(app.patch(&connector, json!({"streams": null})).await.json()["streams"], Value::Null);
    assert_eq!(app.get(&connector).await.header("etag"), Some("\"5\""));
}

#[tokio::test]
async fn a_patch_that_changes_nothing_makes_no_version() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "a", "type": "external_source"})).await;
    let before = app.get(&connector).await;
    for patch in
        [json!({}), json!({"name": "a"}), json!({"type": "external_source"}), json!({"streams": null})]
    {
        let answer = app.patch(&connector, patch).await;
        assert_eq!((answer.json(), answer.header("etag")), (before.json(), Some("\"1\"")));
    }
}

#[tokio::test]
async fn if_match_holds_back_a_change_that_was_overtaken() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "a", "type": "external_source"})).await;
    let patch =
        |tag: &str| with(json_request(Method::PATCH, &connector, json!({"name": tag})), "if-match", tag);
    assert_eq!(app.send(patch("\"1\"")).await.status, StatusCode::OK);
    let late = app.send(patch("\"1\", \"7\"")).await;
    assert_eq!(
        (late.status, late.code().as_str()),
        (StatusCode::PRECONDITION_FAILED, "connector.version_mismatch")
    );
    assert_eq!(app.send(patch("*")).await.status, StatusCode::OK);
    assert_eq!(app.send(patch("3")).await.code(), "request.invalid_header");
    let delete =
        |tag: &str| with(request(Method::DELETE, &connector, axum::body::Body::empty()), "if-match", tag);
    assert_eq!(app.send(delete("\"2\"")).await.code(), "connector.version_mismatch");
    assert_eq!(
        app.send(delete("W/\"3\"")).await.code(),
        "connector.version_mismatch",
        "a weak tag never matches"
    );
    let two_lines = with(delete("\"2\""), "if-match", "\"3\"");
    assert_eq!(app.send(two_lines).await.status, StatusCode::NO_CONTENT);
    let another = app.connector(json!({"name": "a", "type": "external_source"})).await;
    let whichever = request(Method::DELETE, &another, axum::body::Body::empty());
    assert_eq!(app.send(with(whichever, "if-match", "*")).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_change_and_a_delete_of_one_version_one_takes_effect() {
    let app = TestApp::without_workers().await;
    for _ in 0..40 {
        let connector = app.connector(json!({"name": "a", "type": "external_source"})).await;
        let if_unchanged = |request| app.send(with(request, "if-match", "\"1\""));
        let (patched, deleted) = tokio::join!(
            if_unchanged(json_request(Method::PATCH, &connector, json!({"name": "b"}))),
            if_unchanged(request(Method::DELETE, &connector, axum::body::Body::empty())),
        );
        match (patched.status, deleted.status) {
            (StatusCode::OK, StatusCode::PRECONDITION_FAILED) => {
                assert_eq!(app.get(&connector).await.json()["name"], "b");
            }
            (StatusCode::NOT_FOUND, StatusCode::NO_CONTENT) => {}
            both => panic!("{both:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_in_parallel_all_take_effect() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "a", "type": "external_source"})).await;
    let (rename, pause, select) = tokio::join!(
        app.patch(&connector, json!({"name": "b"})),
        app.patch(&connector, json!({"status": "paused"})),
        app.patch(&connector, json!({"streams": [{"name": "orders"}]})),
    );
    for answer in [rename, pause, select] {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    let after = app.get(&connector).await;
    let shown = after.json();
    assert_eq!(
        (&shown["name"], &shown["status"], &shown["streams"][0]["name"]),
        (&json!("b"), &json!("paused"), &json!("orders"))
    );
    assert_eq!(after.header("etag"), Some("\"4\""));
}

#[tokio::test]
async fn a_deleted_connector_is_gone_with_its_syncs_while_its_records_stay() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    app.post(&format!("{connector}/records?key_field=id"), json!([{"id": 1}])).await;
    app.sync(&connector).await;
    assert_eq!(app.delete(&connector).await.status, StatusCode::NO_CONTENT);
    for answer in
        [app.get(&connector).await, app.delete(&connector).await, app.get(&format!("{connector}/sync")).await]
    {
        assert_eq!(answer.code(), "connector.not_found");
    }
    assert_eq!(
        app.post(&format!("{connector}/records"), json!([{"id": 2}])).await.code(),
        "connector.not_found"
    );
    assert_eq!(app.get(&format!("{COLLECTION}/connectors")).await.ids(), [""; 0]);
    assert_eq!(app.get(&format!("{COLLECTION}/records")).await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn deleting_a_connector_ends_the_sync_that_runs() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "held", "type": "held"})).await;
    let sync = app.post(&format!("{connector}/sync"), json!({})).await;
    app.until(sync.location(), |sync| sync["status"] == "running").await;
    assert_eq!(app.delete(&connector).await.status, StatusCode::NO_CONTENT);
    let id = sync.json()["id"].as_str().unwrap().parse().unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(30), app.engine.ended(id)).await.unwrap();
    app.until_nothing_is_queued().await;
}

#[tokio::test]
async fn a_connector_belongs_to_its_collection_only() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    app.post("/v1/spaces/default/collections", json!({"name": "o", "id": "other"})).await;
    let through_other = connector.replace("/collections/default/", "/collections/other/");
    for answer in [
        app.get(&through_other).await,
        app.patch(&through_other, json!({"name": "x"})).await,
        app.delete(&through_other).await,
        app.post(&format!("{through_other}/sync"), json!({})).await,
        app.post(&format!("{through_other}/sync/cancel"), json!({})).await,
        app.post(&format!("{through_other}/records"), json!([])).await,
    ] {
        assert_eq!(answer.code(), "connector.not_found");
    }
    assert_eq!(app.get(&connector).await.json()["name"], "c");
}

#[tokio::test]
async fn a_scheduled_connector_says_when_it_syncs_next_and_does() {
    let app = TestApp::new().await;
    let body = json!({"name": "c", "type": "external_source", "schedule": {"every": "1h"}});
    let connector = app.connector(body).await;
    assert_eq!(
        app.get(&connector).await.json()["next_sync_at"].as_str().map(|at| &at[..14]),
        Some("2026-01-01T01:")
    );
    app.clock.advance(2 * 3_600_000_000);
    app.patch(&connector, json!({"name": "d"})).await;
    let syncs = format!("{connector}/sync");
    app.until(&syncs, |syncs| syncs["data"][0]["status"] == "succeeded").await;
    assert_eq!(app.get(&syncs).await.json()["data"][0]["trigger"], "schedule");
    assert_eq!(
        app.get(&connector).await.json()["next_sync_at"].as_str().map(|at| &at[..14]),
        Some("2026-01-01T02:")
    );
}

#[tokio::test]
async fn a_connector_can_wait_for_another_of_its_space_and_for_no_other() {
    let app = TestApp::without_workers().await;
    let leader = app.connector(json!({"name": "a", "type": "external_source"})).await;
    let leader_id = leader.rsplit('/').next().unwrap().to_owned();
    let after = |id: &str| json!({"name": "b", "type": "external_source", "schedule": {"after": id}});
    let follower = app.connector(after(&leader_id)).await;
    let follower_id = follower.rsplit('/').next().unwrap().to_owned();
    assert_eq!(app.get(&follower).await.json()["schedule"], json!({"after": leader_id}));

    for circle in [&leader_id, &follower_id] {
        let refused = app.patch(&leader, json!({"schedule": {"after": circle}})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json()["errors"][0]["pointer"], "/schedule/after");
    }
    let unknown =
        app.post(&format!("{COLLECTION}/connectors"), after("con_01h455vb4pex5vsknk084sn02q")).await;
    assert_eq!(unknown.json()["errors"][0]["pointer"], "/schedule/after");
    app.post("/v1/spaces", json!({"id": "other", "name": "other"})).await;
    app.post("/v1/spaces/other/collections", json!({"id": "c", "name": "c"})).await;
    let elsewhere = app.post("/v1/spaces/other/collections/c/connectors", after(&leader_id)).await;
    assert_eq!(elsewhere.json()["errors"][0]["pointer"], "/schedule/after");
}
