//! Reverts: syncs that undo another of their connector.

use async_trait::async_trait;

use super::{Effect, Idempotent, OnConflict, Sync};
use crate::StoreResult;

/// What is in the way of a revert.
#[derive(Debug, Clone, PartialEq)]
pub enum RevertConflict {
    /// This one undoes the same sync, or has undone it.
    Reverted(Sync),
    /// The connector has this sync that has not ended.
    Unfinished(Sync),
    /// The connector is not there.
    Absent,
}

/// The reverts of the catalog.
#[async_trait]
pub trait Reverts {
    /// Queues a sync that [reverts](Sync::reverts) another of its connector, and pauses the connector, so that what is undone does
    /// not come back by itself. The connector gets a [`Notice`](super::Notice) of it; it may be paused before. The caller has seen
    /// that the other has ended.
    ///
    /// A sync is reverted once: a second revert is refused, unless those before it failed or were cancelled. `on_conflict` is as of
    /// a trigger.
    async fn sync_revert(
        &self,
        revert: Sync,
        on_conflict: OnConflict,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<RevertConflict>>;
}
