//! The audit log: who changed what. Never what a setting was or became.
//!
//! An entry is written in the very transaction of its change, so that neither is ever there without the other. Who asks
//! for a change is not a parameter of each method but surrounds the call: whatever a [`Cause`] runs is done in its name. What
//! runs under no cause (the engine, the first start, a command's own bookkeeping) leaves no entry.
//!
//! Changes of what exists and is wanted are audited. Records are data: pushes and what syncs write are not, and have
//! the change feed of their collection instead.

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use inlet_model::id::IdError;
use inlet_model::{AuditId, CollectionId, ConnectorId, KeyId, SpaceId, SyncId, Timestamp, WebhookId};
use tokio::task_local;

use super::{Page, PageQuery};
use crate::StoreResult;

/// An entry older than this is forgotten in passing.
pub const AUDIT_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// About as many entries are kept, the newest.
pub const AUDIT_MAX: u32 = 100_000;

task_local! {
    static CAUSE: Cause;
}

/// Who asks for changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The holder of a key of the catalog.
    Key(KeyId),
    /// The holder of the key that the operator set.
    Environment,
    /// A command on the same machine.
    Local,
    /// Anybody: no key is asked for.
    Anybody,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Environment => f.write_str("environment"),
            Self::Local => f.write_str("local"),
            Self::Anybody => f.write_str("none"),
        }
    }
}

impl FromStr for Actor {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text {
            "environment" => Ok(Self::Environment),
            "local" => Ok(Self::Local),
            "none" => Ok(Self::Anybody),
            id => id.parse().map(Self::Key),
        }
    }
}

/// A request that may change something.
#[derive(Debug, Clone)]
pub struct Cause {
    at: Timestamp,
    actor: Actor,
    request_id: Arc<str>,
    first_id: AuditId,
    entries: Arc<AtomicU32>,
}

impl Cause {
    /// A request of `actor`. `id` is its entry's; should it make several changes, theirs follow it.
    #[must_use]
    pub fn new(id: AuditId, at: Timestamp, actor: Actor, request_id: Arc<str>) -> Self {
        Self { at, actor, request_id, first_id: id, entries: Arc::default() }
    }

    /// Does `work` in the name of this request. Tasks that `work` spawns are on their own.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        CAUSE.scope(self, work).await
    }

    /// The cause in whose name the current task works.
    pub(crate) fn current() -> Option<Self> {
        CAUSE.try_with(Self::clone).ok()
    }

    /// The next entry of this request.
    pub(crate) fn entry(&self, action: Action, target: Target, fields: Vec<String>) -> AuditEntry {
        let earlier = u128::from(self.entries.fetch_add(1, Ordering::Relaxed));
        AuditEntry {
            id: AuditId::from_u128(self.first_id.as_u128().saturating_add(earlier)),
            at: self.at,
            actor: self.actor,
            request_id: self.request_id.to_string(),
            action,
            target,
            fields,
        }
    }
}

macro_rules! actions {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $(
                #[doc = $doc]
                $variant,
            )*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name: what it was done to, and what was done.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    SpaceCreate = "space.create", "A space was made.";
    SpaceUpdate = "space.update", "A space got another name.";
    SpaceDelete = "space.delete", "A space was deleted, with all it held.";
    CollectionCreate = "collection.create", "A collection was made.";
    CollectionUpdate = "collection.update", "A collection got another name.";
    CollectionDelete = "collection.delete", "A collection was deleted, with all it held.";
    ConnectorCreate = "connector.create", "A connector was made.";
    ConnectorUpdate = "connector.update", "A connector's settings were changed.";
    ConnectorDelete = "connector.delete", "A connector was deleted.";
    RecordsRemove = "records.remove", "Records of a collection were asked to be removed.";
    SyncTrigger = "sync.trigger", "A sync was asked for.";
    SyncCancel = "sync.cancel", "A sync was cancelled.";
    SyncApprove = "sync.approve", "What a sync was about to delete was approved.";
    SyncDiscard = "sync.discard", "What a sync was about to delete was discarded.";
    TriggerSet = "connector.set_trigger_secret", "A connector got a secret by which it is triggered.";
    TriggerDelete = "connector.delete_trigger_secret", "The secret by which a connector was triggered was deleted.";
    SyncRevert = "sync.revert", "A sync was asked to be undone.";
    KeyCreate = "key.create", "A key was made.";
    KeyUpdate = "key.update", "A key's name or expiry was changed.";
    KeyRotate = "key.rotate", "A key got a new secret.";
    KeyDelete = "key.delete", "A key was revoked.";
    WebhookCreate = "webhook.create", "A webhook was made.";
    WebhookUpdate = "webhook.update", "A webhook's settings were changed.";
    WebhookRotate = "webhook.rotate_secret", "A webhook got a new secret.";
    WebhookDelete = "webhook.delete", "A webhook was deleted.";
    WebhookRetry = "webhook.retry", "A delivery of a webhook was asked to be sent again.";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such action")]
pub struct UnknownAction;

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text).ok_or(UnknownAction)
    }
}

