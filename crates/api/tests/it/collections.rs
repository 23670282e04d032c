//! Spaces and collections.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::{COLLECTION, TestApp, json as json_request};

const SPACES: &str = "/v1/spaces";

#[tokio::test]
async fn a_new_server_has_one_space_with_one_collection() {
    let app = TestApp::new().await;
    assert_eq!(app.get(SPACES).await.ids(), ["default"]);
    assert_eq!(app.get("/v1/spaces/default/collections").await.ids(), ["default"]);
    let collection = app.get(COLLECTION).await.json();
    assert_eq!((&collection["records"], &collection["last_change"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_space_and_a_collection_are_made_found_and_deleted() {
    let app = TestApp::new().await;
    let space = app.post(SPACES, json!({"name": "Sales", "id": "sales"})).await;
    assert_eq!((space.status, space.location()), (StatusCode::CREATED, "/v1/spaces/sales"));
    let at = "2026-01-01T00:00:00.001Z";
    assert_eq!(space.json(), json!({"id": "sales", "name": "Sales", "created_at": at, "updated_at": at}));
    assert_eq!(app.get("/v1/spaces/sales").await.json(), space.json());

    let collections = "/v1/spaces/sales/collections";
    let made = app.post(collections, json!({"name": "Orders"})).await;
    let shown = made.json();
    let id = shown["id"].as_str().unwrap();
    assert!(id.starts_with("col_"));
    assert_eq!(made.location(), format!("{collections}/{id}"));
    assert_eq!(
        shown,
        json!({"id": id, "space_id": "sales", "name": "Orders", "records": 0, "bytes": 0, "last_change": 0,
               "removing": false, "created_at": shown["created_at"], "updated_at": shown["updated_at"]})
    );
    assert_eq!(app.get(made.location()).await.json()["name"], "Orders");
    assert_eq!(app.get(collections).await.ids(), [id]);

    assert_eq!(app.delete("/v1/spaces/sales").await.code(), "space.not_empty");
    assert_eq!(app.delete(made.location()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(made.location()).await.code(), "collection.not_found");
    assert_eq!(app.delete("/v1/spaces/sales").await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get("/v1/spaces/sales").await.code(), "space.not_found");
}

#[tokio::test]
async fn an_id_that_is_taken_names_what_has_it() {
    let app = TestApp::new().await;
    let taken = app.post(SPACES, json!({"name": "x", "id": "default"})).await;
    assert_eq!((taken.status, taken.code().as_str()), (StatusCode::CONFLICT, "space.already_exists"));
    assert_eq!(taken.json()["resource"], app.get("/v1/spaces/default").await.json());
    let taken = app.post("/v1/spaces/default/collections", json!({"name": "x", "id": "default"})).await;
    assert_eq!(taken.code(), "collection.already_exists");
    assert_eq!(taken.json()["resource"], app.get(COLLECTION).await.json());
    app.post(SPACES, json!({"name": "s", "id": "sales"})).await;
    let other = app.post("/v1/spaces/sales/collections", json!({"name": "x", "id": "default"})).await;
    assert_eq!(other.status, StatusCode::CREATED, "ids of collections are unique within a space");
}

#[tokio::test]
async fn a_collection_with_connectors_or_records_goes_only_with_cascade() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    assert_eq!(app.delete(COLLECTION).await.code(), "collection.not_empty");
    app.post(&format!("{connector}/records?key_field=id"), json!([{"id": 1}])).await;
    app.sync(&connector).await;
    app.delete(&connector).await;
    assert_eq!(app.delete(COLLECTION).await.code(), "collection.not_empty", "the records stayed");
    assert_eq!(app.delete(&format!("{COLLECTION}?cascade=false")).await.code(), "collection.not_empty");
    assert_eq!(app.delete(&format!("{COLLECTION}?cascade=yes")).await.code(), "request.invalid_parameter");
    assert_eq!(app.delete(&format!("{COLLECTION}?cascade=true")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&format!("{COLLECTION}/records")).await.code(), "collection.not_found");

    app.post("/v1/spaces/default/collections", json!({"name": "again", "id": "default"})).await;
    assert_eq!(app.get(COLLECTION).await.json()["records"], 0, "a collection made anew shows no old data");
}

#[tokio::test]
async fn a_space_goes_with_all_it_holds_and_what_runs_there_ends() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "held", "type": "held"})).await;
    let sync = app.post(&format!("{connector}/sync"), json!({})).await;
    app.until(sync.location(), |sync| sync["status"] == "running").await;
    assert_eq!(app.delete("/v1/spaces/default?cascade=true").await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(sync.location()).await.code(), "space.not_found");
    let id = sync.json()["id"].as_str().unwrap().parse().unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(30), app.engine.ended(id)).await.unwrap();
}

#[tokio::test]
async fn a_name_can_be_changed_under_either_media_type_and_nothing_else() {
    let app = TestApp::without_workers().await;
    let space = "/v1/spaces/default";
    for path in [space, COLLECTION] {
        let before = app.get(path).await.json();
        let renamed = app.patch(path, json!({"name": "Another"})).await;
        assert_eq!(renamed.status, StatusCode::OK);
        let mut expected = before.clone();
        expected["name"] = json!("Another");
        expected["updated_at"] = renamed.json()["updated_at"].clone();
        assert_eq!(renamed.json(), expected);
        assert_ne!(before["updated_at"], expected["updated_at"]);
        assert_eq!(app.get(path).await.json(), expected);
        for same in [json!({}), json!({"name": "Another"}), json!({"id": "default", "name": "Another"})] {
            assert_eq!(app.patch(path, same).await.json(), expected, "it changes nothing");
        }
        let mut merge = json_request(Method::PATCH, path, json!({"name": "Merged"}));
        merge.headers_mut().insert("content-type", "application/merge-patch+json".parse().unwrap());
        assert_eq!(app.send(merge).await.json()["name"], "Merged");

        let refused = app.patch(path, json!({"id": "other", "name": null, "created_at": "now"})).await;
        assert_eq!(refused.code(), "request.invalid_fields");
        let named: Vec<_> = refused.json()["errors"].as_array().unwrap().clone();
        let named: Vec<_> = named.iter().map(|it| (it["pointer"].clone(), it["code"].clone())).collect();
        let expected =
            [("/id", "field.immutable"), ("/name", "field.required"), ("/created_at", "field.unknown")];
        assert_eq!(named, expected.map(|(pointer, code)| (json!(pointer), json!(code))));
        assert_eq!(app.get(path).await.json()["name"], "Merged");
    }
    let moved = app.patch(COLLECTION, json!({"space_id": "sales"})).await;
    assert_eq!(moved.json()["errors"][0]["pointer"], "/space_id");
    assert_eq!(app.patch("/v1/spaces/nowhere", json!({"name": "x"})).await.code(), "space.not_found");
    let nowhere = "/v1/spaces/default/collections/nowhere";
    assert_eq!(app.patch(nowhere, json!({"name": "x"})).await.code(), "collection.not_found");
}
