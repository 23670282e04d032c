//! Lists page by page.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::{COLLECTION, TestApp};

/// Every page of a list, by two's.
async fn pages(app: &TestApp, path: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let and = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let separator = if path.contains('?') { '&' } else { '?' };
        let page = app.get(&format!("{path}{separator}limit=2{and}")).await.json();
        pages.push(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return pages,
        }
    }
}

fn ids(pages: &[Vec<Value>]) -> Vec<String> {
    pages.iter().flatten().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_list_of_the_catalog_goes_from_the_newest_to_the_oldest() {
    let app = TestApp::without_workers().await;
    for id in ["a", "b", "c", "d"] {
        app.post("/v1/spaces", json!({"name": id, "id": id})).await;
        app.post("/v1/spaces/default/collections", json!({"name": id, "id": id})).await;
        app.connector(json!({"name": id, "type": "external_source"})).await;
    }
    for path in ["/v1/spaces", "/v1/spaces/default/collections"] {
        assert_eq!(ids(&pages(&app, path).await), ["d", "c", "b", "a", "default"], "{path}");
    }
    let connectors = pages(&app, &format!("{COLLECTION}/connectors")).await;
    assert_eq!(connectors.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    let names: Vec<_> = connectors.iter().flatten().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["d", "c", "b", "a"]);
}

#[tokio::test]
async fn the_syncs_of_a_connector_are_listed_page_by_page() {
    let app = TestApp::without_workers().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        let sync = app.post(&format!("{connector}/sync"), json!({})).await.json();
        expected.insert(0, sync["id"].as_str().unwrap().to_owned());
        app.post(&format!("{connector}/sync/cancel"), json!({})).await;
    }
    assert_eq!(ids(&pages(&app, &format!("{connector}/sync")).await), expected);
}

#[tokio::test]
async fn nothing_is_skipped_or_repeated_when_things_are_added_between_pages() {
    let app = TestApp::without_workers().await;
    for id in ["a", "b", "c"] {
        app.post("/v1/spaces", json!({"name": id, "id": id})).await;
    }
    let first = app.get("/v1/spaces?limit=2").await.json();
    app.post("/v1/spaces", json!({"name": "later", "id": "later"})).await;
    app.delete("/v1/spaces/c?cascade=true").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = app.get(&format!("/v1/spaces?limit=2&cursor={cursor}")).await;
    assert_eq!(rest.ids(), ["a", "default"]);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only_and_not_when_it_was_changed() {
    let app = TestApp::without_workers().await;
    app.post("/v1/spaces", json!({"name": "a", "id": "a"})).await;
    app.post("/v1/spaces/default/collections", json!({"name": "a", "id": "a"})).await;
    let cursor = app.get("/v1/spaces?limit=1").await.json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(app.get(&format!("/v1/spaces?limit=200&cursor={cursor}")).await.ids(), ["default"]);

    let elsewhere = ["/v1/spaces/default/collections", COLLECTION_CONNECTORS, RECORDS, CHANGES];
    for path in elsewhere {
        assert_eq!(
            app.get(&format!("{path}?cursor={cursor}")).await.code(),
            "pagination.cursor_invalid",
            "{path}"
        );
    }
    let mut tampered: BTreeSet<String> = (0..cursor.len())
        .map(|at| {
            let letter = if cursor.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{letter}{}", &cursor[..at], &cursor[at + 1..])
        })
        .collect();
    tampered.extend(["", "0", "%20", "AAAA", &cursor[1..], &cursor[..cursor.len() - 1]].map(str::to_owned));
    tampered.extend([format!("{cursor}A"), format!("{cursor}="), "é".repeat(3).replace('é', "%C3%A9")]);
    for cursor in tampered {
        assert_eq!(
            app.get(&format!("/v1/spaces?cursor={cursor}")).await.code(),
            "pagination.cursor_invalid",
            "{cursor}"
        );
    }
}

const COLLECTION_CONNECTORS: &str = "/v1/spaces/default/collections/default/connectors";
const RECORDS: &str = "/v1/spaces/default/collections/default/records";
const CHANGES: &str = "/v1/spaces/default/collections/default/changes";

#[tokio::test]
async fn a_limit_beyond_the_bounds_is_refused() {
    let app = TestApp::without_workers().await;
    for (path, most) in [("/v1/spaces", 200), (COLLECTION_CONNECTORS, 200), (RECORDS, 1000), (CHANGES, 1000)]
    {
        assert_eq!(app.get(&format!("{path}?limit={most}")).await.status.as_u16(), 200, "{path}");
        for limit in
            ["0".to_owned(), (most + 1).to_string(), "-1".to_owned(), "many".to_owned(), String::new()]
        {
            assert_eq!(
                app.get(&format!("{path}?limit={limit}")).await.code(),
                "pagination.limit_invalid",
                "{path}"
            );
        }
    }
}