/// What it was done to: the thing itself, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The space, or the space of the thing; `None` for a key that is for all spaces.
    pub space_id: Option<SpaceId>,
    /// The collection, or the collection of the thing.
    pub collection_id: Option<CollectionId>,
    /// The connector, or the connector of the sync.
    pub connector_id: Option<ConnectorId>,
    /// The sync.
    pub sync_id: Option<SyncId>,
    /// The key.
    pub key_id: Option<KeyId>,
    /// The webhook, or the webhook of the delivery.
    pub webhook_id: Option<WebhookId>,
}

impl Target {
    /// A space.
    #[must_use]
    pub fn space(space_id: &SpaceId) -> Self {
        Self { space_id: Some(space_id.clone()), ..Self::default() }
    }

    /// A collection.
    #[must_use]
    pub fn collection(space_id: &SpaceId, id: &CollectionId) -> Self {
        Self { collection_id: Some(id.clone()), ..Self::space(space_id) }
    }

    /// A connector.
    #[must_use]
    pub fn connector(space_id: &SpaceId, collection_id: &CollectionId, id: ConnectorId) -> Self {
        Self { connector_id: Some(id), ..Self::collection(space_id, collection_id) }
    }

    /// A sync.
    #[must_use]
    pub fn sync(sync: &super::Sync) -> Self {
        let connector = Self::connector(&sync.space_id, &sync.collection_id, sync.connector_id);
        Self { sync_id: Some(sync.id), ..connector }
    }

    /// A key.
    #[must_use]
    pub fn key(key: &super::ApiKey) -> Self {
        Self { space_id: key.space_id.clone(), key_id: Some(key.id), ..Self::default() }
    }

    /// A webhook.
    #[must_use]
    pub fn webhook(space_id: &SpaceId, id: WebhookId) -> Self {
        Self { webhook_id: Some(id), ..Self::space(space_id) }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When it was asked for.
    pub at: Timestamp,
    /// Who asked for it.
    pub actor: Actor,
    /// The request that did.
    pub request_id: String,
    /// What was done.
    pub action: Action,
    /// What it was done to.
    pub target: Target,
    /// The settings that an update changed, as JSON Pointers; never what they were or became.
    pub fields: Vec<String>,
}

/// Which entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only changes in this space, and of keys bound to it.
    pub space_id: Option<SpaceId>,
    /// Only changes that this one asked for.
    pub actor: Option<Actor>,
    /// Only changes of this kind.
    pub action: Option<Action>,
    /// Which part of them.
    pub page: PageQuery,
}

/// The audit log of the catalog.
///
/// What is older than [`AUDIT_KEPT`], or has [`AUDIT_MAX`] newer ones, goes in bounded steps, when other entries are written.
#[async_trait]
pub trait Audit {
    /// A page of the entries.
    async fn audit_list(&self, query: AuditQuery) -> StoreResult<Page<AuditEntry>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_and_actions_are_read_as_they_are_shown() {
        let key = Actor::Key(KeyId::from_u128(7));
        for actor in [key, Actor::Environment, Actor::Local, Actor::Anybody] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        assert_eq!("somebody".parse::<Actor>(), Err(IdError::Prefix));
        for &action in Action::ALL {
            assert_eq!(action.to_string().parse(), Ok(action));
        }
        assert_eq!("connector".parse::<Action>(), Err(UnknownAction));
    }
}
