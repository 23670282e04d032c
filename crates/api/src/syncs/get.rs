//! `GET …/sync/{sync_id}`: one sync, with its present numbers.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…
//! {"id":"syn_01k…","status":"running","counts":{"read":5000,…},"streams":[{"name":"airports","status":"running",…}],…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;

use super::view::SyncView;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_sync", path::SYNC, Access::Read).summary("Show a sync").answers::<SyncView>(
        StatusCode::OK,
        "The sync, with its present numbers.",
        SyncView::example(),
    )
}

pub(crate) async fn get(State(api): State<Api>, path: SyncPath, _: NoQuery) -> Result<Answer, Problem> {
    let sync = find::sync(&api, &path).await?;
    Ok(Answer::ok(&SyncView::read(&api, sync).await?))
}
