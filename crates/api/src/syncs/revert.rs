//! `POST …/sync/{sync_id}/revert`: triggers a sync that undoes what that sync did to the records, and pauses the connector. 202 with
//! the new sync. An empty body is `{}`.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…/revert
//! Location: /v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…
//! {"id":"syn_01k…","status":"queued","reverts":"syn_01k…",…,"connector_status":"paused"}
//! ```

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use inlet_model::fields::Fields;
use inlet_model::sync::SyncMode;
use inlet_store::catalog::{ConnectorStatus, OnConflict, RevertConflict, Sync};
use inlet_store::collection::NoUndo;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::trigger::{ITS_IDS, Wanted, already_running, queued};
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

/// How a sync is to be undone.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `read` reads it")]
struct NewRevert {
    /// What becomes of it while another sync of the connector has not ended; `reject` if it is left out.
    on_conflict: Option<WhenOthersRun>,
}

/// What becomes of a revert while another sync has not ended: it is refused, or others are cancelled and it comes next.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OnConflictOfRevert")]
#[expect(dead_code, reason = "it only says what the body is; `read` reads it")]
enum WhenOthersRun {
    Reject,
    Replace,
}

/// A sync that undoes another.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Revert")]
struct RevertView {
    #[serde(flatten)]
    sync: SyncView,
    /// What the connector has become: it is paused, so that the next sync does not bring back what is undone. Its `notice` says so.
    connector_status: ConnectorStatus,
}

impl RevertView {
    /// One for the documents.
    fn example() -> Value {
        let mut example = SyncView::example();
        example["reverts"] = json!("syn_01h455vb4pex5vsknk084sn02r");
        example["connector_status"] = json!("paused");
        example
    }
}

pub(crate) fn operation() -> Operation {
    Operation::post("revert_sync", path::SYNC_REVERT, Access::Write)
        .summary("Undo a sync")
        .description(
            "Triggers a sync that makes the records what they were before that sync, and pauses the connector. What has changed since \
             stays as it is, and counts as `unchanged`. How far the streams were read is forgotten: once the connector is resumed, its \
             next sync reads them from the beginning. A revert can be reverted.",
        )
        .optional_body::<NewRevert>(json!({}))
        .answers::<RevertView>(StatusCode::ACCEPTED, "The sync that undoes, queued.", RevertView::example())
        .with_header(Param::header("Location", "Where the sync is."))
        .link("get_sync", ITS_IDS)
        .link("cancel_sync", ITS_IDS)
        .errors(&[
            Code::RevertNothing,
            Code::RevertExpired,
            Code::RevertDone,
            Code::SyncRunning,
        ])
}

pub(crate) async fn revert(
    State(api): State<Api>,
    path: SyncPath,
    caller: Caller,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let on_conflict = read(post.body)?;
    let connector = find::connector(&api, &path.connector).await?;
    let undone = find::sync(&api, &path).await?;
    if !undone.status.is_final() {
        return Err(already_running(&api, &path.connector, undone).await?);
    }
    check(&api, &undone).await?;
    let wanted = Wanted { mode: SyncMode::Incremental, dry_run: false, only_streams: None };
    let revert = Sync { reverts: Some(undone.id), ..queued(&api, &connector, &caller, wanted) };
    let view = RevertView { sync: SyncView::from(revert.clone()), connector_status: ConnectorStatus::Paused };
    let answer =
        Answer::new(StatusCode::ACCEPTED, &view).location(path.connector.sync(revert.id).to_string());
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    match settle(answer, api.catalog.sync_revert(revert, on_conflict, record).await?)? {
        Ok(answer) => {
            // Others may be cancelled, and the connector does not sync by itself any more.
            api.engine.unwanted();
            api.engine.rescheduled();
            Ok(answer)
        }
        Err(RevertConflict::Reverted(earlier)) => Err(already_reverted(&api, &path, earlier).await?),
        Err(RevertConflict::Unfinished(there)) => Err(already_running(&api, &path.connector, there).await?),
        Err(RevertConflict::Absent) => Err(find::absent_connector(&api, &path.connector).await?),
    }
}

fn read(body: Value) -> Result<OnConflict, Problem> {
    let mut fields = Fields::new(body)?;
    let conflicts = [("reject", OnConflict::Reject), ("replace", OnConflict::Replace)];
    let on_conflict = fields.choice("on_conflict", &conflicts);
    fields.finish()?;
    Ok(on_conflict.unwrap_or_default())
}

/// Whether a sync that has ended has done something, and that can still be undone.
async fn check(api: &Api, undone: &Sync) -> Result<(), Problem> {
    if undone.dry_run {
        return Err(Problem::new(Code::RevertNothing, "The sync is a dry run: it has written nothing."));
    }
    let store = api.stores.open(undone.store_id).await?;
    let run = store.run(undone.id).await?;
    let is_forgotten = run.is_none() && undone.counts.changed() > 0;
    if run.is_none_or(|run| run.changes.is_none()) && !is_forgotten {
        return Err(Problem::new(Code::RevertNothing, "The sync has changed no record."));
    }
    let undo_time = api.engine.undo_time();
    if let Some(ended) = undone.finished_at.filter(|ended| api.clock.now().since(*ended) > undo_time) {
        let hours = undo_time.as_secs_f64() / 3600.0;
        let detail =
            format!("The sync ended at {ended}. A sync can be undone for {hours} hours after its end.");
        return Err(Problem::new(Code::RevertExpired, detail));
    }
    match store.no_undo(undone.connector_id, undone.id).await? {
        None => Ok(()),
        Some(NoUndo::Expired { .. } | NoUndo::Unknown) => {
            let detail = "The history that undoing the sync needs is not kept any more.";
            Err(Problem::new(Code::RevertExpired, detail))
        }
        Some(NoUndo::NotEnded) => {
            let detail = "Records of the connector were removed while the sync ran: it was cut off, and cannot be undone.";
            Err(Problem::new(Code::RevertExpired, detail))
        }
    }
}

/// The sync is undone, or is about to be.
async fn already_reverted(api: &Api, path: &SyncPath, earlier: Sync) -> Result<Problem, Problem> {
    let detail = format!("The sync `{}`, which is {}, undoes this one.", earlier.id, earlier.status);
    let location = path.connector.sync(earlier.id).to_string();
    let location = HeaderValue::try_from(location).expect("a path of ids is visible ASCII");
    let problem = Problem::new(Code::RevertDone, detail).header(header::LOCATION, location);
    Ok(problem.resource(&SyncView::read(api, earlier).await?))
}
