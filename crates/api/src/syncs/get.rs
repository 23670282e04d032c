//! `GET …/sync/{sync_id}`: one sync, with its present numbers and its history. With `?wait=30s` the answer is held until the sync has ended or
//! the time is over.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…
//! {"id":"syn_01k…","status":"running","counts":{"read":5000,…},"streams":[{"name":"airports","status":"running",…}],…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use schemars::json_schema;

use super::view::SyncWithMoves;
use super::wait::{self, Waiting, take_wait};
use crate::answer::Answer;
use crate::app::Api;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    let wait = "Hold the answer until the sync has ended or this time is over: a whole number with its unit, such as `30s`, \
                `500ms` or `1m`, at most a minute.";
    Operation::get("get_sync", path::SYNC, Access::Read)
        .summary("Show a sync")
        .description("With `wait`, look at `finished_at`, and ask again if it is `null`.")
        .param(Param::written(
            "wait",
            wait,
            json_schema!({"type": "string", "pattern": "^(0|[1-9][0-9]?)s$"}),
        ))
        .answers::<SyncWithMoves>(
            StatusCode::OK,
            "The sync, with its present numbers and its history.",
            SyncWithMoves::example(),
        )
}

pub(crate) async fn get(
    State(api): State<Api>,
    path: SyncPath,
    mut query: Query,
    waiting: Waiting,
) -> Result<Answer, Problem> {
    let wait = take_wait(&mut query)?;
    query.finish()?;
    let sync = wait::ended(&api, &path, wait, waiting).await?;
    Ok(Answer::ok(&SyncWithMoves::read(&api, sync).await?))
}
