//! Whether the server lives, and whether it can answer. Neither asks for a key.

use std::time::Duration;

use axum::extract::State;
use inlet_store::catalog::{NameFilter, Order, PageQuery};
use serde_json::json;

use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::problem::Problem;

const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process answers. It looks at nothing else, so that no outage of a disk or a database makes a
/// supervisor restart a server that would come back by itself.
pub(crate) async fn healthz() -> Answer {
    Answer::ok(&json!({ "status": "ok" }))
}

/// `GET /readyz`: the catalog answers within two seconds; else 503 `server.unavailable`.
pub(crate) async fn readyz(State(api): State<Api>) -> Result<Answer, Problem> {
    let first = PageQuery { after: None, limit: 1, order: Order::NewestFirst };
    let asked = api.catalog.space_list(NameFilter::default(), first);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(_)) => Ok(Answer::ok(&json!({ "status": "ready" }))),
        Ok(Err(error)) => Err(not_ready().because(error)),
        Err(late) => Err(not_ready().because(late)),
    }
}

fn not_ready() -> Problem {
    Problem::new(Code::Unavailable, "The catalog does not answer. Look at the server's log and its disk.")
}
