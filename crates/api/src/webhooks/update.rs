//! `PATCH …/webhooks/{webhook_id}`: changes settings of a webhook by a JSON merge patch (RFC 7396).
//!
//! ```text
//! curl -X PATCH http://127.0.0.1:8080/v1/spaces/default/webhooks/whk_01k… \
//!   -H 'Content-Type: application/json' -d '{"status": "disabled"}'
//! {"id":"whk_01k…","status":"disabled",…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_store::catalog::{Webhook, WebhookChange, WebhookUpdate};
use serde_json::{Value, json};

use super::fields::{self, WebhookPatch};
use super::view::WebhookView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Patch;
use crate::connectors::patched;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::WebhookPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::patch("update_webhook", path::WEBHOOK, Access::Write)
        .summary("Change settings of a webhook")
        .description("A JSON merge patch (RFC 7396). What waits while a webhook is disabled goes on when it is active again.")
        .merge_patch::<WebhookPatch>(json!({"status": "disabled"}))
        .answers::<WebhookView>(StatusCode::OK, "The webhook as it is now.", WebhookView::example())
}

pub(crate) async fn update(
    State(api): State<Api>,
    path: WebhookPath,
    _: NoQuery,
    Patch(patch): Patch,
) -> Result<Answer, Problem> {
    let before = find::webhook(&api, &path).await?;
    let change = read(&api, &before, patch)?;
    let now = api.clock.now();
    match api.catalog.webhook_update(&path.space.space_id, path.webhook_id, change, now).await? {
        WebhookUpdate::Updated(webhook) => {
            // What has waited while it was disabled may be due.
            api.webhooks.wake();
            Ok(Answer::ok(&WebhookView::from(*webhook)))
        }
        WebhookUpdate::Absent => Err(find::absent_webhook(&api, &path).await?),
        WebhookUpdate::Conflict(conflict) => Err(fields::refused(&path.space, conflict)),
    }
}

/// The fields in which the webhook, once it is patched, differs; others may change the rest meanwhile.
fn read(api: &Api, before: &Webhook, patch: Value) -> Result<WebhookChange, Problem> {
    let document = json!({
        "name": before.name,
        "url": before.url,
        "events": before.events,
        "collection_id": before.collection_id,
        "connector_id": before.connector_id,
        "status": before.status,
    });
    let after = fields::read(patched(document, patch), api.environment.egress)?;
    Ok(WebhookChange {
        name: (after.name != before.name).then_some(after.name),
        url: (after.url != before.url).then_some(after.url),
        events: (after.events != before.events).then_some(after.events),
        collection_id: (after.collection_id != before.collection_id).then_some(after.collection_id),
        connector_id: (after.connector_id != before.connector_id).then_some(after.connector_id),
        status: (after.status != before.status).then_some(after.status),
    })
}
