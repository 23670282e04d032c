//! Whatever is sent, the answer is one that the API means to give: never a panic, never a text of the framework's.

use axum::body::Body;
use axum::http::{Method, Request};
use proptest::prelude::*;
use serde_json::json;

use crate::app::TestApp;

/// Parts of paths that lead somewhere, and some that do not.
const SEGMENTS: &[&str] = &[
    "v1",
    "spaces",
    "default",
    "collections",
    "connectors",
    "sync",
    "cancel",
    "records",
    "state",
    "changes",
    "check",
    "streams",
    "connector-types",
    "external_source",
    "{connector}",
    "healthz",
    "docs",
    "errors",
    "webhooks",
    "deliveries",
    "retry",
    "test",
    "whk_01h455vb4pex5vsknk084sn02q",
    "con_01h455vb4pex5vsknk084sn02q",
    "syn_01h455vb4pex5vsknk084sn02q",
    "%FF",
    "%00",
    "%2F",
    "..",
    "",
];
const METHODS: &[&str] = &["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "BREW"];
const QUERIES: &[&str] = &[
    "",
    "limit=1",
    "cursor=AAAA",
    "cascade=true",
    "order=asc",
    "status=failed",
    "wait=1ms",
    "records=delete",
    "stream=s",
    "key_field=id",
    "%zz=%",
    "a&&=b&a",
];
const TYPES: &[&str] =
    &["application/json", "application/x-ndjson", "application/merge-patch+json", "text/plain", ";", ""];
const BODIES: &[&str] = &[
    "",
    "{}",
    "[]",
    "null",
    "{\"name\":\"a\",\"type\":\"external_source\"}",
    "{\"op\":\"delete\",\"key\":1}",
    "{\"config\":{\"a\":\"********\"},\"schedule\":{\"every\":\"1h\"}}",
];

fn choice(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(of).prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let known = "/v1/spaces/default/collections/default/connectors/{connector}".to_owned();
    let start = prop_oneof![Just(String::new()), Just(known)];
    let rest = prop::collection::vec(prop_oneof![4 => choice(SEGMENTS), 1 => "[a-z0-9%_.~]{0,12}"], 0..5);
    (start, rest).prop_map(|(start, rest)| format!("{start}/{}", rest.join("/")))
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        choice(BODIES).prop_map(String::into_bytes),
        "[\\[\\]{}\":,a-z0-9 \\\\]{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Twenty requests a case, as making a server takes longer than asking it.
    #[test]
    fn every_answer_is_meant(
        requests in prop::collection::vec((choice(METHODS), path(), choice(QUERIES), choice(TYPES), body(), "[ -~]{0,20}"), 20)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = TestApp::without_workers().await;
            let connector = app.connector(json!({"name": "a", "type": "external_source"})).await;
            let id = connector.rsplit('/').next().unwrap();
            for (method, path, query, content_type, body, header) in requests {
                let request = Request::builder()
                    .method(method.parse::<Method>().unwrap())
                    .uri(format!("{}?{query}", path.replace("{connector}", id)))
                    .header("content-type", content_type)
                    .header("idempotency-key", &header)
                    .header("if-match", &header)
                    .header("x-request-id", &header);
                // What is no URI at all never reaches the API.
                let Ok(request) = request.body(Body::from(body)) else { continue };
                let answer = app.send(request).await;
                assert!(answer.status.as_u16() < 500, "{}", answer.text());
                if answer.status.is_client_error() && method != "HEAD" {
                    answer.code();
                }
            }
        });
    }
}
