//! Records that a sync refused: listed with their reasons, and read again once what was wrong has been mended.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{TestApp, json as json_request, with};

const BAD: &str = "{\"id\":1}\n{\"id\":2,}\n{\"id\":3}\n{\"id\":4,}\n";
const MENDED: &str = "{\"id\":1}\n{\"id\":2 }\n{\"id\":3}\n{\"id\":4 }\n";

/// Two files of which one has bad lines, and a connector that has read them.
async fn refusing() -> (TestApp, String, Value) {
    let app = TestApp::new().await;
    let folder = app.folder.path().join("files");
    std::fs::write(folder.join("bad.jsonl"), BAD).unwrap();
    std::fs::write(folder.join("good.jsonl"), "{\"id\":10}\n").unwrap();
    let stream = json!({"name": "people", "primary_key": ["id"]});
    let config = json!({"path": "*.jsonl", "stream": "people"});
    let connector = json!({"name": "c", "type": "files", "config": config, "streams": [stream]});
    let connector = app.connector(connector).await;
    let sync = app.sync(&connector).await;
    assert_eq!((&sync["status"], &sync["counts"]["rejected"]), (&json!("succeeded"), &json!(2)), "{sync}");
    (app, connector, sync)
}

fn rejected(connector: &str, sync: &Value) -> String {
    format!("{connector}/sync/{}/rejected", sync["id"].as_str().unwrap())
}

