//! What a collection holds, and its change feed.

use axum::http::StatusCode;
use inlet_store::collection::{UpkeepProgress, UpkeepStep};
use serde_json::{Value, json};

use crate::app::{COLLECTION, TestApp};

const RECORDS: &str = "/v1/spaces/default/collections/default/records";
const CHANGES: &str = "/v1/spaces/default/collections/default/changes";

/// A connector that was pushed these records into `stream`, and has brought them into the collection.
async fn filled(app: &TestApp, stream: &str, body: &str) -> String {
    let connector = app.connector(json!({"name": stream, "type": "external_source"})).await;
    push(app, &connector, stream, body).await;
    connector
}

async fn push(app: &TestApp, connector: &str, stream: &str, body: &str) {
    let path = format!("{connector}/records?stream={stream}&key_field=id");
    let request = crate::app::request(axum::http::Method::POST, &path, body.to_owned());
    let pushed = app.send(crate::app::with(request, "content-type", "application/json")).await;
    assert_eq!(pushed.status, StatusCode::ACCEPTED, "{}", pushed.text());
    let sync = app.sync(connector).await;
    assert_eq!(sync["status"], "succeeded", "{sync}");
}

fn data(page: &Value) -> &Vec<Value> {
    page["data"].as_array().unwrap()
}

