//! Schedules: which connectors sync next by themselves.
//!
//! When a connector syncs next is kept with it: set when its schedule is, and moved on in the transaction that queues a sync
//! or ends one. Times that were missed come to one sync. A connector whose syncs fail keeps away longer and longer (a minute
//! after the first, twice as long after each further, at most six hours), and is paused with a [`Notice`](super::Notice) when its policy says so.

use async_trait::async_trait;
use inlet_model::Timestamp;

use crate::StoreResult;

/// The schedules of the catalog.
#[async_trait]
pub trait Schedules {
    /// Queues a sync of each connector whose time has come, of at most `limit` of them, and moves them on to their next
    /// time. One that has a sync queued gets no second one. Gives how many connectors had their turn.
    async fn schedule_fire(&self, now: Timestamp, limit: usize) -> StoreResult<usize>;

    /// The earliest time at which a connector syncs by itself.
    async fn schedule_next(&self) -> StoreResult<Option<Timestamp>>;
}
