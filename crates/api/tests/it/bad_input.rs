//! Whatever is wrong with a request: its code, and a body that says what to do. Nothing is half done.

use std::fmt::Write;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, COLLECTION, Setup, TestApp, json as json_request, request, with};

const CONNECTORS: &str = "/v1/spaces/default/collections/default/connectors";
const NO_CONNECTOR: &str = "con_01h455vb4pex5vsknk084sn02q";

fn post(path: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    with(request(Method::POST, path, body), "content-type", content_type)
}

fn create(body: impl Into<Body>) -> Request<Body> {
    post(CONNECTORS, "application/json", body)
}

fn create_json(body: Value) -> Request<Body> {
    create(body.to_string())
}

fn get(path: &str) -> Request<Body> {
    request(Method::GET, path, Body::empty())
}

/// Each bad request, with what is bad about it and the code it must get.
fn bad_requests(connector: &str) -> Vec<(&'static str, &'static str, Request<Body>)> {
    let patch = |body: Value| json_request(Method::PATCH, connector, body);
    let no_connector = format!("{CONNECTORS}/{NO_CONNECTOR}");
    vec![
        // Unknown ids, of every kind and at every depth.
        ("space.not_found", "an unknown space", get("/v1/spaces/nowhere")),
        ("space.not_found", "an id that no space can have", get("/v1/spaces/No%20Where")),
        (
            "space.not_found",
            "a collection in an unknown space",
            get("/v1/spaces/nowhere/collections/default"),
        ),
        ("space.not_found", "a list in an unknown space", get("/v1/spaces/nowhere/collections")),
        (
            "space.not_found",
            "connectors in an unknown space",
            get("/v1/spaces/nowhere/collections/default/connectors"),
        ),
        (
            "collection.not_found",
            "an unknown collection",
            get("/v1/spaces/default/collections/nothing/records"),
        ),
        (
            "collection.not_found",
            "connectors of an unknown collection",
            get("/v1/spaces/default/collections/nothing/connectors"),
        ),
        ("connector.not_found", "an unknown connector", get(&no_connector)),
        ("connector.not_found", "an id that no connector can have", get(&format!("{CONNECTORS}/42"))),
        (
            "connector.not_found",
            "a sync as a connector",
            get(&format!("{CONNECTORS}/syn_01h455vb4pex5vsknk084sn02q")),
        ),
        ("connector.not_found", "syncs of an unknown connector", get(&format!("{no_connector}/sync"))),
        (
            "connector.not_found",
            "a trigger of an unknown connector",
            post(&format!("{no_connector}/sync"), "application/json", ""),
        ),
        (
            "sync.not_found",
            "an unknown sync",
            get(&format!("{connector}/sync/syn_01h455vb4pex5vsknk084sn02q")),
        ),
        ("sync.not_found", "an id that no sync can have", get(&format!("{connector}/sync/last"))),
        (
            "sync.none_active",
            "nothing to cancel",
            post(&format!("{connector}/sync/cancel"), "application/json", ""),
        ),
        ("record.not_found", "an unknown record", get(&format!("{COLLECTION}/records/stream/key"))),
        // Bodies that are no JSON, or too much of it.
        ("request.invalid_json", "half a body", create(r#"{"name": "#)),
        ("request.invalid_json", "blanks", create(" \n")),
        ("request.invalid_json", "a word", create("hello")),
        ("request.invalid_json", "two bodies", create("{}\n{}")),
        ("request.invalid_json", "a name twice", create(r#"{"name": "a", "name": "b"}"#)),
        ("request.invalid_json", "bytes that are no text", create(&b"{\"name\": \"\xff\"}"[..])),
        ("request.invalid_json", "a number that is none", create(r#"{"name": 01}"#)),
        ("request.too_deep", "arrays 10,000 deep", create("[".repeat(10_000))),
        (
            "request.too_deep",
            "closed arrays 10,000 deep",
            create(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ),
        (
            "request.too_deep",
            "objects 65 deep",
            create(format!("{}1{}", "{\"a\":".repeat(65), "}".repeat(65))),
        ),
        (
            "request.too_large",
            "2 MB where 1 MiB is allowed",
            create(json!({"name": "x".repeat(2_000_000)}).to_string()),
        ),
        ("request.media_type", "a form", post(CONNECTORS, "application/x-www-form-urlencoded", "name=a")),
        ("request.media_type", "a text", post(CONNECTORS, "text/plain", "{}")),
        (
            "request.media_type",
            "a merge patch as a POST",
            post(CONNECTORS, "application/merge-patch+json", "{}"),
        ),
        ("request.media_type", "a compressed body", with(create("x"), "content-encoding", "gzip")),
        // Fields.
        ("request.invalid_fields", "no object", create("[]")),
        ("request.invalid_fields", "an empty body", create("")),
        ("request.invalid_fields", "several fields missing", create_json(json!({}))),
        (
            "request.invalid_fields",
            "every field wrong",
            create_json(json!({
                "name": "", "type": 5, "config": [], "streams": {}, "schedule": {"cron": "daily", "timezone": "Berlin"}, "status": "asleep", "colour": "red"
            })),
        ),
        (
            "request.invalid_fields",
            "an unknown connector type",
            create_json(json!({"name": "a", "type": "carrier_pigeon"})),
        ),
        (
            "request.invalid_fields",
            "a bad config and a bad name",
            create_json(json!({
                "name": null, "type": "files", "config": {"format": "parchment", "pages": 3}
            })),
        ),
        (
            "request.invalid_fields",
            "a file outside the roots",
            create_json(json!({
                "name": "a", "type": "files", "config": {"path": "/etc/passwd"}
            })),
        ),
        (
            "request.invalid_fields",
            "a name of 201 characters",
            create_json(json!({"name": "é".repeat(201), "type": "external_source"})),
        ),
        (
            "request.invalid_fields",
            "bad streams",
            create_json(json!({
                "name": "a", "type": "external_source", "streams": [{"name": "s"}, {"name": "s", "mode": "never"}, {"primary_key": "id"}, 3]
            })),
        ),
        (
            "request.invalid_fields",
            "a space with a bad id",
            json_request(Method::POST, "/v1/spaces", json!({"id": "No Good", "name": 1})),
        ),
        (
            "request.invalid_fields",
            "a collection without a name",
            json_request(Method::POST, "/v1/spaces/default/collections", json!({"id": "x"})),
        ),
        ("request.invalid_fields", "another type", patch(json!({"type": "files"}))),
        ("request.invalid_fields", "a name taken away", patch(json!({"name": null}))),
        (
            "request.invalid_fields",
            "a field that is not to be set",
            patch(json!({"id": NO_CONNECTOR, "created_at": "now"})),
        ),
        ("request.invalid_fields", "a patch that is no object", patch(json!(["name"]))),
        ("request.invalid_fields", "a patch with a bad config", patch(json!({"config": {"x": 1}}))),
        (
            "request.invalid_fields",
            "an unknown mode",
            json_request(Method::POST, &format!("{connector}/sync"), json!({"mode": "fast", "now": true})),
        ),
        (
            "request.invalid_fields",
            "a cancel with a wish",
            json_request(Method::POST, &format!("{connector}/sync/cancel"), json!({"softly": true})),
        ),
        (
            "request.invalid_fields",
            "a space with another id and no name",
            json_request(Method::PATCH, "/v1/spaces/default", json!({"id": "x", "name": "", "colour": 1})),
        ),
        (
            "request.invalid_fields",
            "a collection in another space",
            json_request(Method::PATCH, COLLECTION, json!({"space_id": "x", "records": 0})),
        ),
        (
            "request.invalid_fields",
            "a state that is none",
            json_request(Method::PUT, &format!("{connector}/state"), json!({"stream": []})),
        ),
        (
            "request.invalid_fields",
            "bad streams of a state",
            json_request(
                Method::PUT,
                &format!("{connector}/state"),
                json!({"streams": [{"name": "", "scopes": 1}, 7, {"scopes": [{"scope": 1}, {"cursor": 1, "at": 2}]},
                                   {"name": "s", "scopes": [{"cursor": null}, {"cursor": null}]},
                                   {"name": "s", "scopes": []}]}),
            ),
        ),
        // Queries, paths and headers.
        ("request.invalid_parameter", "an order that is none", get("/v1/spaces?order=newest")),
        ("request.invalid_parameter", "a time that is none", get("/v1/spaces?created_after=yesterday")),
        ("request.invalid_parameter", "a name of nothing", get("/v1/spaces/default/collections?name=")),
        ("request.invalid_parameter", "a type there is not", get(&format!("{CONNECTORS}?type=pigeon"))),
        ("request.invalid_parameter", "a state of a connector", get(&format!("{CONNECTORS}?status=running"))),
        (
            "request.invalid_parameter",
            "states of syncs, one of them none",
            get(&format!("{connector}/sync?status=failed,active")),
        ),
        (
            "request.invalid_parameter",
            "what to do with records",
            request(Method::DELETE, &format!("{connector}?records=maybe"), Body::empty()),
        ),
        (
            "request.invalid_parameter",
            "a wait without a unit",
            get(&format!("{connector}/sync/syn_01h455vb4pex5vsknk084sn02q?wait=30")),
        ),
        (
            "request.invalid_parameter",
            "a wait beyond the limit",
            get(&format!("{connector}/sync/syn_01h455vb4pex5vsknk084sn02q?wait=2m")),
        ),
        (
            "request.unknown_parameter",
            "a removal by key",
            request(Method::DELETE, &format!("{COLLECTION}/records?key=1"), Body::empty()),
        ),
        ("request.unknown_parameter", "unknown parameters", get("/v1/spaces?limit=1&page=2&sort=name")),
        ("request.unknown_parameter", "a parameter where none is known", get("/v1/spaces/default?verbose=1")),
        (
            "request.unknown_parameter",
            "a parameter of a POST",
            post(&format!("{CONNECTORS}?dry_run=1"), "application/json", "{}"),
        ),
        ("request.invalid_parameter", "a parameter twice", get("/v1/spaces?limit=1&limit=2")),
        ("request.invalid_parameter", "a query that is no text", get("/v1/spaces?cursor=%FF%FE")),
        ("request.invalid_path", "a path that is no text", get("/v1/spaces/%FF")),
        ("pagination.limit_invalid", "a limit of nothing", get("/v1/spaces?limit=0")),
        ("pagination.cursor_invalid", "a cursor of nobody", get(&format!("{CONNECTORS}?cursor=AAAA"))),
        ("idempotency.key_invalid", "an empty idempotency key", with(create("{}"), "idempotency-key", "")),
        ("request.route_not_found", "an unknown path", get("/v1/nonsense")),
        ("request.route_not_found", "a slash at the end", get("/v1/spaces/")),
        ("request.route_not_found", "syncs in the plural", get(&format!("{connector}/syncs"))),
        ("request.route_not_found", "the root", get("/")),
        (
            "request.method_not_allowed",
            "a method that the path does not take",
            request(Method::PUT, connector, "{}"),
        ),
    ]
}

#[tokio::test]
async fn every_bad_request_has_its_code_and_leaves_nothing() {
    let app = TestApp::with(Setup { running_syncs: 0, ..Setup::default() }).await;
    let connector = app.connector(json!({"name": "there", "type": "external_source"})).await;
    let lists = ["/v1/spaces", "/v1/spaces/default/collections", CONNECTORS, &format!("{connector}/sync")];
    let mut before = Vec::new();
    for list in lists {
        before.push(app.get(list).await.json());
    }
    let mut told = String::new();
    for (code, what, bad) in bad_requests(&connector) {
        let answer = app.send(bad).await;
        assert_eq!(answer.code(), code, "{what}: {}", answer.text());
        write!(told, "{what}\n{}\n\n", shown(&answer)).unwrap();
    }
    for (list, before) in lists.into_iter().zip(before) {
        assert_eq!(app.get(list).await.json(), before, "{list}");
    }
    insta::with_settings!({ filters => vec![
        (r"(con|req)_[0-7][0-9a-z]{25}", "${1}_…"),
    ]}, { insta::assert_snapshot!(told) });
}

/// Status, telling headers and body, for people to read.
fn shown(answer: &Answer) -> String {
    let mut text = answer.status.to_string();
    for name in ["allow", "location", "retry-after"] {
        if let Some(value) = answer.header(name) {
            write!(text, "\n{name}: {value}").unwrap();
        }
    }
    write!(text, "\n{}", serde_json::to_string_pretty(&answer.json()).unwrap()).unwrap();
    text
}

#[tokio::test]
async fn a_body_without_a_content_type_is_taken_as_json() {
    let app = TestApp::without_workers().await;
    let body = json!({"name": "a", "type": "external_source"}).to_string();
    assert_eq!(app.send(request(Method::POST, CONNECTORS, body)).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_body_at_the_very_limits_passes() {
    let app = TestApp::without_workers().await;
    let body = json!({"name": "a", "type": "external_source"}).to_string();
    let padded = format!("{body}{}", " ".repeat((1 << 20) - body.len()));
    assert_eq!(app.send(create(padded)).await.status, StatusCode::CREATED);
    let deep = format!("{}1{}", "{\"a\":".repeat(64), "}".repeat(64));
    assert_eq!(app.send(create(deep)).await.code(), "request.invalid_fields");
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_is_bounded_too() {
    let app = TestApp::without_workers().await;
    let piece = || Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![b' '; 64 << 10]));
    let endless = Body::from_stream(futures_util::stream::repeat_with(piece));
    assert_eq!(app.send(post(CONNECTORS, "application/json", endless)).await.code(), "request.too_large");
    let broken = futures_util::stream::iter([piece(), Err(std::io::Error::other("cable cut"))]);
    let answer = app.send(post(CONNECTORS, "application/json", Body::from_stream(broken))).await;
    assert_eq!(answer.code(), "request.body_incomplete");
    assert!(!answer.text().contains("cable"), "the cause is for the log");
}
