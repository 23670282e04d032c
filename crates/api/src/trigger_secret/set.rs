//! `POST …/connectors/{connector_id}/trigger-secret`: gives a connector a secret by which it is triggered, or a new one. 200; the one
//! before may be used for `overlap` more.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/trigger-secret
//! {"connector_id":"con_01k…","hook":"/v1/hooks/con_01k…","previous_secret_ends_at":null,"secret":"whsec_…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::Fields;
use inlet_store::catalog::WebhookSecrets;
use inlet_webhooks::SigningSecret;
use schemars::JsonSchema;
use serde_json::json;

use super::sealed;
use super::view::{NewTriggerSecret, TriggerSecretView};
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::find;
use crate::idempotency::settle;
use crate::keys::overlap;
use crate::operation::{Access, Operation, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// How a secret takes the place of another.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `set` reads it")]
struct SecretRotation {
    /// For how long the secret before may still be used, such as `24h`, which it is if left out; `0s` ends it at once. At most
    /// `7d`.
    overlap: Option<String>,
}

pub(crate) fn operation() -> Operation {
    Operation::post("set_trigger_secret", path::TRIGGER_SECRET, Access::Write)
        .summary("Give a connector a trigger secret")
        .description(
            "Whoever signs messages with it triggers syncs of the connector, at the path `hook` of the answer, without an API key. The \
             secret is shown this once: sent again with its `Idempotency-Key`, the request is answered without it. A secret from before \
             ends with the overlap.",
        )
        .optional_body::<SecretRotation>(json!({"overlap": "24h"}))
        .answers::<NewTriggerSecret>(StatusCode::OK, "The secret.", NewTriggerSecret::example())
}

pub(crate) async fn set(
    State(api): State<Api>,
    path: ConnectorPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let mut fields = Fields::new(post.body)?;
    let overlap = overlap(&mut fields);
    fields.finish()?;
    let connector = find::connector(&api, &path).await?;
    let old_ends_at = api.clock.now().plus(overlap);
    let secret = SigningSecret::generate(&*api.entropy);
    let sealed = sealed(&api, connector.id, &secret);
    let before = api.catalog.trigger_get(connector.id).await?;
    let previous = before.map(|before| (before.secrets.current, old_ends_at));
    let view = TriggerSecretView::new(connector.id, &WebhookSecrets { current: sealed.clone(), previous });
    // What is kept for a repeated request is the answer without the secret.
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&Answer::ok(&view)));
    let answer = Answer::ok(&NewTriggerSecret::new(view, &secret));
    match settle(answer, api.catalog.trigger_set(&connector, sealed, old_ends_at, record).await?)? {
        Ok(answer) => Ok(answer),
        Err(()) => Err(find::absent_connector(&api, &path).await?),
    }
}
