//! Purges: records that are removed on request, in bounded steps.

use async_trait::async_trait;
use inlet_model::{ConnectorId, StreamName, Timestamp};

use crate::StoreResult;
use crate::catalog::PurgeId;

/// One bounded step of removing records.
#[derive(Debug, Clone)]
pub struct PurgeStep {
    /// The purge. Once it is done it does nothing any more, nor does an older one of the same records: whoever was only asleep takes
    /// no records away that have come since.
    pub id: PurgeId,
    /// The connector whose records are removed.
    pub connector_id: ConnectorId,
    /// Only those of this stream.
    pub stream: Option<StreamName>,
    /// The time that the changes get.
    pub now: Timestamp,
    /// Write no more rows than this in one step.
    pub max_keys: usize,
}

/// How far a purge has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeProgress {
    /// Records deleted by this step.
    pub deleted: u64,
    /// Whether nothing is left to do.
    pub done: bool,
}

/// The removal of records.
///
/// A store knows nothing of a purge between two steps, and in the end that it is done: whoever wants one repeats the step until it is done, lets no run of the
/// connector begin before, and remembers the wish wherever it may be killed.
#[async_trait]
pub trait Purges {
    /// Does one bounded step of removing the connector's records, or those of one of its streams. Each step is one commit.
    ///
    /// Every record that goes makes a `deleted` change, which names no sync and counts for none. With the records goes all
    /// that was known of how far their streams were read: cursors, open listings, and what waited for a sweep. That goes
    /// first, and no record before it, so that the next sync lists the whole stream again wherever the purge broke off.
    ///
    /// A run that holds the connector loses it, as to a greater fence. Pushes that wait stay. If the connector is closed
    /// and all its streams are purged, the records that its syncs refused go too.
    ///
    /// Idempotent: with nothing left it is done at once and deletes nothing.
    async fn purge_step(&self, step: PurgeStep) -> StoreResult<PurgeProgress>;

    /// Removes pushes to a closed connector, about `max_bytes` of them but at least one if there is one; whether none is left.
    /// Of a connector that is not closed none is removed, and it is done.
    async fn drop_pushes(&self, connector_id: ConnectorId, max_bytes: usize) -> StoreResult<bool>;
}
