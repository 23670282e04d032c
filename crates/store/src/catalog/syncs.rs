//! Syncs: which are wanted, and a copy of how they stand.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::NonZeroU32;

use async_trait::async_trait;
use inlet_model::approval::{Approval, LargeDelete};
use inlet_model::sync::{Failure, StateMove, SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{
    CollectionId, ConnectorId, Counts, NodeId, SpaceId, StoreId, StreamName, SyncId, Timestamp,
};

use super::{Connector, Effect, Idempotent, Page, PageQuery, SyncFilter};
use crate::StoreResult;
use crate::collection::{Fence, Run, StreamProgress};

/// A sync, as the catalog knows it. While it runs, its counters are those of its [`Run`].
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// Its id.
    pub id: SyncId,
    /// Its space.
    pub space_id: SpaceId,
    /// Its collection.
    pub collection_id: CollectionId,
    /// The store of its collection.
    pub store_id: StoreId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// Where it stands.
    pub status: SyncStatus,
    /// What asked for it.
    pub trigger: SyncTrigger,
    /// How it reads.
    pub mode: SyncMode,
    /// Whether it only finds out what it would do, and writes nothing.
    pub dry_run: bool,
    /// The streams it reads, of those the connector has; `None`: all.
    pub only_streams: Option<Vec<StreamName>>,
    /// The sync of which it reads again what was refused, before it does what every sync does.
    pub replays: Option<SyncId>,
    /// The sync that it undoes, instead of reading its source. Set by [`sync_revert`](super::Reverts::sync_revert).
    pub reverts: Option<SyncId>,
    /// How many times it was begun; 0 while it is queued.
    pub attempt: u32,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was first begun.
    pub started_at: Option<Timestamp>,
    /// When it last committed records or changes.
    pub last_progress_at: Option<Timestamp>,
    /// When it goes on, while it waits.
    pub resume_at: Option<Timestamp>,
    /// What it waits for the end of, while it waits.
    pub waits_for: Option<Failure>,
    /// How often it has waited since it last committed anything.
    pub retries: u32,
    /// What it asks, or asked, before it deletes.
    pub approval: Option<Approval>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its counters, copied when it ended.
    pub counts: Counts,
    /// Its streams, copied when it ended.
    pub streams: Vec<StreamProgress>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

impl Sync {
    /// A sync of `connector` that is wanted and not begun.
    #[must_use]
    pub fn queued(
        id: SyncId,
        connector: &Connector,
        trigger: SyncTrigger,
        mode: SyncMode,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            space_id: connector.space_id.clone(),
            collection_id: connector.collection_id.clone(),
            store_id: connector.store_id,
            connector_id: connector.id,
            status: SyncStatus::Queued,
            trigger,
            mode,
            dry_run: false,
            only_streams: None,
            replays: None,
            reverts: None,
            attempt: 0,
            created_at: now,
            started_at: None,
            last_progress_at: None,
            resume_at: None,
            waits_for: None,
            retries: 0,
            approval: None,
            finished_at: None,
            counts: Counts::default(),
            streams: Vec::new(),
            failure: None,
        }
    }

    /// What it asks to delete, while it needs approval.
    #[must_use]
    pub fn pending_deletes(&self) -> Option<&LargeDelete> {
        let asks = self.status == SyncStatus::NeedsApproval;
        self.approval.as_ref().filter(|_| asks).map(|approval| &approval.deletes)
    }

    /// Forgets what it waited for.
    pub fn stop_waiting(&mut self) {
        self.resume_at = None;
        self.waits_for = None;
    }
}

/// What becomes of a trigger while the connector has a sync that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// It is refused, and told which sync is in the way.
    #[default]
    Reject,
    /// It waits behind the sync that is active. One that is queued is in the way.
    Queue,
    /// The active sync and the queued one are cancelled, and it is the next.
    Replace,
}

/// Who runs syncs, and how long it may go on without saying that it still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The process.
    pub node: NodeId,
    /// From then on others may take its syncs over.
    pub until: Timestamp,
}

/// How many syncs may run at once, on all nodes together. What was running before a limit was set runs on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncLimits {
    /// Of one space; `None`: any number.
    pub per_space: Option<NonZeroU32>,
    /// Of the connectors of one type; of a type that is not among them any number.
    pub per_kind: BTreeMap<String, NonZeroU32>,
}

/// How a sync came to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    /// It was queued.
    Begun,
    /// It was in order when it was last left: it waited, or its node gave it back.
    Resumed,
    /// Its node was lost, and may have been in the middle of anything.
    TakenOver,
}

/// A sync given to a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// How it came.
    pub kind: ClaimKind,
    /// The sync, running or (taken over while cancelling) cancelling.
    pub sync: Sync,
    /// Its connector, with the config the sync keeps; `None` if it has been deleted: then the sync only ends.
    pub connector: Option<Connector>,
    /// The claim's number.
    pub fence: Fence,
}

/// A sync that is to be left alone for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// When it is to go on.
    pub resume_at: Timestamp,
    /// What it waits for the end of.
    pub failure: Failure,
    /// Whether it has committed anything since it was claimed: then it counts its retries anew.
    pub progressed: bool,
    /// Its run, if it has begun one, as it ends if the sync is cancelled while it waits.
    pub run: Option<Run>,
}

