//! Approvals: syncs that ask a person before they delete, and what the person decides.

use async_trait::async_trait;
use inlet_model::approval::Approval;
use inlet_model::{ConnectorId, StoreId, SyncId, Timestamp};

use super::{Effect, Idempotent, Sync};
use crate::StoreResult;
use crate::collection::{Fence, Run};

/// A sync that was ended instead of deleting: what it would have deleted is still to be taken back in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discard {
    /// The sync.
    pub sync_id: SyncId,
    /// Its connector, which may be deleted by now.
    pub connector_id: ConnectorId,
    /// The store of its collection.
    pub store_id: StoreId,
}

/// The approvals of the catalog.
///
/// A sync that asks holds its connector and no worker. One that is approved is running again, given to whoever claims next. One
/// that is cancelled while it asks leaves a [`Discard`], in whatever way that comes about: on request, by a sync that takes
/// its place, or because its connector goes. While a discard is queued, no sync of its connector is claimed.
#[async_trait]
pub trait Approvals {
    /// Lets a running sync ask, with the numbers of its run so far, unless it has moved on or another claim has it: gives it as
    /// it stands then.
    async fn sync_ask(
        &self,
        run: &Run,
        fence: Fence,
        approval: Approval,
        now: Timestamp,
    ) -> StoreResult<Option<Sync>>;

    /// Lets a sync that asks go on. The conflict is the sync if it does not ask, or `None` if there is none.
    async fn sync_approve(
        &self,
        connector_id: ConnectorId,
        id: SyncId,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Sync>>>;

    /// Ends a sync that asks, as cancelled. The conflict is as that of [`sync_approve`](Self::sync_approve).
    async fn sync_discard(
        &self,
        connector_id: ConnectorId,
        id: SyncId,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Sync>>>;

    /// Forgets what was approved, once its store knows: what the sync finds from now on, it asks about anew. Nothing is
    /// done if another claim has it.
    async fn sync_approval_spent(&self, id: SyncId, fence: Fence) -> StoreResult<()>;

    /// The discards to do, at most `limit`.
    async fn discard_list(&self, limit: usize) -> StoreResult<Vec<Discard>>;

    /// Forgets the discard of a sync, which is done.
    async fn discard_done(&self, id: SyncId) -> StoreResult<()>;
}
