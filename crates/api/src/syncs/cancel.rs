//! `POST …/sync/cancel` cancels whatever is active or queued; `POST …/sync/{sync_id}/cancel` that one sync.
//!
//! 202 `cancelling` if it was running: it ends within a second. 200 `cancelled` if it had not begun. What was committed
//! stays. A cancel is idempotent by itself: repeated, it says how the sync stands now.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/cancel
//! {"id":"syn_01k…","status":"cancelling",…}
//! ```

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use inlet_model::SyncId;
use inlet_model::fields::Fields;
use inlet_store::catalog::CancelEffect;
use schemars::JsonSchema;
use serde_json::json;

use super::view::SyncView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::{ConnectorPath, SyncPath};
use crate::problem::Problem;
use crate::query::NoQuery;

/// Nothing can be said with a cancel.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cancel {}

pub(crate) fn active_operation() -> Operation {
    described(Operation::post("cancel_active_sync", path::SYNCS_CANCEL, Access::Write))
        .summary("Cancel whatever is running or queued")
        .errors(&[Code::SyncNoneActive])
}

pub(crate) fn one_operation() -> Operation {
    described(Operation::post("cancel_sync", path::SYNC_CANCEL, Access::Write)).summary("Cancel a sync")
}

fn described(operation: Operation) -> Operation {
    operation
        .description("What was committed stays. Repeated, it says how the sync stands now.")
        .optional_body::<Cancel>(json!({}))
        .answers::<SyncView>(StatusCode::OK, "It had not begun, and is cancelled.", SyncView::example())
        .answers::<SyncView>(
            StatusCode::ACCEPTED,
            "It was running, and ends within a second.",
            SyncView::example(),
        )
        .errors(&[Code::SyncFinished])
}

pub(crate) async fn cancel_active(
    State(api): State<Api>,
    path: ConnectorPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    cancel(&api, path, None, post).await
}

pub(crate) async fn cancel_one(
    State(api): State<Api>,
    path: SyncPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    cancel(&api, path.connector, Some(path.sync_id), post).await
}

async fn cancel(api: &Api, path: ConnectorPath, id: Option<SyncId>, post: Post) -> Result<Answer, Problem> {
    Fields::new(post.body)?.finish()?;
    let connector = find::connector(api, &path).await?;
    match api.catalog.sync_cancel(connector.id, id, api.clock.now()).await? {
        CancelEffect::Cancelling(sync) => {
            api.engine.cancel(sync.id);
            Ok(Answer::new(StatusCode::ACCEPTED, &SyncView::read(api, sync).await?))
        }
        CancelEffect::Cancelled(sync) => {
            // It may have been waiting, with the engine counting the time, or have asked whether it may delete.
            api.engine.cancel(sync.id);
            api.engine.wake();
            Ok(Answer::ok(&SyncView::read(api, sync).await?))
        }
        CancelEffect::AlreadyFinished(sync) => {
            let detail = format!("The sync has already ended: it {}.", sync.status);
            let location = path.sync(sync.id).to_string();
            let location = HeaderValue::try_from(location).expect("a path of ids is visible ASCII");
            let problem = Problem::new(Code::SyncFinished, detail).header(header::LOCATION, location);
            Err(problem.resource(&SyncView::read(api, sync).await?))
        }
        CancelEffect::None => Err(match id {
            Some(id) => find::no_sync(id, &path),
            None => Problem::new(
                Code::SyncNoneActive,
                format!(
                    "No sync of this connector is running or queued. `GET {path}/sync` lists those that ended."
                ),
            ),
        }),
    }
}
