//! Purges: records that are still to be removed from a collection's store.

use async_trait::async_trait;
use inlet_model::{ConnectorId, StoreId, StreamName};

use super::Sync;
use crate::StoreResult;

/// Identifies a purge. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurgeId(pub i64);

/// Records that are to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// Its id.
    pub id: PurgeId,
    /// The store that holds them.
    pub store_id: StoreId,
    /// The connector they belong to, which may be deleted.
    pub connector_id: ConnectorId,
    /// Only those of this stream.
    pub stream: Option<StreamName>,
}

/// What came of asking for a purge.
#[derive(Debug, Clone, PartialEq)]
pub enum PurgeEffect {
    /// It is queued, or was already.
    Queued,
    /// This sync holds one of the connectors; nothing is queued.
    Held(Box<Sync>),
    /// No collection has the store any more; nothing is queued.
    Absent,
}

/// The purges of the catalog. While one is queued, no sync of its connector is claimed.
#[async_trait]
pub trait Purges {
    /// Queues the removal of the records of each of these connectors in that store, or of those of one stream of each: all of
    /// them, or none if a sync holds one of the connectors. A sync that is only queued begins when they are done. One that
    /// is queued already is not queued again.
    async fn purge_queue(
        &self,
        store_id: StoreId,
        connector_ids: Vec<ConnectorId>,
        stream: Option<StreamName>,
    ) -> StoreResult<PurgeEffect>;

    /// The purges to do with an id greater than `after`, oldest first, at most `limit`.
    async fn purge_list(&self, after: PurgeId, limit: usize) -> StoreResult<Vec<Purge>>;

    /// The purges to do in that store, oldest first.
    async fn purge_list_of(&self, store_id: StoreId) -> StoreResult<Vec<Purge>>;

    /// Forgets a purge that is done.
    async fn purge_done(&self, id: PurgeId) -> StoreResult<()>;
}
