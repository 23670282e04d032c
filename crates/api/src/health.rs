//! Whether the server lives, and whether it can answer. Neither asks for a key.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use inlet_store::catalog::{NameFilter, Order, PageQuery};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::operation::{Access, Operation};
use crate::problem::Problem;

const PATIENCE: Duration = Duration::from_secs(2);

/// How the server is.
#[derive(JsonSchema, Serialize)]
struct Health {
    /// `ok` or `ready`.
    status: &'static str,
}

pub(crate) fn healthz_operation() -> Operation {
    Operation::get("healthz", "/healthz", Access::Public)
        .summary("Whether the process lives")
        .answers::<Health>(StatusCode::OK, "It does.", json!({"status": "ok"}))
}

pub(crate) fn readyz_operation() -> Operation {
    Operation::get("readyz", "/readyz", Access::Public)
        .summary("Whether the server can answer")
        .answers::<Health>(StatusCode::OK, "It can.", json!({"status": "ready"}))
}

/// `GET /healthz`: the process answers. It looks at nothing else, so that no outage of a disk or a database makes a
/// supervisor restart a server that would come back by itself.
pub(crate) async fn healthz() -> Answer {
    Answer::ok(&Health { status: "ok" })
}

/// `GET /readyz`: the catalog answers within two seconds; else 503 `server.unavailable`.
pub(crate) async fn readyz(State(api): State<Api>) -> Result<Answer, Problem> {
    let first = PageQuery { after: None, limit: 1, order: Order::NewestFirst };
    let asked = api.catalog.space_list(NameFilter::default(), first);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(_)) => Ok(Answer::ok(&Health { status: "ready" })),
        Ok(Err(error)) => Err(not_ready().because(error)),
        Err(late) => Err(not_ready().because(late)),
    }
}

fn not_ready() -> Problem {
    let detail = "The catalog does not answer. Look at the server's log, and at its disk or its database.";
    Problem::new(Code::Unavailable, detail).header(RETRY_AFTER, HeaderValue::from_static("1"))
}
