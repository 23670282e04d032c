//! `POST …/webhooks/{webhook_id}/rotate-secret`: gives a webhook a new secret. 200; the one before signs beside it for a day.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/webhooks/whk_01k…/rotate-secret
//! {"id":"whk_01k…",…,"previous_secret_ends_at":"…","secret":"whsec_…"}
//! ```

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::Fields;
use inlet_webhooks::SigningSecret;
use schemars::JsonSchema;
use serde_json::json;

use super::secret;
use super::view::{WebhookView, WebhookWithSecret};
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::find;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, path};
use crate::paths::WebhookPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// For how long the secret before a rotation signs too.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// Nothing is said of a rotation.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {}

pub(crate) fn operation() -> Operation {
    Operation::post("rotate_webhook_secret", path::WEBHOOK_ROTATE, Access::Write)
        .summary("Give a webhook a new secret")
        .description(
            "The answer has the secret, which is shown this once: sent again with its `Idempotency-Key`, the request is \
             answered without it. For 24 hours deliveries are signed with the secret before as well.",
        )
        .optional_body::<Rotation>(json!({}))
        .answers::<WebhookWithSecret>(
            StatusCode::OK,
            "The webhook, with its new secret.",
            WebhookWithSecret::example(),
        )
}

pub(crate) async fn rotate_secret(
    State(api): State<Api>,
    path: WebhookPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    Fields::new(post.body)?.finish()?;
    let now = api.clock.now();
    let old_ends_at = now.plus(OVERLAP);
    let view = WebhookView::from(find::webhook(&api, &path).await?).rotated(old_ends_at, now);
    let secret = SigningSecret::generate(&*api.entropy);
    let sealed = secret::sealed(&api, path.webhook_id, &secret);
    // What is kept for a repeated request is the answer without the secret.
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&Answer::ok(&view)));
    let answer = Answer::ok(&WebhookWithSecret::new(view, &secret));
    let (space_id, id) = (&path.space.space_id, path.webhook_id);
    let effect = api.catalog.webhook_rotate(space_id, id, sealed, old_ends_at, now, record).await?;
    match settle(answer, effect)? {
        Ok(answer) => Ok(answer),
        Err(()) => Err(find::absent_webhook(&api, &path).await?),
    }
}
