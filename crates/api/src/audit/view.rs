//! An entry of the audit log, as the API shows it.

use inlet_model::{AuditId, CollectionId, ConnectorId, KeyId, SpaceId, SyncId, Timestamp, WebhookId};
use inlet_store::catalog::{AuditEntry, Target};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A change, and who asked for it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub(crate) struct AuditEntryView {
    /// Its id.
    id: AuditId,
    /// When it was asked for.
    at: Timestamp,
    /// Who asked for it: the id of a key, `environment`, `local`, or `none` where no key is asked for.
    actor: String,
    /// The request that did: its `X-Request-Id`.
    request_id: String,
    /// What was done, such as `connector.update`.
    action: &'static str,
    /// What it was done to.
    target: TargetView,
    /// The settings that an update changed, as JSON Pointers. Never what they were or became.
    fields: Vec<String>,
}

/// What a change was done to, and where that belongs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditTarget")]
struct TargetView {
    /// The space, or that of the thing.
    space_id: Option<SpaceId>,
    /// The collection, or that of the thing.
    collection_id: Option<CollectionId>,
    /// The connector, or that of the sync.
    connector_id: Option<ConnectorId>,
    /// The sync.
    sync_id: Option<SyncId>,
    /// The API key.
    key_id: Option<KeyId>,
    /// The webhook, or that of the delivery.
    webhook_id: Option<WebhookId>,
}

impl AuditEntryView {
    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({
            "id": "aud_01h455vb4pex5vsknk084sn02q", "at": "2026-01-01T07:00:00.000Z",
            "actor": "key_01h455vb4pex5vsknk084sn02q", "request_id": "req_01h455vb4pex5vsknk084sn02q",
            "action": "connector.update",
            "target": {"space_id": "default", "collection_id": "default",
                       "connector_id": "con_01h455vb4pex5vsknk084sn02q", "sync_id": null, "key_id": null,
                       "webhook_id": null},
            "fields": ["/name", "/config/host"],
        })
    }
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, actor, request_id, action, target, fields } = entry;
        let Target { space_id, collection_id, connector_id, sync_id, key_id, webhook_id } = target;
        let target = TargetView { space_id, collection_id, connector_id, sync_id, key_id, webhook_id };
        Self { id, at, actor: actor.to_string(), request_id, action: action.as_str(), target, fields }
    }
}
