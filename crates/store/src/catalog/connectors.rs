//! Connectors.

use async_trait::async_trait;
use inlet_model::policy::ConnectorPolicy;
use inlet_model::schedule::Schedule;
use inlet_model::secret::SealedConfig;
use inlet_model::stream::StreamSettings;
use inlet_model::{CollectionId, ConnectorId, SpaceId, StoreId, SyncId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConnectorFilter, Effect, Idempotent, Page, PageQuery, Task};
use crate::StoreResult;

/// Whether a connector may sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorStatus {
    /// It may.
    #[default]
    Active,
    /// New syncs are refused.
    Paused,
}

/// A connector: links a collection to a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    /// Its id.
    pub id: ConnectorId,
    /// Its space.
    pub space_id: SpaceId,
    /// Its collection.
    pub collection_id: CollectionId,
    /// The store of its collection.
    pub store_id: StoreId,
    /// Its name, for people.
    pub name: String,
    /// Its connector type.
    pub kind: String,
    /// Its config, as the type's schema describes it; its secrets are sealed, and stay so in the catalog.
    pub config: SealedConfig,
    /// The streams it reads; `None`: all that discovery finds.
    pub streams: Option<Vec<StreamSettings>>,
    /// When it syncs by itself.
    pub schedule: Schedule,
    /// What its syncs may do.
    pub policy: ConnectorPolicy,
    /// Whether it may sync.
    pub status: ConnectorStatus,
    /// Counts the changes of its settings, from 1.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it syncs next by itself. The catalog's own to set.
    pub next_sync_at: Option<Timestamp>,
    /// Its syncs in a row that have failed. The catalog's own to count.
    pub failures: u32,
    /// Why it was paused, if nobody asked for that. The catalog's own to set.
    pub notice: Option<Notice>,
}

/// What people should know about a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// Stable and dotted.
    pub code: String,
    /// A sentence a person can act on.
    pub message: String,
    /// Since when.
    pub at: Timestamp,
}

/// What came of an update.
#[derive(Debug, Clone, PartialEq)]
pub enum UpdateEffect<T> {
    /// It is changed; this is how it stands now.
    Updated(T),
    /// It has another version than was expected; nothing was changed.
    Stale(T),
    /// It was not there.
    Absent,
    /// It was to follow a connector that follows it, directly or not; nothing was changed.
    Circular,
}

/// In which version a connector must be for a change to be wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// In any.
    Any,
    /// In one of these. In none, if there are none.
    OneOf(Vec<u64>),
}

impl ExpectedVersion {
    /// Whether `version` is as expected.
    pub fn allows(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// What becomes of the records of a connector that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Remains {
    /// They stay.
    #[default]
    Kept,
    /// They are removed.
    Purged,
}

/// A connector was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedConnector {
    /// Closing it in its store.
    pub task: Task,
    /// Its sync that a worker has to end.
    pub cancelling: Option<SyncId>,
    /// Its sync that was queued or waiting, and is cancelled.
    pub cancelled: Option<SyncId>,
}

/// What came of deleting a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectorDeleteEffect {
    /// It is hidden; what must follow is queued.
    Deleted(DeletedConnector),
    /// It has a version that was not expected; nothing was changed.
    Stale {
        /// The version it has.
        version: u64,
    },
    /// It was not there.
    Absent,
}

impl ConnectorDeleteEffect {
    /// What was deleted, if something was.
    pub fn deleted(self) -> Option<DeletedConnector> {
        match self {
            Self::Deleted(deleted) => Some(deleted),
            Self::Stale { .. } | Self::Absent => None,
        }
    }
}

/// The connectors of the catalog.
#[async_trait]
pub trait Connectors {
    /// A page of a collection's connectors, those that fit; `None` if there is no such collection.
    async fn connector_list(
        &self,
        space_id: &SpaceId,
        collection_id: &CollectionId,
        filter: ConnectorFilter,
        query: PageQuery,
    ) -> StoreResult<Option<Page<Connector>>>;
    /// The connector of that id, in whichever collection of the space it is.
    async fn connector_in_space(&self, space_id: &SpaceId, id: ConnectorId)
    -> StoreResult<Option<Connector>>;
    /// The connector of that id, in that collection.
    async fn connector_get(
        &self,
        space_id: &SpaceId,
        collection_id: &CollectionId,
        id: ConnectorId,
    ) -> StoreResult<Option<Connector>>;
    /// Makes a connector; the conflict is that its collection is not there (any more).
    async fn connector_create(
        &self,
        connector: Connector,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<()>>;
    /// Replaces name, config, streams, schedule, status and `updated_at` if the stored version is still `connector.version`, and counts it up.
    async fn connector_update(&self, connector: Connector) -> StoreResult<UpdateEffect<Connector>>;
    /// Hides a connector for good if its version is as expected, wants its syncs cancelled (queued ones are cancelled at once)
    /// and queues closing it in its store and, if they are not to stay, the purge of its records. The look at the version and
    /// all that follows are one transaction.
    async fn connector_delete(
        &self,
        space_id: &SpaceId,
        collection_id: &CollectionId,
        id: ConnectorId,
        expected: ExpectedVersion,
        remains: Remains,
        now: Timestamp,
    ) -> StoreResult<ConnectorDeleteEffect>;
}
