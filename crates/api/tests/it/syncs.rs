//! Triggering, watching and cancelling syncs.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::app::{Answer, COLLECTION, Setup, TestApp, members, request, with};

async fn held(app: &TestApp) -> String {
    app.connector(json!({"name": "held", "type": "held"})).await
}

/// Triggers a sync and gives its path.
async fn triggered(app: &TestApp, connector: &str) -> String {
    app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned()
}

/// Triggers a sync and gives its path once it runs.
async fn running(app: &TestApp, connector: &str) -> String {
    let sync = triggered(app, connector).await;
    app.until(&sync, |sync| !sync["streams"].as_array().unwrap().is_empty()).await;
    sync
}

/// A sync as lists and conflicts show it, and the history that is shown only when it is read by itself.
fn without_moves(mut sync: Value) -> (Value, Value) {
    let moves = sync.as_object_mut().unwrap().remove("moves").unwrap();
    (sync, moves)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_parallel_triggers_make_one_sync_and_99_answers_that_name_it() {
    let app = TestApp::without_workers().await;
    let connector = held(&app).await;
    let path = format!("{connector}/sync");
    let answers = join_all((0..100).map(|_| app.post(&path, json!({})))).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == StatusCode::ACCEPTED);
    assert_eq!((made.len(), refused.len()), (1, 99));
    for answer in refused {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "sync.already_running"));
        assert_eq!(answer.json()["resource"], made[0].json());
        assert_eq!(answer.location(), made[0].location());
    }
    assert_eq!(app.get(&path).await.ids(), [made[0].json()["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_trigger_answers_with_the_queued_sync_and_where_it_is() {
    let app = TestApp::without_workers().await;
    let connector = held(&app).await;
    let answer = app.post(&format!("{connector}/sync"), json!({"mode": "full_refresh"})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let sync = answer.json();
    assert_eq!(answer.location(), format!("{connector}/sync/{}", sync["id"].as_str().unwrap()));
    let (shown, moves) = without_moves(app.get(answer.location()).await.json());
    assert_eq!(shown, sync);
    let begun = json!({"seq": 1, "at": sync["created_at"], "from": null, "to": "queued", "cause": "triggered",
                       "code": null, "attempt": 0});
    assert_eq!(moves, json!([begun]));
    let zero = json!({"read": 0, "created": 0, "updated": 0, "unchanged": 0, "deleted": 0, "rejected": 0, "bytes": 0});
    let connector_id = connector.rsplit('/').next().unwrap();
    assert_eq!(
        sync,
        json!({"id": sync["id"], "connector_id": connector_id, "status": "queued", "trigger": "api", "mode": "full_refresh",
               "dry_run": false, "only_streams": null, "replays": null, "reverts": null, "attempt": 0, "pending_deletes": null, "resume_at": null, "waiting_for": null,
               "created_at": sync["created_at"], "started_at": null, "last_progress_at": null,
               "finished_at": null, "counts": zero, "streams": [], "error": null})
    );
}

#[tokio::test]
async fn a_trigger_may_name_the_streams_to_read() {
    let app = TestApp::without_workers().await;
    let streams = json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
    let connector = app.connector(json!({"name": "held", "type": "held", "streams": streams})).await;
    let answer = app.post(&format!("{connector}/sync"), json!({"streams": ["c", "a"]})).await;
    assert_eq!(answer.json()["only_streams"], json!(["c", "a"]));
    let other =
        app.post(&format!("{connector}/sync"), json!({"streams": ["b"], "on_conflict": "queue"})).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "another wish is not that one");

    let bad = app.post(&format!("{connector}/sync"), json!({"streams": ["x", "a", "", "a"]})).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let errors = bad.json()["errors"].clone();
    let named: Vec<_> = errors.as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(named, ["/streams/0", "/streams/2", "/streams/3"]);
    let none = app.post(&format!("{connector}/sync"), json!({"streams": []})).await;
    assert_eq!(none.json()["errors"][0]["code"], "field.length");
}

/// Triggers a sync while another one has not ended.
async fn another(app: &TestApp, connector: &str, on_conflict: &str) -> Answer {
    app.post(&format!("{connector}/sync"), json!({"on_conflict": on_conflict})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_meets_a_sync_may_take_that_one_wait_for_it_or_replace_it() {
    let app = TestApp::new().await;
    let connector = held(&app).await;
    let first = running(&app, &connector).await;

    let there = another(&app, &connector, "return").await;
    assert_eq!((there.status, there.location()), (StatusCode::OK, first.as_str()));
    assert_eq!(there.json()["status"], "running");

    let queued = another(&app, &connector, "queue").await;
    assert_eq!((queued.status, &queued.json()["status"]), (StatusCode::ACCEPTED, &json!("queued")));
    let again = another(&app, &connector, "queue").await;
    assert_eq!((again.status, again.location()), (StatusCode::OK, queued.location()));
    let other_mode = json!({"on_conflict": "queue", "mode": "full_refresh"});
    let refused = app.post(&format!("{connector}/sync"), other_mode).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "sync.already_running"));
    assert_eq!(refused.location(), queued.location());

    app.post(&format!("{first}/cancel"), json!({})).await;
    app.until(queued.location(), |sync| sync["status"] == "running").await;

    let next = another(&app, &connector, "replace").await;
    assert_eq!(next.status, StatusCode::ACCEPTED);
    app.until(queued.location(), |sync| sync["status"] == "cancelled").await;
    app.until(next.location(), |sync| sync["status"] == "running").await;
    let last = another(&app, &connector, "queue").await;
    let newest = another(&app, &connector, "replace").await;
    app.until(newest.location(), |sync| sync["status"] == "running").await;
    assert_eq!(app.get(last.location()).await.json()["status"], "cancelled", "it never began");
}

#[tokio::test]
async fn a_trigger_that_was_answered_with_another_sync_is_answered_so_again() {
    let app = TestApp::without_workers().await;
    let connector = held(&app).await;
    let first = triggered(&app, &connector).await;
    let send = || async {
        let body = json!({"on_conflict": "return"});
        let request = crate::app::json(Method::POST, &format!("{connector}/sync"), body);
        app.send(with(request, "idempotency-key", "k")).await
    };
    let there = send().await;
    assert_eq!((there.status, there.location()), (StatusCode::OK, first.as_str()));
    app.post(&format!("{first}/cancel"), json!({})).await;
    let again = send().await;
    assert_eq!((again.status, again.location()), (StatusCode::OK, first.as_str()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(app.get(&format!("{connector}/sync")).await.ids().len(), 1);
}

#[tokio::test]
async fn a_sync_that_waits_is_not_begun_while_its_connector_is_paused() {
    let app = TestApp::new().await;
    let connector = held(&app).await;
    let first = running(&app, &connector).await;
    let queued = another(&app, &connector, "queue").await;
    app.patch(&connector, json!({"status": "paused"})).await;
    app.post(&format!("{first}/cancel"), json!({})).await;
    app.until(&first, |sync| sync["status"] == "cancelled").await;
    assert_eq!(app.get(queued.location()).await.json()["status"], "queued");
    app.patch(&connector, json!({"status": "active"})).await;
    app.until(queued.location(), |sync| sync["status"] == "running").await;
}

#[tokio::test]
async fn an_empty_body_is_an_empty_object_whatever_its_type() {
    let app = TestApp::without_workers().await;
    for content_type in
        [None, Some("application/json"), Some("application/x-www-form-urlencoded"), Some("text/plain")]
    {
        let connector = held(&app).await;
        for (path, status) in [("sync", StatusCode::ACCEPTED), ("sync/cancel", StatusCode::OK)] {
            let mut empty = request(Method::POST, &format!("{connector}/{path}"), Body::empty());
            if let Some(content_type) = content_type {
                empty = with(empty, "content-type", content_type);
            }
            let answer = app.send(empty).await;
            assert_eq!(answer.status, status, "{path} as {content_type:?}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_running_sync_shows_its_streams_and_is_cancelled_though_its_source_hangs() {
    let app = TestApp::new().await;
    let connector = held(&app).await;
    let sync = running(&app, &connector).await;
    let (shown, moves) = without_moves(app.get(&sync).await.json());
    assert_eq!((&moves[1]["to"], &moves[1]["cause"]), (&json!("running"), &json!("claimed")));
    assert_eq!((&shown["status"], &shown["attempt"]), (&json!("running"), &json!(1)));
    assert_eq!(shown["streams"][0]["name"], "rows");
    assert_eq!(app.get(&format!("{connector}/sync")).await.json()["data"][0], shown);

    let refused = app.post(&format!("{connector}/sync"), json!({})).await;
    assert_eq!(
        (refused.code().as_str(), &refused.json()["resource"]["id"]),
        ("sync.already_running", &shown["id"])
    );

    let cancelled = app.post(&format!("{connector}/sync/cancel"), json!({})).await;
    assert_eq!((cancelled.status, &cancelled.json()["status"]), (StatusCode::ACCEPTED, &json!("cancelling")));
    let ended = app.ended(&sync).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(
        app.get(&connector).await.json()["last_sync"],
        json!({"id": shown["id"], "status": "cancelled"})
    );
}

#[tokio::test]
async fn cancelling_one_sync_by_its_id_says_how_it_stands() {
    let app = TestApp::without_workers().await;
    let connector = held(&app).await;
    let sync = triggered(&app, &connector).await;
    for _ in 0..2 {
        let cancelled = app.post(&format!("{sync}/cancel"), json!({})).await;
        assert_eq!((cancelled.status, &cancelled.json()["status"]), (StatusCode::OK, &json!("cancelled")));
    }
    let next = triggered(&app, &connector).await;
    assert_ne!(next, sync, "a cancelled sync holds its connector no more");
    let other = held(&app).await;
    let of_other = sync.replace(&connector, &other);
    assert_eq!(app.post(&format!("{of_other}/cancel"), json!({})).await.code(), "sync.not_found");
    assert_eq!(app.get(&of_other).await.code(), "sync.not_found");
}

#[tokio::test]
async fn a_sync_that_has_ended_cannot_be_cancelled() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    let (sync, _) = without_moves(app.sync(&connector).await);
    assert_eq!(sync["status"], "succeeded");
    let path = format!("{connector}/sync/{}", sync["id"].as_str().unwrap());
    let refused = app.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "sync.already_finished"));
    assert_eq!((&refused.json()["resource"], refused.location()), (&sync, path.as_str()));
    assert_eq!(app.post(&format!("{connector}/sync/cancel"), json!({})).await.code(), "sync.none_active");
}

#[tokio::test]
async fn a_sync_of_real_files_ends_with_its_counts_and_streams() {
    let files = vec![("people.csv", "id,name\n1,Ada\n2,Grace\n"), ("empty.txt", "")];
    let app = TestApp::with(Setup { files, ..Setup::default() }).await;
    let path = app.folder.path().join("files").join("people.csv");
    let connector = app.connector(json!({"name": "people", "type": "files", "config": {"path": path}})).await;
    let sync = app.sync(&connector).await;
    assert_eq!((&sync["status"], &sync["error"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(sync["counts"]["created"], 2);
    assert_eq!(sync["streams"].as_array().unwrap().len(), 1);
    assert_eq!(sync["streams"][0]["counts"], sync["counts"]);
    assert_eq!(
        members(&sync["streams"][0]),
        members(&json!({"name": 0, "status": 0, "counts": 0, "error": 0}))
    );
    assert_eq!(app.get(COLLECTION).await.json()["records"], 2);
}

#[tokio::test]
async fn a_paused_connector_starts_no_sync_until_it_is_resumed() {
    let app = TestApp::without_workers().await;
    let connector = held(&app).await;
    assert_eq!(app.patch(&connector, json!({"status": "paused"})).await.json()["status"], "paused");
    assert_eq!(app.post(&format!("{connector}/sync"), json!({})).await.code(), "connector.paused");
    app.patch(&connector, json!({"status": "active"})).await;
    assert_eq!(app.post(&format!("{connector}/sync"), json!({})).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_sync_that_fails_says_why() {
    let app = TestApp::new().await;
    let gone = app.folder.path().join("files").join("gone.csv");
    let connector = app.connector(json!({"name": "gone", "type": "files", "config": {"path": gone}})).await;
    let sync = app.sync(&connector).await;
    assert_eq!(sync["status"], "failed");
    assert!(sync["error"]["code"].as_str().unwrap().contains('.'), "{sync}");
    assert!(sync["error"]["message"].is_string() && sync["error"]["retryable"].is_boolean());
}

#[tokio::test]
async fn a_head_request_has_no_body() {
    let app = TestApp::without_workers().await;
    let answer = app.send(request(Method::HEAD, "/v1/spaces", Body::empty())).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
}
