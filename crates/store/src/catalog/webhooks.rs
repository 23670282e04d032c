//! Webhooks: whom to tell what becomes of syncs.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use inlet_model::secret::{Sealed, Secrets};
use inlet_model::sync::SyncStatus;
use inlet_model::{CollectionId, ConnectorId, SpaceId, Timestamp, WebhookId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Idempotent, Page, PageQuery, Sync};
use crate::StoreResult;

/// The most webhooks of one space: each move of a sync looks at all of them.
pub const WEBHOOKS_MAX: u32 = 100;

/// What a webhook is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum WebhookEvent {
    /// A sync was begun. Going on after a wait, an approval or a restart is no beginning.
    #[serde(rename = "sync.started")]
    SyncStarted,
    /// A sync has ended, all streams complete.
    #[serde(rename = "sync.succeeded")]
    SyncSucceeded,
    /// A sync has ended with an error.
    #[serde(rename = "sync.failed")]
    SyncFailed,
    /// A sync has ended on request, begun or not.
    #[serde(rename = "sync.cancelled")]
    SyncCancelled,
    /// An unusual delete of a sync waits for a person.
    #[serde(rename = "sync.needs_approval")]
    SyncNeedsApproval,
}

impl WebhookEvent {
    /// Every event.
    pub const ALL: [Self; 5] = [
        Self::SyncStarted,
        Self::SyncSucceeded,
        Self::SyncFailed,
        Self::SyncCancelled,
        Self::SyncNeedsApproval,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SyncStarted => "sync.started",
            Self::SyncSucceeded => "sync.succeeded",
            Self::SyncFailed => "sync.failed",
            Self::SyncCancelled => "sync.cancelled",
            Self::SyncNeedsApproval => "sync.needs_approval",
        }
    }

    /// What is told of a sync's move; `None`: nothing.
    #[must_use]
    pub const fn of_move(from: SyncStatus, to: SyncStatus) -> Option<Self> {
        match (from, to) {
            (SyncStatus::Queued, SyncStatus::Running) => Some(Self::SyncStarted),
            (_, SyncStatus::Succeeded) => Some(Self::SyncSucceeded),
            (_, SyncStatus::Failed) => Some(Self::SyncFailed),
            (_, SyncStatus::Cancelled) => Some(Self::SyncCancelled),
            (_, SyncStatus::NeedsApproval) => Some(Self::SyncNeedsApproval),
            _ => None,
        }
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such event")]
pub struct UnknownEvent;

impl FromStr for WebhookEvent {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        Self::ALL.into_iter().find(|event| event.as_str() == text).ok_or(UnknownEvent)
    }
}

/// Whether a webhook is told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStatus {
    /// It is.
    #[default]
    Active,
    /// It is not: nothing is queued for it, and what waits is not sent. Its owner has disabled it, or its target has said that
    /// it is gone.
    Disabled,
}

/// A sealed secret of a webhook, and the place it was sealed for, which stays its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    /// The place, as a JSON Pointer.
    pub pointer: String,
    /// The secret.
    pub sealed: Sealed,
}

/// What a webhook's deliveries are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecrets {
    /// The newest.
    pub current: WebhookSecret,
    /// The one before a rotation, and when it ends.
    pub previous: Option<(WebhookSecret, Timestamp)>,
}

impl WebhookSecrets {
    /// All of them, by their places.
    #[must_use]
    pub fn by_place(&self) -> Secrets {
        let all = [Some(&self.current), self.previous.as_ref().map(|(secret, _)| secret)];
        all.into_iter().flatten().map(|secret| (secret.pointer.clone(), secret.sealed.clone())).collect()
    }

    /// Those that sign at `now`, the newest first.
    pub fn valid_at(&self, now: Timestamp) -> impl Iterator<Item = &WebhookSecret> {
        let previous = self.previous.as_ref().filter(|(_, ends_at)| now < *ends_at).map(|(secret, _)| secret);
        std::iter::once(&self.current).chain(previous)
    }
}

