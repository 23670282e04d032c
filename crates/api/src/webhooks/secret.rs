//! A secret on its way into the catalog: sealed for a place of its own.

use inlet_model::WebhookId;
use inlet_store::catalog::WebhookSecret;
use inlet_webhooks::SigningSecret;

use crate::app::Api;

/// Seals a secret for a webhook. Its place is drawn, so that a later one of the same webhook has another.
pub(super) fn sealed(api: &Api, id: WebhookId, secret: &SigningSecret) -> WebhookSecret {
    let number = u64::from_be_bytes(api.entropy.bytes());
    let pointer = format!("/secret/{number:016x}");
    let sealed = api.vault.seal(&*api.entropy, id, &pointer, &secret.text().into());
    WebhookSecret { pointer, sealed }
}
