//! `POST …/sync/{sync_id}/approve` lets a sync delete what it asked about; `POST …/sync/{sync_id}/discard` ends it without.
//!
//! 202 `running` once it is approved: it goes on as soon as a worker is free. 200 `cancelled` once it is discarded: its records
//! stay, and the next sync asks again.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…/approve
//! {"id":"syn_01k…","status":"running",…}
//! ```

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use inlet_model::fields::Fields;
use inlet_model::sync::SyncStatus;
use inlet_store::catalog::Sync;
use schemars::JsonSchema;
use serde_json::json;

use super::view::SyncView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, path};
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// Nothing can be said with a decision.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decision {}

pub(crate) fn approve_operation() -> Operation {
    Operation::post("approve_sync", path::SYNC_APPROVE, Access::Write)
        .summary("Let a sync delete what it asked about")
        .description(
            "It deletes exactly what `GET …/deletes` shows; what its source has after all, where that can be asked, stays.",
        )
        .optional_body::<Decision>(json!({}))
        .answers::<SyncView>(StatusCode::ACCEPTED, "It goes on.", SyncView::example())
        .errors(&[Code::SyncNotAsking])
}

pub(crate) fn discard_operation() -> Operation {
    Operation::post("discard_sync", path::SYNC_DISCARD, Access::Write)
        .summary("End a sync instead of letting it delete")
        .description("What it has read stays, and so do the records that it would have deleted. The next sync asks again.")
        .optional_body::<Decision>(json!({}))
        .answers::<SyncView>(StatusCode::OK, "It is cancelled.", SyncView::example())
        .errors(&[Code::SyncNotAsking])
}

pub(crate) async fn approve(
    State(api): State<Api>,
    path: SyncPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let (found, after) = begin(&api, &path, &post, SyncStatus::Running).await?;
    let answer = Answer::new(StatusCode::ACCEPTED, &after);
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    let effect = api.catalog.sync_approve(found.connector_id, found.id, api.clock.now(), record).await?;
    finish(&api, &path, settle(answer, effect)?).await
}

pub(crate) async fn discard(
    State(api): State<Api>,
    path: SyncPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let (found, after) = begin(&api, &path, &post, SyncStatus::Cancelled).await?;
    let answer = Answer::ok(&after);
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    let effect = api.catalog.sync_discard(found.connector_id, found.id, api.clock.now(), record).await?;
    finish(&api, &path, settle(answer, effect)?).await
}

/// The sync, and how it is shown once the decision is made.
async fn begin(api: &Api, path: &SyncPath, post: &Post, to: SyncStatus) -> Result<(Sync, SyncView), Problem> {
    Fields::new(post.body.clone())?.finish()?;
    let found = find::sync(api, path).await?;
    let finished_at = to.is_final().then(|| api.clock.now());
    let after = SyncView::from(Sync { status: to, finished_at, ..found.clone() });
    Ok((found, after))
}

async fn finish(
    api: &Api,
    path: &SyncPath,
    settled: Result<Answer, Option<Sync>>,
) -> Result<Answer, Problem> {
    match settled {
        Ok(answer) => {
            // Its worker, or whoever takes back what it would have deleted; and those who watch it.
            api.engine.unwanted();
            Ok(answer)
        }
        Err(Some(other)) => Err(not_asking(api, path, other).await?),
        Err(None) => Err(find::no_sync(path.sync_id, &path.connector)),
    }
}

/// The sync has nothing to be decided.
async fn not_asking(api: &Api, path: &SyncPath, sync: Sync) -> Result<Problem, Problem> {
    let detail = format!("The sync is {}: it does not wait for an approval.", sync.status);
    let location = path.connector.sync(sync.id).to_string();
    let location = HeaderValue::try_from(location).expect("a path of ids is visible ASCII");
    let problem = Problem::new(Code::SyncNotAsking, detail).header(header::LOCATION, location);
    Ok(problem.resource(&SyncView::read(api, sync).await?))
}