/// A webhook: whoever listens at a URL is told what becomes of the syncs of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Its space.
    pub space_id: SpaceId,
    /// Only syncs of this collection.
    pub collection_id: Option<CollectionId>,
    /// Only syncs of this connector.
    pub connector_id: Option<ConnectorId>,
    /// Its name, for people.
    pub name: String,
    /// Where deliveries are sent.
    pub url: String,
    /// Which events it is told, each once and in order; none named: all.
    pub events: Vec<WebhookEvent>,
    /// What signs its deliveries.
    pub secrets: WebhookSecrets,
    /// Whether it is told anything.
    pub status: WebhookStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// Whether it is to be told this of a sync of its space.
    #[must_use]
    pub fn wants(&self, sync: &Sync, event: WebhookEvent) -> bool {
        self.status == WebhookStatus::Active
            && (self.events.is_empty() || self.events.contains(&event))
            && self.collection_id.as_ref().is_none_or(|only| *only == sync.collection_id)
            && self.connector_id.is_none_or(|only| only == sync.connector_id)
    }
}

/// What may change of a webhook. What is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookChange {
    /// Another name.
    pub name: Option<String>,
    /// Another URL.
    pub url: Option<String>,
    /// Other events.
    pub events: Option<Vec<WebhookEvent>>,
    /// Another collection, or with `Some(None)` none any more.
    pub collection_id: Option<Option<CollectionId>>,
    /// Another connector, or with `Some(None)` none any more.
    pub connector_id: Option<Option<ConnectorId>>,
    /// Enabled or disabled.
    pub status: Option<WebhookStatus>,
}

/// What is in the way of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookConflict {
    /// Its space is not there.
    NoSpace,
    /// The collection it is narrowed to is not in its space.
    NoCollection,
    /// The connector it is narrowed to is not in its space, or not in that collection.
    NoConnector,
    /// The space has [`WEBHOOKS_MAX`] already.
    TooMany,
}

/// What came of changing a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookUpdate {
    /// This is how it stands now.
    Updated(Box<Webhook>),
    /// It was not there.
    Absent,
    /// Something is in the way; nothing was changed.
    Conflict(WebhookConflict),
}

/// The webhooks of the catalog.
///
/// A webhook goes with its space, and with the collection or connector that it is narrowed to.
#[async_trait]
pub trait Webhooks {
    /// A page of a space's webhooks; `None` if there is no such space.
    async fn webhook_list(&self, space_id: &SpaceId, query: PageQuery) -> StoreResult<Option<Page<Webhook>>>;
    /// The webhook of that id, in that space.
    async fn webhook_get(&self, space_id: &SpaceId, id: WebhookId) -> StoreResult<Option<Webhook>>;
    /// Makes a webhook.
    async fn webhook_create(
        &self,
        webhook: Webhook,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<WebhookConflict>>;
    /// Changes a webhook. A change that changes nothing leaves `updated_at` as it is.
    async fn webhook_update(
        &self,
        space_id: &SpaceId,
        id: WebhookId,
        change: WebhookChange,
        now: Timestamp,
    ) -> StoreResult<WebhookUpdate>;
    /// Gives a webhook a new secret. The one that was the newest goes on until `old_ends_at`, one from before no longer; the
    /// conflict is that the webhook is not there.
    async fn webhook_rotate(
        &self,
        space_id: &SpaceId,
        id: WebhookId,
        secret: WebhookSecret,
        old_ends_at: Timestamp,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<()>>;
    /// Hides a webhook for good and forgets its secrets, whether it was there. Its deliveries are forgotten in steps, by
    /// [`delivery_forget`](super::Deliveries::delivery_forget).
    async fn webhook_delete(&self, space_id: &SpaceId, id: WebhookId, now: Timestamp) -> StoreResult<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_they_are_shown() {
        for event in WebhookEvent::ALL {
            assert_eq!(event.as_str().parse(), Ok(event));
            assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
        }
        assert_eq!("sync.paused".parse::<WebhookEvent>(), Err(UnknownEvent));
    }

    #[test]
    fn a_sync_is_begun_once_and_ends_once() {
        use SyncStatus::{Cancelled, Cancelling, NeedsApproval, Queued, Running, Succeeded, Waiting};
        let told = |moves: &[SyncStatus]| -> Vec<WebhookEvent> {
            moves.windows(2).filter_map(|pair| WebhookEvent::of_move(pair[0], pair[1])).collect()
        };
        assert_eq!(
            told(&[Queued, Running, Waiting, Running, NeedsApproval, Running, Succeeded]),
            [WebhookEvent::SyncStarted, WebhookEvent::SyncNeedsApproval, WebhookEvent::SyncSucceeded]
        );
        assert_eq!(
            told(&[Queued, Running, Cancelling, Cancelled]),
            [WebhookEvent::SyncStarted, WebhookEvent::SyncCancelled]
        );
        assert_eq!(told(&[Queued, Cancelled]), [WebhookEvent::SyncCancelled]);
    }
}
