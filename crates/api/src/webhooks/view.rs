//! A webhook and a delivery, as the API shows them: never a secret, but for the one answer that brings it.

use inlet_model::{CollectionId, ConnectorId, DeliveryId, SpaceId, SyncId, Timestamp, WebhookId};
use inlet_store::catalog::{
    Delivery, DeliveryAnswer, DeliveryError, DeliveryProgress, DeliveryState, GiveUpReason, Reply, Webhook,
    WebhookEvent, WebhookStatus,
};
use inlet_webhooks::SigningSecret;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A webhook: whoever listens at its URL is told what becomes of the syncs of a space.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub(crate) struct WebhookView {
    /// Its id.
    id: WebhookId,
    /// Its space.
    space_id: SpaceId,
    /// Only syncs of this collection; `null`: of all.
    collection_id: Option<CollectionId>,
    /// Only syncs of this connector; `null`: of all.
    connector_id: Option<ConnectorId>,
    /// Its name, for people.
    name: String,
    /// Where deliveries are sent.
    url: String,
    /// Which events it is told; none: all.
    events: Vec<WebhookEvent>,
    /// Whether it is told anything.
    status: WebhookStatus,
    /// Until when the secret before the last rotation signs beside the new one; `null` if there was none.
    previous_secret_ends_at: Option<Timestamp>,
    /// When it was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            space_id: webhook.space_id,
            collection_id: webhook.collection_id,
            connector_id: webhook.connector_id,
            name: webhook.name,
            url: webhook.url,
            events: webhook.events,
            status: webhook.status,
            previous_secret_ends_at: webhook.secrets.previous.map(|(_, ends_at)| ends_at),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

impl WebhookView {
    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({
            "id": "whk_01h455vb4pex5vsknk084sn02q", "space_id": "default", "collection_id": null,
            "connector_id": null, "name": "Alerts", "url": "https://example.com/inlet",
            "events": ["sync.failed", "sync.needs_approval"], "status": "active", "previous_secret_ends_at": null,
            "created_at": "2026-01-01T07:00:00.000Z", "updated_at": "2026-01-01T07:00:00.000Z",
        })
    }

    /// The same webhook after a rotation.
    pub(super) fn rotated(self, old_ends_at: Timestamp, now: Timestamp) -> Self {
        Self { previous_secret_ends_at: Some(old_ends_at), updated_at: now, ..self }
    }
}

/// A webhook that was made or rotated just now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookWithSecret")]
pub(crate) struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: WebhookView,
    /// What its deliveries are signed with. It is shown this once: the answer to the same request sent again is without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    secret: Option<String>,
}

impl WebhookWithSecret {
    pub(super) fn new(webhook: WebhookView, secret: &SigningSecret) -> Self {
        Self { webhook, secret: Some(secret.text().to_owned()) }
    }

    /// One for the documents.
    pub(super) fn example() -> Value {
        let mut example = WebhookView::example();
        example["secret"] = "whsec_…".into();
        example
    }
}

/// What came of an attempt.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeliveryAnswer")]
pub(crate) struct AnswerView {
    /// When it was known.
    at: Timestamp,
    /// How long it took, in milliseconds.
    duration_ms: u32,
    /// The HTTP status; `null` if there was no answer.
    status: Option<u16>,
    /// The beginning of the body, up to 1 KiB; `null` if there was no answer.
    body: Option<String>,
    /// Why there was no answer.
    error: Option<DeliveryError>,
}

impl AnswerView {
    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({"at": "2026-01-01T07:00:00.150Z", "duration_ms": 120, "status": 200, "body": "ok", "error": null})
    }
}

impl From<DeliveryAnswer> for AnswerView {
    fn from(answer: DeliveryAnswer) -> Self {
        let DeliveryAnswer { at, duration_ms, reply } = answer;
        let (status, body, error) = match reply {
            Reply::Answered { status, body } => (Some(status), Some(body), None),
            Reply::Failed(error) => (None, None, Some(error)),
        };
        Self { at, duration_ms, status, body, error }
    }
}

/// What a webhook is told of one event, and how far that has come.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub(crate) struct DeliveryView {
    /// Its id, sent as `webhook-id`: the same however often it is sent.
    id: DeliveryId,
    /// Its webhook.
    webhook_id: WebhookId,
    /// What happened.
    event: WebhookEvent,
    /// To which sync.
    sync_id: SyncId,
    /// How far it has come.
    state: DeliveryState,
    /// How often it was sent, or began to be.
    attempts: u32,
    /// When it was queued.
    created_at: Timestamp,
    /// When it is sent next, while it waits. While it is being sent: when that counts as lost.
    next_attempt_at: Option<Timestamp>,
    /// When it arrived.
    delivered_at: Option<Timestamp>,
    /// Since when it is not sent again by itself.
    gave_up_at: Option<Timestamp>,
    /// Why it was given up.
    gave_up_because: Option<GiveUpReason>,
    /// What came of the last attempt that ended.
    last_answer: Option<AnswerView>,
}

impl DeliveryView {
    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({
            "id": "msg_01h455vb4pex5vsknk084sn02q", "webhook_id": "whk_01h455vb4pex5vsknk084sn02q",
            "event": "sync.failed", "sync_id": "syn_01h455vb4pex5vsknk084sn02q", "state": "delivered",
            "attempts": 1, "created_at": "2026-01-01T07:00:00.021Z", "next_attempt_at": null,
            "delivered_at": "2026-01-01T07:00:00.150Z", "gave_up_at": null, "gave_up_because": null,
            "last_answer": AnswerView::example(),
        })
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let (mut next_attempt_at, mut delivered_at, mut gave_up) = (None, None, None);
        match delivery.progress {
            DeliveryProgress::Waiting { next_attempt_at: at } => next_attempt_at = Some(at),
            DeliveryProgress::Delivered { at } => delivered_at = Some(at),
            DeliveryProgress::GivenUp { at, reason } => gave_up = Some((at, reason)),
        }
        Self {
            id: delivery.id,
            webhook_id: delivery.webhook_id,
            event: delivery.event,
            sync_id: delivery.sync_id,
            state: delivery.progress.state(),
            attempts: delivery.attempts,
            created_at: delivery.created_at,
            next_attempt_at,
            delivered_at,
            gave_up_at: gave_up.map(|(at, _)| at),
            gave_up_because: gave_up.map(|(_, reason)| reason),
            last_answer: delivery.last_answer.map(AnswerView::from),
        }
    }
}
