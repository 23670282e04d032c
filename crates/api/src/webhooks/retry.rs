//! `POST …/deliveries/{delivery_id}/retry`: sends a delivery again, wherever it stands. 202: it is sent at once.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/webhooks/whk_01k…/deliveries/msg_01k…/retry
//! {"id":"msg_01k…","event":"sync.failed","state":"waiting",…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::Fields;
use inlet_store::catalog::{Delivery, DeliveryProgress, RetryConflict};
use schemars::JsonSchema;
use serde_json::json;

use super::view::DeliveryView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, path};
use crate::paths::DeliveryPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// Nothing is said of a retry.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetryOptions {}

pub(crate) fn operation() -> Operation {
    let mut example = DeliveryView::example();
    example["state"] = "waiting".into();
    example["next_attempt_at"] = "2026-01-01T08:00:00.000Z".into();
    example["delivered_at"] = json!(null);
    Operation::post("retry_delivery", path::DELIVERY_RETRY, Access::Write)
        .summary("Send a delivery again")
        .description(
            "At once and under the same id, whether it waits, has arrived or is given up. Once 24 hours have passed since it \
             was queued it is tried this once more. One that is being sent is not sent a second time beside it.",
        )
        .optional_body::<RetryOptions>(json!({}))
        .answers::<DeliveryView>(StatusCode::ACCEPTED, "The delivery, which is sent at once.", example)
        .errors(&[Code::WebhookDisabled])
}

pub(crate) async fn retry(
    State(api): State<Api>,
    path: DeliveryPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    Fields::new(post.body)?.finish()?;
    let webhook = find::webhook(&api, &path.webhook).await?;
    let delivery = find::delivery(&api, &path).await?;
    let now = api.clock.now();
    let progress = DeliveryProgress::Waiting { next_attempt_at: now };
    let view = DeliveryView::from(Delivery { progress, ..delivery });
    let answer = Answer::new(StatusCode::ACCEPTED, &view);
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    let effect = api.catalog.delivery_retry(webhook.id, path.delivery_id, now, record).await?;
    let answer = settle(answer, effect)?.map_err(|conflict| match conflict {
        RetryConflict::Absent => find::no_delivery(path.delivery_id, &path.webhook),
        RetryConflict::Disabled => {
            let detail =
                "The webhook is disabled, so nothing of it is sent. Set its `status` to `active` first.";
            Problem::new(Code::WebhookDisabled, detail)
        }
    })?;
    api.webhooks.wake();
    Ok(answer)
}
