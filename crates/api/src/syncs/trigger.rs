//! `POST …/sync`: triggers a sync. 202 with the queued sync; 409 names the one that has not ended, unless `on_conflict` says
//! what to do then. An empty body is `{}`.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync \
//!   -H 'Content-Type: application/json'
//! Location: /v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…
//! {"id":"syn_01k…","connector_id":"con_01k…","status":"queued","trigger":"api","mode":"incremental",…}
//! ```

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use inlet_model::fields::Fields;
use inlet_model::sync::{SyncMode, SyncTrigger};
use inlet_model::{StreamName, SyncId};
use inlet_store::catalog::{Actor, Connector, ConnectorStatus, OnConflict, Sync};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::only_streams;
use super::view::SyncView;
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::idempotency::{Attempt, settle};
use crate::operation::{Access, Operation, Param, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// How a sync is to run.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `read` reads it")]
struct NewSync {
    /// How it reads; `incremental` if it is left out.
    mode: Option<SyncMode>,
    /// The streams it reads, of those the connector has; all if it is left out.
    #[schemars(length(min = 1, max = 10_000))]
    streams: Option<Vec<StreamName>>,
    /// Whether it only finds out what it would do, and writes nothing.
    dry_run: Option<bool>,
    /// What becomes of it while another sync of the connector has not ended; `reject` if it is left out.
    on_conflict: Option<WhenOthersRun>,
}

/// What becomes of a trigger while another sync of the connector has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OnConflict")]
enum WhenOthersRun {
    /// It is refused; the answer names the other.
    #[default]
    Reject,
    /// The answer is the other, and nothing is queued.
    Return,
    /// It waits for the other. If one waits already in the same mode, the answer is that one.
    Queue,
    /// Others are cancelled, and it comes next.
    Replace,
}

impl WhenOthersRun {
    fn in_catalog(self) -> OnConflict {
        match self {
            Self::Reject | Self::Return => OnConflict::Reject,
            Self::Queue => OnConflict::Queue,
            Self::Replace => OnConflict::Replace,
        }
    }

    /// Whether a sync that is there already will do.
    fn accepts(self, wanted: &Wanted, there: &Sync) -> bool {
        match self {
            Self::Return => true,
            Self::Queue => {
                there.mode == wanted.mode
                    && there.only_streams == wanted.only_streams
                    && there.dry_run == wanted.dry_run
            }
            Self::Reject | Self::Replace => false,
        }
    }
}

pub(crate) fn operation() -> Operation {
    Operation::post("trigger_sync", path::SYNCS, Access::Write)
        .summary("Trigger a sync")
        .description(
            "One sync of a connector at a time, and one that waits for it. While one has not ended, `on_conflict` says what \
             becomes of another: `reject` answers 409 and names it, `return` answers 200 with it, `queue` waits for it, `replace` \
             cancels it and comes next.",
        )
        .optional_body::<NewSync>(json!({"mode": "full_refresh"}))
        .answers::<SyncView>(
            StatusCode::OK,
            "A sync there was already, where `on_conflict` allows that.",
            SyncView::example(),
        )
        .with_header(Param::header("Location", "Where the sync is."))
        .answers::<SyncView>(StatusCode::ACCEPTED, "The sync, queued.", SyncView::example())
        .with_header(Param::header("Location", "Where the sync is."))
        .link("get_sync", ITS_IDS)
        .link("cancel_sync", ITS_IDS)
        .errors(&[Code::SyncRunning, Code::ConnectorPaused, Code::ConnectorBusy])
}

/// Where the request and its answer name the sync.
pub(super) const ITS_IDS: &[(&str, &str)] = &[
    ("space_id", "$request.path.space_id"),
    ("collection_id", "$request.path.collection_id"),
    ("connector_id", "$response.body#/connector_id"),
    ("sync_id", "$response.body#/id"),
];

pub(crate) async fn trigger(
    State(api): State<Api>,
    path: ConnectorPath,
    caller: Caller,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let connector = find::connector(&api, &path).await?;
    let (wanted, conflict) = read(post.body, &connector)?;
    let sync = queued(&api, &connector, &caller, wanted.clone());
    let answer = Answer::new(StatusCode::ACCEPTED, &SyncView::from(sync.clone()))
        .location(path.sync(sync.id).to_string());
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    match settle(answer, api.catalog.sync_trigger(sync, conflict.in_catalog(), record).await?)? {
        Ok(answer) => {
            match conflict {
                WhenOthersRun::Replace => api.engine.unwanted(),
                WhenOthersRun::Reject | WhenOthersRun::Return | WhenOthersRun::Queue => api.engine.wake(),
            }
            Ok(answer)
        }
        Err(Some(there)) if conflict.accepts(&wanted, &there) => {
            found(&api, &path, there, post.attempt).await
        }
        Err(Some(there)) => Err(already_running(&api, &path, there).await?),
        Err(None) => Err(refused(&api, &path).await?),
    }
}

/// What is wanted of a sync.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) mode: SyncMode,
    pub(super) dry_run: bool,
    pub(super) only_streams: Option<Vec<StreamName>>,
}