#[tokio::test]
async fn a_record_comes_out_as_it_went_in_digit_for_digit() {
    let app = TestApp::new().await;
    let exact = r#"{"big":123456789012345678901234567890,"id":7,"long":0.10000000000000000000000000001,"text":"\u00e9 \ud800"}"#;
    let connector = filled(&app, "numbers", exact).await;
    let page = app.get(RECORDS).await;
    assert!(page.text().contains(r#""big":123456789012345678901234567890"#), "{}", page.text());
    assert!(page.text().contains(r#""long":0.10000000000000000000000000001"#));
    assert!(page.text().contains(r"\ud800"), "half of a surrogate pair stays escaped");

    let one = app.get(&format!("{RECORDS}/numbers/7")).await;
    assert_eq!(one.status, StatusCode::OK);
    assert!(page.text().contains(one.text()), "one record looks as it does in the list");
    let head = r#","stream":"numbers","key":7,"data":{"big":123456789012345678901234567890,"#;
    assert!(one.text().contains(head), "{}", one.text());
    assert!(one.text().contains(connector.rsplit('/').next().unwrap()));
}

#[tokio::test]
async fn records_are_listed_by_stream_and_key_and_filtered_by_stream_and_connector() {
    let app = TestApp::new().await;
    let b = filled(&app, "b", r#"[{"id":2},{"id":10},{"id":"x"}]"#).await;
    filled(&app, "a", r#"[{"id":1},{"id":2}]"#).await;
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("{RECORDS}?limit=2{cursor}")).await.json();
        found.extend(data(&page).iter().map(|record| (record["stream"].clone(), record["key"].clone())));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut expected =
        [("b", json!("x")), ("b", json!(2)), ("b", json!(10)), ("a", json!(1)), ("a", json!(2))]
            .map(|(stream, key)| (json!(stream), key))
            .to_vec();
    // Streams stand in an order of the store's own; within one, keys are in order.
    if found.first().is_some_and(|(stream, _)| stream == "a") {
        expected.rotate_left(3);
    }
    assert_eq!(found, expected);

    let of_stream = app.get(&format!("{RECORDS}?stream=a")).await.json();
    assert_eq!(data(&of_stream).len(), 2);
    let id = b.rsplit('/').next().unwrap();
    let of_connector = app.get(&format!("{RECORDS}?connector_id={id}&limit=1")).await.json();
    assert_eq!(data(&of_connector)[0]["stream"], "b");
    let cursor = of_connector["next_cursor"].as_str().unwrap();
    assert_eq!(
        app.get(&format!("{RECORDS}?limit=1&cursor={cursor}")).await.code(),
        "pagination.cursor_invalid"
    );
    assert_eq!(data(&app.get(&format!("{RECORDS}?stream=none")).await.json()).len(), 0);
    for bad in ["connector_id=con_1", "stream=", "stream=a%0Ab"] {
        assert_eq!(app.get(&format!("{RECORDS}?{bad}")).await.code(), "request.invalid_parameter", "{bad}");
    }
}

#[tokio::test]
async fn a_key_is_written_in_a_url_as_json_or_bare() {
    let app = TestApp::new().await;
    filled(&app, "s", r#"[{"id":42},{"id":"42"},{"id":"a/b c"},{"id":true},{"id":"true story"}]"#).await;
    for (key, expected) in [
        ("42", json!(42)),
        ("42.0", json!(42)),
        ("%2242%22", json!("42")),
        ("a%2Fb%20c", json!("a/b c")),
        ("%22a%2Fb%20c%22", json!("a/b c")),
        ("true", json!(true)),
        ("true%20story", json!("true story")),
    ] {
        let found = app.get(&format!("{RECORDS}/s/{key}")).await;
        assert_eq!(found.json()["key"], expected, "{key}: {}", found.text());
    }
    for absent in ["s/43", "s/null", "s/%5B%5D", "t/42", "s/%7B%7D", "s/[42", "%00/42"] {
        assert_eq!(app.get(&format!("{RECORDS}/{absent}")).await.code(), "record.not_found", "{absent}");
    }
    assert_eq!(app.get(&format!("{RECORDS}/s/%FF")).await.code(), "request.invalid_path");
}

#[tokio::test]
async fn a_key_of_several_fields_is_an_array() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    let rows = json!([{"region": "EU", "no": 7, "x": 1}]);
    app.post(&format!("{connector}/records?key_field=region,no"), rows).await;
    app.sync(&connector).await;
    let found = app.get(&format!("{RECORDS}/records/%5B%22EU%22%2C7%5D")).await;
    assert_eq!(found.json()["key"], json!(["EU", 7]), "{}", found.text());
}

#[tokio::test]
async fn a_record_that_two_connectors_hold_is_ambiguous_until_one_is_named() {
    let app = TestApp::new().await;
    let first = filled(&app, "s", r#"{"id":1,"from":"first"}"#).await;
    filled(&app, "s", r#"{"id":1,"from":"second"}"#).await;
    let ambiguous = app.get(&format!("{RECORDS}/s/1")).await;
    assert_eq!((ambiguous.status, ambiguous.code().as_str()), (StatusCode::CONFLICT, "record.ambiguous"));
    let id = first.rsplit('/').next().unwrap();
    assert!(ambiguous.text().contains(id));
    let named = app.get(&format!("{RECORDS}/s/1?connector_id={id}")).await;
    assert_eq!(named.json()["data"]["from"], "first");
}

#[tokio::test]
async fn the_feed_tells_every_change_once_and_its_cursor_always_leads_on() {
    let app = TestApp::new().await;
    let empty = app.get(CHANGES).await.json();
    assert_eq!((data(&empty).len(), empty["next_cursor"].is_string()), (0, true));

    let connector = filled(&app, "s", r#"[{"id":1,"v":"a"},{"id":2,"v":"a"}]"#).await;
    let from_before =
        app.get(&format!("{CHANGES}?cursor={}", empty["next_cursor"].as_str().unwrap())).await.json();
    let from_zero = app.get(&format!("{CHANGES}?cursor=0")).await.json();
    assert_eq!(from_before["data"], from_zero["data"]);
    let ops: Vec<_> =
        data(&from_zero).iter().map(|change| (&change["op"], &change["key"], &change["change"])).collect();
    assert_eq!(ops, [(&json!("created"), &json!(1), &json!(1)), (&json!("created"), &json!(2), &json!(2))]);

    push(&app, &connector, "s", r#"[{"id":1,"v":"b"},{"id":2,"v":"a"}]"#).await;
    let cursor = from_zero["next_cursor"].as_str().unwrap();
    let next = app.get(&format!("{CHANGES}?cursor={cursor}")).await.json();
    let [change] = data(&next).as_slice() else { panic!("one record changed: {next}") };
    assert_eq!(
        (&change["op"], &change["key"], &change["data"]["v"]),
        (&json!("updated"), &json!(1), &json!("b"))
    );
    let last = next["next_cursor"].as_str().unwrap();
    assert_eq!(
        app.get(&format!("{CHANGES}?cursor={last}")).await.json(),
        json!({"data": [], "next_cursor": last})
    );
    assert_eq!(app.get(COLLECTION).await.json()["last_change"], change["change"]);
}

#[tokio::test]
async fn a_delete_is_a_change_without_data() {
    let app = TestApp::new().await;
    let connector = filled(&app, "records", r#"[{"id":1},{"id":2}]"#).await;
    let path = format!("{connector}/records?key_field=id");
    let request = crate::app::request(axum::http::Method::POST, &path, r#"{"op":"delete","key":1}"#);
    app.send(crate::app::with(request, "content-type", "application/vnd.inlet.envelope+json")).await;
    let sync = app.sync(&connector).await;
    assert_eq!(sync["counts"]["deleted"], 1, "{sync}");
    let changes = app.get(&format!("{CHANGES}?cursor=0")).await.json();
    let last = data(&changes).last().unwrap();
    assert_eq!((&last["op"], &last["key"], &last["data"]), (&json!("deleted"), &json!(1), &Value::Null));
    assert_eq!(last["sync_id"], sync["id"]);
    assert_eq!(app.get(&format!("{RECORDS}/records/1")).await.code(), "record.not_found");
}

#[tokio::test]
async fn a_reader_behind_what_has_left_the_feed_is_told_so_and_one_of_the_present_state_reads_on() {
    let app = TestApp::new().await;
    let connector = filled(&app, "s", r#"[{"id":1,"v":"a"},{"id":2,"v":"a"},{"id":3,"v":"a"}]"#).await;
    let old = app.get(&format!("{CHANGES}?cursor=0&limit=1")).await.json();
    push(&app, &connector, "s", r#"[{"id":1,"v":"b"},{"id":2,"v":"b"}]"#).await;
    let history = std::time::Duration::from_secs(24 * 60 * 60);
    let now = app.now().plus(2 * history);
    let step = UpkeepStep { now, history, runs: history, max_entries: 100 };
    let store_id = app.stores.list().await.unwrap()[0];
    let store = app.stores.open(store_id).await.unwrap();
    while store.upkeep_step(step).await.unwrap() == UpkeepProgress::More {}

    let old = old["next_cursor"].as_str().unwrap();
    for behind in [format!("cursor={old}"), "after=1".to_owned(), "after=4".to_owned()] {
        let told = app.get(&format!("{CHANGES}?{behind}")).await;
        assert_eq!(
            (told.status, told.code().as_str()),
            (StatusCode::GONE, "changes.cursor_expired"),
            "{behind}"
        );
        assert!(told.text().contains("up to change 5"), "{}", told.text());
    }
    assert_eq!(app.get(&format!("{CHANGES}?after=5")).await.status, StatusCode::OK);
    let (mut seen, mut cursor) = (Vec::new(), "0".to_owned());
    for _ in 0..3 {
        let page = app.get(&format!("{CHANGES}?cursor={cursor}&limit=1")).await.json();
        seen.extend(data(&page).iter().map(|change| change["change"].clone()));
        page["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
    }
    assert_eq!(seen, [json!(3), json!(4), json!(5)]);
}

#[tokio::test]
async fn the_feed_page_by_page_is_the_feed() {
    let app = TestApp::new().await;
    let rows: Vec<Value> = (0..25).map(|id| json!({"id": id})).collect();
    filled(&app, "s", &Value::from(rows).to_string()).await;
    let (mut numbers, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let page = app.get(&format!("{CHANGES}?limit=10&cursor={cursor}")).await.json();
        if data(&page).is_empty() {
            break;
        }
        numbers.extend(data(&page).iter().map(|change| change["change"].as_u64().unwrap()));
        cursor = page["next_cursor"].as_str().unwrap().to_owned();
    }
    assert_eq!(numbers, (1..=25).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_collection_made_anew_does_not_take_the_old_feed_s_cursor() {
    let app = TestApp::new().await;
    filled(&app, "s", r#"{"id":1}"#).await;
    let cursor = app.get(CHANGES).await.json()["next_cursor"].as_str().unwrap().to_owned();
    app.delete(&format!("{COLLECTION}?cascade=true")).await;
    app.post("/v1/spaces/default/collections", json!({"name": "again", "id": "default"})).await;
    assert_eq!(app.get(&format!("{CHANGES}?cursor={cursor}")).await.code(), "pagination.cursor_invalid");
}
