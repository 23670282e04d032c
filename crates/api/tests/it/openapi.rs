//! The OpenAPI document: whole, consistent in itself, and pinned.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::Value;

use crate::app::TestApp;

async fn document() -> Value {
    let app = TestApp::without_workers().await;
    let answer = app.get("/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some("application/json")));
    answer.json()
}

/// Every operation: its path, its method, itself.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// Every value of a member of this name, wherever it stands.
fn all_named<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|member| all_named(member, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all_named(item, name, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_operations_are_pinned() {
    let document = document().await;
    let lines = operations(&document).map(|(path, method, operation)| {
        let responses = operation["responses"].as_object().unwrap();
        let statuses: Vec<&str> = responses.keys().map(String::as_str).collect();
        let (id, role) = (&operation["operationId"], &operation["x-required-role"]);
        format!(
            "{} {path}\n  {} needs {}; answers {}",
            method.to_uppercase(),
            id.as_str().unwrap(),
            role.as_str().unwrap(),
            statuses.join(" ")
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn the_objects_are_pinned() {
    insta::assert_json_snapshot!(document().await["components"]);
}

#[tokio::test]
async fn every_operation_has_an_id_of_its_own_a_summary_and_only_known_statuses() {
    let document = document().await;
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} names two operations");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(StatusCode::from_bytes(status.as_bytes()).is_ok(), "{status}");
            assert!(response["description"].is_string(), "{id} {status}");
        }
    }
}

#[tokio::test]
async fn every_reference_and_every_link_leads_somewhere() {
    let document = document().await;
    let mut references = Vec::new();
    all_named(&document, "$ref", &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let mut links = Vec::new();
    all_named(&document, "links", &mut links);
    assert!(!links.is_empty());
    for (name, link) in links.into_iter().flat_map(|links| links.as_object().unwrap()) {
        let (.., to) = operations(&document)
            .find(|(.., operation)| operation["operationId"] == link["operationId"])
            .unwrap_or_else(|| panic!("{name} leads nowhere"));
        let taken: BTreeSet<&str> =
            to["parameters"].as_array().unwrap().iter().map(|each| each["name"].as_str().unwrap()).collect();
        for parameter in link["parameters"].as_object().unwrap().keys() {
            assert!(taken.contains(parameter.as_str()), "{name} does not take {parameter}");
        }
    }
}

#[tokio::test]
async fn every_status_of_an_error_names_its_codes() {
    let document = document().await;
    for (path, method, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.as_str() < "400" {
                continue;
            }
            let codes = response["x-codes"].as_array().unwrap();
            assert!(!codes.is_empty(), "{method} {path} {status}");
            assert_eq!(
                response["content"]["application/problem+json"]["schema"]["$ref"],
                "#/components/schemas/Problem"
            );
        }
    }
}

#[tokio::test]
async fn the_page_for_people_has_every_operation_and_object_and_runs_no_script() {
    let app = TestApp::without_workers().await;
    let answer = app.get("/docs").await;
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let page = answer.text();
    assert!(!page.contains("<script"));
    let document = app.get("/openapi.json").await.json();
    for (.., operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(page.contains(&format!("<article id=\"{id}\">")), "{id}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("<article id=\"object-{name}\">")), "{name}");
    }
}