fn read(body: Value, connector: &Connector) -> Result<(Wanted, WhenOthersRun), Problem> {
    let mut fields = Fields::new(body)?;
    let modes = [("incremental", SyncMode::Incremental), ("full_refresh", SyncMode::FullRefresh)];
    let mode = fields.choice("mode", &modes);
    let conflicts = [
        ("reject", WhenOthersRun::Reject),
        ("return", WhenOthersRun::Return),
        ("queue", WhenOthersRun::Queue),
        ("replace", WhenOthersRun::Replace),
    ];
    let conflict = fields.choice("on_conflict", &conflicts);
    let dry_run = fields.boolean("dry_run").unwrap_or(false);
    let only_streams = only_streams::take(&mut fields, connector);
    fields.finish()?;
    let wanted = Wanted { mode: mode.unwrap_or_default(), dry_run, only_streams };
    Ok((wanted, conflict.unwrap_or_default()))
}

/// Answers with a sync that is there already; a repeated request is answered with the same, as it was.
async fn found(
    api: &Api,
    path: &ConnectorPath,
    there: Sync,
    attempt: Option<Attempt>,
) -> Result<Answer, Problem> {
    let location = path.sync(there.id).to_string();
    let answer = Answer::ok(&SyncView::read(api, there).await?).location(location);
    let Some(attempt) = attempt else { return Ok(answer) };
    let record = attempt.record(&answer);
    match settle(answer, api.catalog.sync_found(record).await?)? {
        Ok(answer) => Ok(answer),
        Err(nothing) => match nothing {},
    }
}

/// A sync that is asked for now.
pub(super) fn queued(api: &Api, connector: &Connector, caller: &Caller, wanted: Wanted) -> Sync {
    let now = api.clock.now();
    // Only a command on this machine has the local token.
    let trigger = if caller.actor == Actor::Local { SyncTrigger::Cli } else { SyncTrigger::Api };
    let sync = Sync::queued(SyncId::new(now, &*api.entropy), connector, trigger, wanted.mode, now);
    Sync { dry_run: wanted.dry_run, only_streams: wanted.only_streams, ..sync }
}

/// What stands in the way of whoever needs a connector without a sync under way.
pub(crate) async fn already_running(
    api: &Api,
    path: &ConnectorPath,
    running: Sync,
) -> Result<Problem, Problem> {
    let location = path.sync(running.id).to_string();
    let detail = format!(
        "The sync `{}` of this connector is {} and has not ended. Wait for it, or cancel it first.",
        running.id, running.status
    );
    let view = SyncView::read(api, running).await?;
    let location = HeaderValue::try_from(location).expect("a path of ids is visible ASCII");
    Ok(Problem::new(Code::SyncRunning, detail).resource(&view).header(header::LOCATION, location))
}

/// Why the catalog takes no sync of a connector that no other sync holds.
pub(super) async fn refused(api: &Api, path: &ConnectorPath) -> Result<Problem, Problem> {
    match find::connector(api, path).await?.status {
        ConnectorStatus::Paused => {
            let detail = format!(
                "The connector is paused. `PATCH {path}` with `{{\"status\": \"active\"}}` resumes it."
            );
            Ok(Problem::new(Code::ConnectorPaused, detail))
        }
        // It was resumed since.
        ConnectorStatus::Active => {
            Ok(Problem::new(Code::ConnectorBusy, "The connector was being changed. Try again in a moment."))
        }
    }
}
