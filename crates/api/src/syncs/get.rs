//! `GET …/sync/{sync_id}`: one sync, with its present numbers. With `?wait=30s` the answer is held until the sync has ended or
//! the time is over.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…
//! {"id":"syn_01k…","status":"running","counts":{"read":5000,…},"streams":[{"name":"airports","status":"running",…}],…}
//! ```

use axum::extract::State;

use super::view::SyncView;
use super::wait::{self, Waiting, take_wait};
use crate::answer::Answer;
use crate::app::Api;
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) async fn get(
    State(api): State<Api>,
    path: SyncPath,
    mut query: Query,
    waiting: Waiting,
) -> Result<Answer, Problem> {
    let wait = take_wait(&mut query)?;
    query.finish()?;
    let sync = wait::ended(&api, &path, wait, waiting).await?;
    Ok(Answer::ok(&SyncView::read(&api, sync).await?))
}
