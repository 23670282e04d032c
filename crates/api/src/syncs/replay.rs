//! `POST …/sync/{sync_id}/rejected/replay`: triggers a sync that reads again what the sync refused. 202 with that sync.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…/rejected/replay
//! Location: /v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…
//! {"id":"syn_01k…","status":"queued","replays":"syn_01k…","only_streams":["people"],…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::StreamName;
use inlet_model::fields::Fields;
use inlet_model::sync::SyncMode;
use inlet_store::catalog::{Connector, OnConflict, Sync};
use inlet_store::collection::StreamProgress;
use schemars::JsonSchema;
use serde_json::json;

use super::trigger::{ITS_IDS, Wanted, already_running, queued, refused};
use super::view::SyncView;
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// Nothing can be said with a replay.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replay {}

pub(crate) fn operation() -> Operation {
    Operation::post("replay_rejected_records", path::SYNC_REPLAY, Access::Write)
        .summary("Read again what a sync refused")
        .description(
            "For when the source, or how it is read, has been mended. Triggers a sync that lists those parts of the source again in \
             which records were refused: of `files` the files, of others the streams. What was pushed is pushed again as it was. \
             Nothing is deleted first.",
        )
        .optional_body::<Replay>(json!({}))
        .answers::<SyncView>(StatusCode::ACCEPTED, "The sync that reads again, queued.", SyncView::example())
        .with_header(Param::header("Location", "Where the sync is."))
        .link("get_sync", ITS_IDS)
        .errors(&[Code::SyncNoneRejected, Code::SyncRunning, Code::ConnectorPaused, Code::ConnectorBusy])
}

pub(crate) async fn replay(
    State(api): State<Api>,
    path: SyncPath,
    caller: Caller,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    Fields::new(post.body)?.finish()?;
    let connector = find::connector(&api, &path.connector).await?;
    let refusing = find::sync(&api, &path).await?;
    if !refusing.status.is_final() {
        return Err(already_running(&api, &path.connector, refusing).await?);
    }
    let only_streams = streams(&api, &connector, &refusing)?;
    let wanted = Wanted { mode: SyncMode::Incremental, dry_run: false, only_streams };
    let sync = Sync { replays: Some(refusing.id), ..queued(&api, &connector, &caller, wanted) };
    let answer = Answer::new(StatusCode::ACCEPTED, &SyncView::from(sync.clone()))
        .location(path.connector.sync(sync.id).to_string());
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    match settle(answer, api.catalog.sync_trigger(sync, OnConflict::Reject, record).await?)? {
        Ok(answer) => {
            api.engine.wake();
            Ok(answer)
        }
        Err(Some(there)) => Err(already_running(&api, &path.connector, there).await?),
        Err(None) => Err(refused(&api, &path.connector).await?),
    }
}

/// The streams that are to be read, of those that the connector reads; `None`: whatever was pushed.
fn streams(api: &Api, connector: &Connector, refusing: &Sync) -> Result<Option<Vec<StreamName>>, Problem> {
    let is_read = |progress: &&StreamProgress| match &connector.streams {
        Some(streams) => streams.iter().any(|stream| stream.name == progress.name),
        None => true,
    };
    let refused = refusing.streams.iter().filter(|progress| progress.counts.rejected > 0).filter(is_read);
    let refused: Vec<StreamName> = refused.map(|progress| progress.name.clone()).collect();
    if refused.is_empty() {
        let detail = "The sync has refused no record of a stream that its connector still reads.";
        return Err(Problem::new(Code::SyncNoneRejected, detail));
    }
    let is_pushed = api.registry.get(&connector.kind).is_ok_and(|kind| kind.accepts_push());
    Ok((!is_pushed).then_some(refused))
}
