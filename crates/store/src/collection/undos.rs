//! Undoing a sync: what it did to the records is taken back, in bounded steps.

use async_trait::async_trait;
use inlet_model::{ConnectorId, SyncId, Timestamp};

use super::{CancelFlag, Fence};
use crate::StoreResult;

/// One bounded step of undoing a sync.
#[derive(Debug, Clone)]
pub struct UndoStep {
    /// The sync that carries it out, whose run has begun.
    pub sync_id: SyncId,
    /// Its connector, and that of the sync that is undone.
    pub connector_id: ConnectorId,
    /// Its claim.
    pub fence: Fence,
    /// Checked just before `COMMIT`.
    pub cancel: CancelFlag,
    /// The time that the changes get.
    pub now: Timestamp,
    /// The sync that is undone. The same in each step.
    pub undone: SyncId,
    /// Look at about so many changes, or write so many, in one step.
    pub max_changes: usize,
}

/// How far an undo has come, all its steps together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UndoProgress {
    /// Records that are again as they were before the sync.
    pub taken_back: u64,
    /// Records that stay as they are, since they have changed after the sync.
    pub kept: u64,
    /// Whether nothing is left to do.
    pub done: bool,
}

/// Why a sync cannot be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoUndo {
    /// The connector has no run of that sync: it never began, or was forgotten long after its end.
    Unknown,
    /// It has not ended.
    NotEnded,
    /// It is no longer possible: what was there before it may be gone with the history up to this change.
    Expired {
        /// The last change of which history is gone.
        compacted_through: u64,
    },
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoEffect {
    /// It was done.
    Progress(UndoProgress),
    /// It cannot be; nothing was written.
    Impossible(NoUndo),
}

/// The undoing of syncs.
#[async_trait]
pub trait Undos {
    /// Why the connector's sync cannot be undone as things are now, if it cannot; a first [`undo_step`](Self::undo_step) would say
    /// the same. Changes nothing.
    async fn no_undo(&self, connector_id: ConnectorId, undone: SyncId) -> StoreResult<Option<NoUndo>>;

    /// Does one bounded step of taking back what a sync did. Each step is one commit of the run that carries it out, with its
    /// fence, its counters and its cancel flag; whoever goes on with that run goes on where the last step ended.
    ///
    /// Each record that is still as the sync left it gets the state it had before the sync's first change to it: what it created
    /// is deleted, what it updated gets its earlier data and what it deleted is created anew with them, both with the time of
    /// creation they had. That makes ordinary changes, with numbers of their own. A record that has been changed since stays
    /// as it is, whether by a later sync, a push, a removal or an earlier undo, and counts as `kept` and as `unchanged`. A
    /// record that is as it was before, though the sync changed it on the way, counts for nothing.
    ///
    /// All that is known of how far the streams were read in which the sync changed something is forgotten first, before any
    /// record changes: cursors, open listings, and what waits for a sweep. The next sync lists them from the beginning, and
    /// deletes nothing before that listing is complete. A record whose scope is not there any more comes back into the scope of
    /// the whole stream.
    ///
    /// Once the first step is done, the history that it needs stays until the run ends or loses the connector. A run that ends
    /// before the undo is done leaves what was taken back; undoing the same sync by another run takes back the rest.
    ///
    /// [`Fenced`](crate::StoreErrorKind::Fenced) and [`Cancelled`](crate::StoreErrorKind::Cancelled) as of a commit.
    async fn undo_step(&self, step: UndoStep) -> StoreResult<UndoEffect>;
}
