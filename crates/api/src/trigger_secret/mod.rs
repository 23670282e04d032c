//! The secret by whose signatures a connector is triggered from outside.

pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod set;
mod view;

use inlet_model::ConnectorId;
use inlet_store::catalog::WebhookSecret;
use inlet_webhooks::SigningSecret;

use crate::app::Api;
use crate::codes::Code;
use crate::paths::ConnectorPath;
use crate::problem::Problem;

/// Seals a secret for a connector. Its place is drawn, so that a later one of the same connector has another.
pub(crate) fn sealed(api: &Api, id: ConnectorId, secret: &SigningSecret) -> WebhookSecret {
    let number = u64::from_be_bytes(api.entropy.bytes());
    let pointer = format!("/trigger_secret/{number:016x}");
    let sealed = api.vault.seal(&*api.entropy, id, &pointer, &secret.text().into());
    WebhookSecret { pointer, sealed }
}

fn absent(path: &ConnectorPath) -> Problem {
    let detail = format!("The connector has no trigger secret. `POST {path}/trigger-secret` gives it one.");
    Problem::new(Code::TriggerSecretNotFound, detail)
}
