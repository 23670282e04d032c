//! What describes the API: the OpenAPI document, and a page for people. Both are made once, from the operations.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::app::Api;
use crate::operation::{Access, Operation};
use crate::query::NoQuery;
use crate::{docs_page, openapi};

/// The documents, as they are sent.
#[derive(Debug)]
pub(crate) struct Documents {
    operations: Vec<Operation>,
    /// Made when somebody first asks: most processes, such as a command that needs no server, are never asked.
    made: OnceLock<Made>,
}

#[derive(Debug)]
struct Made {
    openapi: Bytes,
    page: Bytes,
}

impl Documents {
    /// The documents of these operations.
    pub(crate) fn of(operations: Vec<Operation>) -> Self {
        Self { operations, made: OnceLock::new() }
    }

    fn get(&self) -> &Made {
        self.made.get_or_init(|| {
            let document = openapi::document(&self.operations);
            let text = serde_json::to_vec_pretty(&document).expect("a JSON value is written out");
            Made { page: docs_page::of(&document).into(), openapi: text.into() }
        })
    }
}

pub(crate) fn openapi_operation() -> Operation {
    Operation::get("get_openapi", "/openapi.json", Access::Public)
        .summary("Describe the API")
        .answers_text("The OpenAPI 3.1 document.", "application/json")
}

/// `GET /openapi.json`
pub(crate) async fn openapi(State(api): State<Api>, _: NoQuery) -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], api.documents.get().openapi.clone())
        .into_response()
}

pub(crate) fn docs_operation() -> Operation {
    Operation::get("get_docs", "/docs", Access::Public)
        .summary("Describe the API to people")
        .answers_text("A page that needs no network but this server.", "text/html")
}

/// `GET /docs`
pub(crate) async fn docs(State(api): State<Api>, _: NoQuery) -> Response {
    // The page brings its style along and runs no script.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, api.documents.get().page.clone()).into_response()
}
