//! `POST /v1/spaces/{space_id}/webhooks`: makes a webhook. 201, with its secret, which is shown this once.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/webhooks -H 'Content-Type: application/json' \
//!   -d '{"name": "Alerts", "url": "https://example.com/inlet", "events": ["sync.failed"]}'
//! {"id":"whk_01k…","space_id":"default",…,"secret":"whsec_…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::WebhookId;
use inlet_store::catalog::{Webhook, WebhookSecrets};
use inlet_webhooks::SigningSecret;
use serde_json::json;

use super::fields::{self, NewWebhook};
use super::secret;
use super::view::{WebhookView, WebhookWithSecret};
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::codes::Code;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::{SpacePath, WebhookPath};
use crate::problem::Problem;
use crate::query::NoQuery;

/// Where an answer names the webhook.
const ITS_IDS: &[(&str, &str)] =
    &[("space_id", "$response.body#/space_id"), ("webhook_id", "$response.body#/id")];

pub(crate) fn operation() -> Operation {
    let example = json!({"name": "Alerts", "url": "https://example.com/inlet", "events": ["sync.failed"]});
    Operation::post("create_webhook", path::WEBHOOKS, Access::Write)
        .summary("Make a webhook")
        .description(
            "The answer has the secret, which is shown this once: sent again with its `Idempotency-Key`, the request is \
             answered without it.",
        )
        .body::<NewWebhook>(example)
        .answers::<WebhookWithSecret>(
            StatusCode::CREATED,
            "The webhook, with its secret.",
            WebhookWithSecret::example(),
        )
        .with_header(Param::header("Location", "Where the webhook is."))
        .link("get_webhook", ITS_IDS)
        .link("update_webhook", ITS_IDS)
        .link("test_webhook", ITS_IDS)
        .link("list_deliveries", ITS_IDS)
        .link("delete_webhook", ITS_IDS)
        .errors(&[Code::WebhookTooMany])
}

pub(crate) async fn create(
    State(api): State<Api>,
    path: SpacePath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let now = api.clock.now();
    let settings = fields::read(post.body, api.environment.egress)?;
    let id = WebhookId::new(now, &*api.entropy);
    let secret = SigningSecret::generate(&*api.entropy);
    let webhook = Webhook {
        id,
        space_id: path.space_id.clone(),
        collection_id: settings.collection_id,
        connector_id: settings.connector_id,
        name: settings.name,
        url: settings.url,
        events: settings.events,
        secrets: WebhookSecrets { current: secret::sealed(&api, id, &secret), previous: None },
        status: settings.status,
        created_at: now,
        updated_at: now,
    };
    let location = WebhookPath { space: path.clone(), webhook_id: id }.to_string();
    let view = WebhookView::from(webhook.clone());
    // What is kept for a repeated request is the answer without the secret.
    let kept = Answer::new(StatusCode::CREATED, &view).location(location.clone());
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&kept));
    let answer = Answer::new(StatusCode::CREATED, &WebhookWithSecret::new(view, &secret)).location(location);
    let effect = api.catalog.webhook_create(webhook, record).await?;
    settle(answer, effect)?.map_err(|conflict| fields::refused(&path, conflict))
}
