//! A trigger secret, as the API shows it: never itself, but for the one answer that brings it.

use inlet_model::{ConnectorId, Timestamp};
use inlet_store::catalog::WebhookSecrets;
use inlet_webhooks::SigningSecret;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// How a connector is triggered by signed messages.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "TriggerSecret")]
pub(super) struct TriggerSecretView {
    /// The connector.
    connector_id: ConnectorId,
    /// The path that messages are sent to.
    hook: String,
    /// Until when messages may be signed with the secret before the last rotation as well; `null` if there was none.
    previous_secret_ends_at: Option<Timestamp>,
}

impl TriggerSecretView {
    pub(super) fn new(connector_id: ConnectorId, secrets: &WebhookSecrets) -> Self {
        let previous_secret_ends_at = secrets.previous.as_ref().map(|(_, ends_at)| *ends_at);
        Self { connector_id, hook: format!("/v1/hooks/{connector_id}"), previous_secret_ends_at }
    }

    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({
            "connector_id": "con_01h455vb4pex5vsknk084sn02q", "hook": "/v1/hooks/con_01h455vb4pex5vsknk084sn02q",
            "previous_secret_ends_at": null,
        })
    }
}

/// A trigger secret that was made just now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewTriggerSecret")]
pub(super) struct NewTriggerSecret {
    #[serde(flatten)]
    view: TriggerSecretView,
    /// What messages are signed with. It is shown this once: the answer to the same request sent again is without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    secret: Option<String>,
}

impl NewTriggerSecret {
    pub(super) fn new(view: TriggerSecretView, secret: &SigningSecret) -> Self {
        Self { view, secret: Some(secret.text().to_owned()) }
    }

    /// One for the documents.
    pub(super) fn example() -> Value {
        let mut example = TriggerSecretView::example();
        example["secret"] = "whsec_…".into();
        example
    }
}
