//! Lists in either order, and narrowed.

use serde_json::{Value, json};

use crate::app::{COLLECTION, TestApp};

const COLLECTIONS: &str = "/v1/spaces/default/collections";

fn names(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

async fn three_of_each(app: &TestApp) {
    for name in ["a", "b", "c"] {
        app.post("/v1/spaces", json!({"name": name, "id": name})).await;
        app.post(COLLECTIONS, json!({"name": name, "id": name})).await;
        app.connector(json!({"name": name, "type": "external_source"})).await;
    }
}

#[tokio::test]
async fn every_list_goes_in_either_order_page_by_page() {
    let app = TestApp::without_workers().await;
    three_of_each(&app).await;
    let connectors = format!("{COLLECTION}/connectors");
    for (path, first) in [("/v1/spaces", &["default"][..]), (COLLECTIONS, &["default"]), (&connectors, &[])] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app.get(&format!("{path}?limit=2&order=asc{cursor}")).await.json();
            seen.extend(names(&page).into_iter().map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected: Vec<&str> = first.iter().copied().chain(["a", "b", "c"]).collect();
        assert_eq!(seen, expected, "{path}");
        let newest = app.get(&format!("{path}?order=desc")).await.json();
        assert_eq!(names(&newest), expected.into_iter().rev().collect::<Vec<_>>(), "{path}");
        assert_eq!(app.get(path).await.json(), newest, "newest first is the default");
    }
}

#[tokio::test]
async fn lists_are_narrowed_by_name_and_by_time() {
    let app = TestApp::without_workers().await;
    three_of_each(&app).await;
    for path in ["/v1/spaces".to_owned(), COLLECTIONS.to_owned(), format!("{COLLECTION}/connectors")] {
        let all = app.get(&path).await.json();
        let made = |name: &str| {
            let items = all["data"].as_array().unwrap();
            items.iter().find(|item| item["name"] == name).unwrap()["created_at"].as_str().unwrap().to_owned()
        };
        assert_eq!(names(&app.get(&format!("{path}?name=b")).await.json()), ["b"]);
        assert_eq!(names(&app.get(&format!("{path}?name=B")).await.json()), [""; 0]);
        let since = app.get(&format!("{path}?created_after={}", made("a"))).await.json();
        assert_eq!(names(&since), ["c", "b"], "{path}: the time that is shown is not after itself");
        let before =
            app.get(&format!("{path}?created_after={}&created_before={}", made("a"), made("c"))).await;
        assert_eq!(names(&before.json()), ["b"]);
    }
    let nowhere = app.get("/v1/spaces/nowhere/collections?name=a").await;
    assert_eq!(nowhere.code(), "space.not_found", "an empty list is one of something that is there");
}

#[tokio::test]
async fn connectors_are_narrowed_by_type_and_status() {
    let app = TestApp::without_workers().await;
    let paused =
        app.connector(json!({"name": "paused", "type": "external_source", "status": "paused"})).await;
    app.connector(json!({"name": "active", "type": "external_source"})).await;
    app.connector(json!({"name": "held", "type": "held"})).await;
    let list = async |query: &str| {
        let page = app.get(&format!("{COLLECTION}/connectors?{query}")).await.json();
        names(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list("status=paused").await, ["paused"]);
    assert_eq!(list("type=external_source").await, ["active", "paused"]);
    assert_eq!(list("type=external_source&status=active").await, ["active"]);
    assert_eq!(list("type=held&status=paused").await, [""; 0]);
    app.patch(&paused, json!({"status": "active"})).await;
    assert_eq!(list("status=paused").await, [""; 0]);
}

#[tokio::test]
async fn syncs_are_narrowed_to_states() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    let path = format!("{connector}/sync");
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(app.post(&path, json!({})).await.json()["id"].as_str().unwrap().to_owned());
        if ids.len() < 3 {
            app.post(&format!("{path}/cancel"), json!({})).await;
        }
    }
    let list = async |query: &str| app.get(&format!("{path}?{query}")).await.ids();
    assert_eq!(list("status=queued").await, ids[2..]);
    assert_eq!(list("status=cancelled&order=asc").await, ids[..2]);
    assert_eq!(list("status=queued,cancelled&order=asc").await, ids);
    assert_eq!(list("status=failed,running").await, [""; 0]);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_filters_and_order_only() {
    let app = TestApp::without_workers().await;
    three_of_each(&app).await;
    let path = format!("{COLLECTION}/connectors");
    let filters = "type=external_source&created_after=2020-01-01T00:00:00Z&order=asc";
    let page = app.get(&format!("{path}?{filters}&limit=1")).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let reordered = "order=asc&created_after=2020-01-01T00:00:00Z&type=external_source";
    for same in [filters, reordered] {
        let rest = app.get(&format!("{path}?{same}&cursor={cursor}")).await.json();
        assert_eq!(names(&rest), ["b", "c"], "however the parameters are ordered");
    }
    for other in [
        "",
        "order=asc",
        "type=external_source&created_after=2020-01-01T00:00:00Z",
        "type=external_source&created_after=2020-01-01T00:00:00Z&order=desc",
        "type=held&created_after=2020-01-01T00:00:00Z&order=asc",
        "type=external_source&created_after=2021-01-01T00:00:00Z&order=asc",
        "type=external_source&created_before=2020-01-01T00:00:00Z&order=asc",
        "type=external_source&created_after=2020-01-01T00:00:00Z&order=asc&name=a",
    ] {
        let answer = app.get(&format!("{path}?{other}&cursor={cursor}")).await;
        assert_eq!(answer.code(), "pagination.cursor_invalid", "{other}");
    }
}