fn positions(page: &Value) -> Vec<u64> {
    page["data"].as_array().unwrap().iter().map(|record| record["position"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_records_are_listed_with_their_reasons_and_narrowed() {
    let (app, connector, sync) = refusing().await;
    let path = rejected(&connector, &sync);
    let whole = app.get(&path).await.json();
    let first = &whole["data"][0];
    assert_eq!(whole["data"].as_array().unwrap().len(), 2);
    assert_eq!((&first["seq"], &first["stream"]), (&json!(1), &json!("people")));
    assert!(first["scope"].as_str().unwrap().ends_with("bad.jsonl"));
    assert!(first["code"].as_str().unwrap().starts_with("json."), "{first}");
    assert_eq!(first["sample"], "{\"id\":2,}");
    let page = app.get(&format!("{path}?limit=1")).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = app.get(&format!("{path}?limit=1&cursor={cursor}")).await.json();
    assert_eq!(
        (positions(&page), positions(&next)),
        (vec![positions(&whole)[0]], vec![positions(&whole)[1]])
    );
    assert_eq!(next["next_cursor"], Value::Null);
    let code = first["code"].as_str().unwrap();
    assert_eq!(app.get(&format!("{path}?stream=people&code={code}")).await.json()["data"], whole["data"]);
    for none in ["stream=other", "code=key.missing"] {
        assert_eq!(app.get(&format!("{path}?{none}")).await.json()["data"], json!([]), "{none}");
    }
    assert_eq!(app.get(&format!("{path}?code=")).await.code(), "request.invalid_parameter");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_of_a_file_come_in_once_it_is_mended_and_nothing_goes() {
    let (app, connector, sync) = refusing().await;
    let replay = async || {
        let replay = app.post(&format!("{}/replay", rejected(&connector, &sync)), json!({})).await;
        assert_eq!(replay.status, StatusCode::ACCEPTED, "{}", replay.text());
        let queued = replay.json();
        assert_eq!((&queued["replays"], &queued["only_streams"]), (&sync["id"], &json!(["people"])));
        let ended = app.ended(replay.location()).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
        ["created", "updated", "deleted", "rejected"].map(|name| ended["counts"][name].as_u64().unwrap())
    };
    assert_eq!(replay().await, [0, 0, 0, 2], "it is read again, and is as it was");
    std::fs::write(app.folder.path().join("files/bad.jsonl"), MENDED).unwrap();
    assert_eq!(replay().await, [2, 0, 0, 0]);
    assert_eq!(app.records().await.len(), 5);
}

/// A connector to which a record was pushed whose key its settings do not find.
async fn pushed() -> (TestApp, String, Value) {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    let records = json!([{"code": "a", "n": 1}, {"id": 7, "code": "b"}]);
    app.post(&format!("{connector}/records?stream=people"), records).await;
    app.patch(&connector, json!({"streams": [{"name": "people", "primary_key": ["id"]}]})).await;
    let sync = app.sync(&connector).await;
    assert_eq!((&sync["counts"]["rejected"], &sync["counts"]["created"]), (&json!(1), &json!(1)), "{sync}");
    (app, connector, sync)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_push_comes_in_whole_once_the_settings_are_mended() {
    let (app, connector, sync) = pushed().await;
    app.patch(&connector, json!({"streams": [{"name": "people", "primary_key": ["code"]}]})).await;
    let replay = format!("{}/replay", rejected(&connector, &sync));
    let replayed = app.ended(app.post(&replay, json!({})).await.location()).await;
    assert_eq!((&replayed["status"], &replayed["counts"]["created"]), (&json!("succeeded"), &json!(1)));
    let records = app.records().await;
    let data: Vec<&Value> = records.iter().map(|record| &record["data"]).collect();
    assert!(data.contains(&&json!({"code": "a", "n": 1})), "{data:?}");
    // What was pushed again is not pushed twice.
    let again = app.ended(app.post(&replay, json!({})).await.location()).await;
    assert_eq!((&again["status"], &again["counts"]["read"]), (&json!("succeeded"), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_refused_again_can_be_replayed_from_the_sync_that_refused_it_last() {
    let (app, connector, sync) = pushed().await;
    let replay = format!("{}/replay", rejected(&connector, &sync));
    let refused = app.ended(app.post(&replay, json!({})).await.location()).await;
    assert_eq!(refused["counts"]["rejected"], 1, "nothing was mended");
    app.patch(&connector, json!({"streams": [{"name": "people", "primary_key": ["code"]}]})).await;
    let replay = format!("{}/replay", rejected(&connector, &refused));
    let replayed = app.ended(app.post(&replay, json!({})).await.location()).await;
    assert_eq!(replayed["counts"]["created"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_sent_twice_is_done_once() {
    let (app, connector, sync) = pushed().await;
    let path = format!("{}/replay", rejected(&connector, &sync));
    let send = || with(json_request(Method::POST, &path, json!({})), "idempotency-key", "once");
    let first = app.send(send()).await;
    app.ended(first.location()).await;
    let second = app.send(send()).await;
    assert_eq!((second.status, second.body), (first.status, first.body));
    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(app.get(&format!("{connector}/sync")).await.ids().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_nothing_to_replay_or_a_sync_is_in_the_way_it_is_said() {
    let (app, connector, sync) = refusing().await;
    let clean = app.connector(json!({"name": "clean", "type": "external_source"})).await;
    let nothing = app.sync(&clean).await;
    let path = format!("{}/replay", rejected(&clean, &nothing));
    let refused = app.post(&path, json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "sync.none_rejected"));
    assert_eq!(app.post(&path, json!({"stream": "s"})).await.code(), "request.invalid_fields");
    let foreign = format!("{}/replay", rejected(&clean, &sync));
    assert_eq!(app.post(&foreign, json!({})).await.code(), "sync.not_found");
    app.patch(&connector, json!({"status": "paused"})).await;
    let path = format!("{}/replay", rejected(&connector, &sync));
    assert_eq!(app.post(&path, json!({})).await.code(), "connector.paused");

    let app = TestApp::without_workers().await;
    let held = app.connector(json!({"name": "held", "type": "held"})).await;
    let queued = app.post(&format!("{held}/sync"), json!({})).await.json();
    let refused = app.post(&format!("{}/replay", rejected(&held, &queued)), json!({})).await;
    assert_eq!(
        (refused.code().as_str(), &refused.json()["resource"]["id"]),
        ("sync.already_running", &queued["id"])
    );
}