/// What came of a cancel.
#[derive(Debug, Clone, PartialEq)]
pub enum CancelEffect {
    /// It was running: now it is cancelling, or was already.
    Cancelling(Sync),
    /// It was queued or waiting: now it is cancelled, or was already.
    Cancelled(Sync),
    /// It has succeeded or failed; nothing was done.
    AlreadyFinished(Sync),
    /// There is no such sync, or (asked without an id) none that could be cancelled.
    None,
}

/// The syncs of one status and connector type that have not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncTally {
    /// Where they stand.
    pub status: SyncStatus,
    /// Their connectors' type.
    pub kind: String,
    /// How many they are.
    pub syncs: u64,
    /// When the oldest of them was asked for.
    pub oldest_created_at: Timestamp,
}

/// The syncs of the catalog. Every change of status goes through the table of legal moves.
#[async_trait]
pub trait Syncs {
    /// Queues a sync. The conflict is the connector's sync that is in the way, or `None` if the connector is not there or paused.
    async fn sync_trigger(
        &self,
        sync: Sync,
        on_conflict: OnConflict,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Sync>>>;
    /// Records a trigger that was answered with a sync there was already, so that repeating it is answered alike.
    async fn sync_found(&self, idempotent: Idempotent) -> StoreResult<Effect<Infallible>>;
    /// A page of a connector's syncs, those that fit.
    async fn sync_list(
        &self,
        connector_id: ConnectorId,
        filter: SyncFilter,
        query: PageQuery,
    ) -> StoreResult<Page<Sync>>;
    /// The sync of that id, of that connector.
    async fn sync_get(&self, connector_id: ConnectorId, id: SyncId) -> StoreResult<Option<Sync>>;
    /// The newest sync of each connector that has one.
    async fn sync_last(&self, connector_ids: &[ConnectorId]) -> StoreResult<Vec<Sync>>;
    /// Counts the syncs that have not ended, those of deleted connectors included: a row for each status and connector
    /// type of which there is one. It costs what these syncs cost, however many have ended before.
    async fn sync_tally(&self) -> StoreResult<Vec<SyncTally>>;
    /// Cancels the sync of that id, or without one whatever of the connector is active, else queued.
    async fn sync_cancel(
        &self,
        connector_id: ConnectorId,
        id: Option<SyncId>,
        now: Timestamp,
    ) -> StoreResult<CancelEffect>;
    /// Gives a sync to the caller, running under its lease, with a new fence: one that waited, if its time has come; else one
    /// whose lease is over, if it is not the caller's; else the queued one whose turn comes first of those whose connector is free.
    /// A connector is free if it is not paused (which does not hold up a revert), no sync holds it, and no
    /// [`Purge`](super::Purge) of its records is queued.
    ///
    /// Spaces take turns, each with its longest queued sync. Nothing is begun or goes on beyond the limits, however many claim at once;
    /// a sync that they hold up holds up nobody else.
    async fn sync_claim(
        &self,
        lease: Lease,
        limits: &SyncLimits,
        now: Timestamp,
    ) -> StoreResult<Option<Claim>>;
    /// Gives the caller every sync that is running or cancelling, whatever lease it has: each with a new fence and, if
    /// running, one attempt more. For a process that knows it is alone, at its start: all other nodes are forgotten.
    async fn sync_take_over(&self, lease: Lease) -> StoreResult<Vec<Claim>>;
    /// Lets a running sync wait, unless it has moved on or another claim has it: gives it as it stands then.
    async fn sync_wait(
        &self,
        id: SyncId,
        fence: Fence,
        wait: Wait,
        now: Timestamp,
    ) -> StoreResult<Option<Sync>>;
    /// Gives back a sync that the node has and does not run, for any node to claim at once. Nothing is done if it runs no more, or
    /// another node has it.
    async fn sync_give_back(&self, id: SyncId, node: NodeId) -> StoreResult<()>;
    /// When the next of the waiting syncs is to go on.
    async fn sync_next_resume(&self) -> StoreResult<Option<Timestamp>>;
    /// The history of a sync: its moves behind the one of that number, oldest first. Of one that moved more than two
    /// hundred times the middle is left out.
    async fn sync_moves(&self, id: SyncId, after: u64) -> StoreResult<Vec<StateMove>>;
    /// Copies the outcome of a run that has ended. A sync that has ended stays as it is.
    async fn sync_finish(&self, run: &Run) -> StoreResult<()>;
    /// Ends a sync whose run cannot be told of its end; the run is what it will be, once it can. Nothing is done if the sync has
    /// ended, or another claim has it since.
    async fn sync_give_up(&self, run: &Run, fence: Fence) -> StoreResult<()>;
    /// Ends a dry run with what it has found, as JSON; the run is what it would have been. Nothing is done if the sync has ended,
    /// or another claim has it since.
    async fn sync_finish_dry(&self, run: &Run, fence: Fence, preview: String) -> StoreResult<()>;
    /// What a dry run has found, as it was given.
    async fn sync_preview(&self, id: SyncId) -> StoreResult<Option<String>>;
    /// Ends a sync that never had a run, as cancelled or failed: it has no streams. A sync that has ended, or that another
    /// claim has since, stays as it is. Whether it was this that ended it.
    async fn sync_abandon(
        &self,
        id: SyncId,
        fence: Fence,
        status: SyncStatus,
        failure: Option<Failure>,
        now: Timestamp,
    ) -> StoreResult<bool>;
}
