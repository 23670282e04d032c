//! `POST …/sync`: triggers a sync. 202 with the queued sync; 409 names the one that has not ended. An empty body is `{}`.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync \
//!   -H 'Content-Type: application/json'
//! Location: /v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…
//! {"id":"syn_01k…","connector_id":"con_01k…","status":"queued","trigger":"api","mode":"incremental",…}
//! ```

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use inlet_model::SyncId;
use inlet_model::fields::Fields;
use inlet_model::sync::{SyncMode, SyncTrigger};
use inlet_store::catalog::{Actor, Connector, ConnectorStatus, Sync};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::view::SyncView;
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::{ConnectorPath, SyncPath};
use crate::problem::Problem;
use crate::query::NoQuery;

/// How a sync is to run.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `read_mode` reads it")]
struct NewSync {
    /// How it reads; `incremental` if it is left out.
    mode: Option<SyncMode>,
}

pub(crate) fn operation() -> Operation {
    Operation::post("trigger_sync", path::SYNCS, Access::Write)
        .summary("Trigger a sync")
        .description("One sync of a connector at a time: while one has not ended, the answer names it.")
        .optional_body::<NewSync>(json!({"mode": "full_refresh"}))
        .answers::<SyncView>(StatusCode::ACCEPTED, "The sync, queued.", SyncView::example())
        .with_header(Param::header("Location", "Where the sync is."))
        .link("get_sync", ITS_IDS)
        .link("cancel_sync", ITS_IDS)
        .errors(&[Code::SyncRunning, Code::ConnectorPaused, Code::ConnectorBusy])
}

/// Where the request and its answer name the sync.
const ITS_IDS: &[(&str, &str)] = &[
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
    let mode = read_mode(post.body)?;
    let connector = find::connector(&api, &path).await?;
    let sync = queued(&api, &connector, &caller, mode);
    let made = SyncPath { connector: path.clone(), sync_id: sync.id };
    let answer = Answer::new(StatusCode::ACCEPTED, &SyncView::from(sync.clone())).location(made.to_string());
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    match settle(answer, api.catalog.sync_trigger(sync, record).await?)? {
        Ok(answer) => {
            api.engine.wake();
            Ok(answer)
        }
        Err(Some(running)) => Err(already_running(&api, &path, running).await?),
        Err(None) => Err(refused(&api, &path).await?),
    }
}

fn read_mode(body: Value) -> Result<SyncMode, Problem> {
    let mut fields = Fields::new(body)?;
    let modes = [("incremental", SyncMode::Incremental), ("full_refresh", SyncMode::FullRefresh)];
    let mode = fields.choice("mode", &modes);
    fields.finish()?;
    Ok(mode.unwrap_or_default())
}

fn queued(api: &Api, connector: &Connector, caller: &Caller, mode: SyncMode) -> Sync {
    let now = api.clock.now();
    // Only a command on this machine has the local token.
    let trigger = if caller.actor == Actor::Local { SyncTrigger::Cli } else { SyncTrigger::Api };
    Sync::queued(SyncId::new(now, &*api.entropy), connector, trigger, mode, now)
}

/// What stands in the way of whoever needs a connector without a sync under way.
pub(crate) async fn already_running(
    api: &Api,
    path: &ConnectorPath,
    running: Sync,
) -> Result<Problem, Problem> {
    let location = SyncPath { connector: path.clone(), sync_id: running.id }.to_string();
    let detail = format!(
        "The sync `{}` of this connector is {} and has not ended. Wait for it, or cancel it first.",
        running.id, running.status
    );
    let view = SyncView::read(api, running).await?;
    let location = HeaderValue::try_from(location).expect("a path of ids is visible ASCII");
    Ok(Problem::new(Code::SyncRunning, detail).resource(&view).header(header::LOCATION, location))
}

/// Why the catalog takes no sync of a connector that no other sync holds.
async fn refused(api: &Api, path: &ConnectorPath) -> Result<Problem, Problem> {
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
