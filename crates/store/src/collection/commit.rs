//! The commit: a batch of records, its checkpoint, its counters and its change entries, all or nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use inlet_model::log::NewLogLine;
use inlet_model::schema::Schema;
use inlet_model::sync::Failure;
use inlet_model::{Batch, ConnectorId, Counts, Scope, StreamName, SyncId, Timestamp};
use serde_json::Value;

use super::StreamProgress;

/// The number of the claim under which a run writes. Each claim of a connector gets a greater one, and a commit is
/// refused unless it carries the greatest: a worker that was only asleep cannot write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

/// Raised to cancel a sync. The writer passes it just before `COMMIT`: after it was raised, no commit of the sync
/// becomes durable that had not passed it. Cheap to clone; all clones are one flag.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicUsize>);

/// The flag is up; the bits above count the commits that have passed it.
const RAISED: usize = 1;
const ONE_PASSING: usize = 2;

impl CancelFlag {
    /// Raises the flag, for good.
    pub fn raise(&self) {
        self.0.fetch_or(RAISED, Ordering::SeqCst);
    }

    /// Whether it is up.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst) & RAISED != 0
    }

    /// Passes the flag, if it is not up; the pass is held until the commit is durable, or has failed.
    #[must_use]
    pub fn pass(&self) -> Option<Pass> {
        let passed = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |state| {
            (state & RAISED == 0).then_some(state + ONE_PASSING)
        });
        passed.is_ok().then(|| Pass(Arc::clone(&self.0)))
    }

    /// Whether a commit that has passed may still become durable. Once the flag is up and this is false, nothing will.
    #[must_use]
    pub fn is_being_passed(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= ONE_PASSING
    }
}

/// A commit that has passed its [`CancelFlag`], and is becoming durable.
#[derive(Debug)]
pub struct Pass(Arc<AtomicUsize>);

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.fetch_sub(ONE_PASSING, Ordering::SeqCst);
    }
}

/// One transaction of a run.
#[derive(Debug)]
pub struct Commit {
    /// The sync that writes.
    pub sync_id: SyncId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// Its claim.
    pub fence: Fence,
    /// Passed just before `COMMIT`.
    pub cancel: CancelFlag,
    /// The time that the records and changes get.
    pub now: Timestamp,
    /// What happens, in this order.
    pub items: Vec<Item>,
}

/// One step of a commit.
#[derive(Debug)]
pub enum Item {
    /// A listing of the scope begins, in place of one that may be open. Its generation is the run's; what it sees
    /// counts from the next change number on.
    Listing {
        /// The stream.
        stream: StreamName,
        /// The scope.
        scope: Scope,
    },
    /// Records, and the position behind them: of the listing if one is open for the scope, else the cursor.
    ///
    /// Upserts are compared by hash with what is there: equal is `unchanged` and writes no change. Inside a listing
    /// the second record of one key is rejected (`record.duplicate_key`); so is a record whose key belongs to another
    /// scope that this run has already settled (listed to the end, or found unchanged). A key that belongs to a
    /// scope not settled yet moves to this one, and that scope forgets its cursor, so that it is listed again. Outside
    /// a listing the last record of a key counts, each making its own change. A delete of what is not there counts as `unchanged`.
    ///
    /// Without a checkpoint, an open listing of the scope has no position any more and starts again after a restart.
    Batch {
        /// The records, all of one scope.
        batch: Batch,
        /// The position behind them.
        checkpoint: Option<Value>,
    },
    /// The scope's open listing has seen everything. If records of the scope were not seen, they wait for
    /// [`sweep`](super::Runs::sweep), unless they stay. A scope in which records were rejected as duplicates gets no
    /// cursor: it is listed again next time.
    Complete {
        /// The stream.
        stream: StreamName,
        /// The scope.
        scope: Scope,
        /// Where incremental reading goes on, once the sweep is through.
        cursor: Option<Value>,
        /// What becomes of what was not seen.
        unseen: Unseen,
    },
    /// The scope is as it was when it was last complete: settled.
    Unchanged {
        /// The stream.
        stream: StreamName,
        /// The scope.
        scope: Scope,
    },
    /// These are all the scopes of the stream. The records of every other wait for the sweep, and the scope goes with them.
    Scopes {
        /// The stream.
        stream: StreamName,
        /// All of them.
        scopes: Vec<Scope>,
    },
    /// The pushes to the stream up to this one leave the inbox.
    InboxTaken {
        /// The stream.
        stream: StreamName,
        /// The last one.
        through: u64,
    },
    /// The records of the stream, those of this commit with them, have had these fields: a new version of its schema.
    Schema {
        /// The stream.
        stream: StreamName,
        /// All fields.
        schema: Schema,
    },
    /// The stream's part of the run has ended, with an error or without.
    StreamEnd {
        /// The stream.
        stream: StreamName,
        /// Why it failed.
        failure: Option<Failure>,
    },
    /// A line of the sync's log. A commit of nothing else is no progress.
    Log(NewLogLine),
}

/// The code of a record that is refused because another record of the listing has its key.
pub const DUPLICATE_KEY: &str = "record.duplicate_key";

/// What becomes of the records that a complete listing did not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// They go: the listing is certified, nothing can have been missed.
    Goes,
    /// They go once the source has been asked for them and does not have them.
    GoesIfAbsent,
    /// They go once a person has approved it; a sweep that nobody approved leaves them.
    GoesIfApproved,
    /// They stay.
    Stays,
}

/// What a commit came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The run's counters, this commit included.
    pub counts: Counts,
    /// The streams that the commit was about, as they stand now.
    pub streams: Vec<StreamProgress>,
    /// The collection's last change number.
    pub last_change: u64,
}

/// One bounded step of the delete phase of a stream.
#[derive(Debug)]
pub struct Sweep {
    /// The sync that writes.
    pub sync_id: SyncId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// Its claim.
    pub fence: Fence,
    /// Passed just before `COMMIT`.
    pub cancel: CancelFlag,
    /// The time that the changes get.
    pub now: Timestamp,
    /// The stream whose complete listings are swept.
    pub stream: StreamName,
    /// Look at no more keys than this in one step.
    pub max_keys: usize,
    /// Keys that the source was asked for and does not have. Of what goes [if absent](Unseen::GoesIfAbsent) only these do.
    pub absent: BTreeSet<Vec<u8>>,
}

/// How far a sweep has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepProgress {
    /// Records deleted by this step.
    pub deleted: u64,
    /// Whether the stream's sweep is through: cursors are set, the listings closed.
    pub done: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_passed_a_flag_is_known_until_it_is_over_and_nothing_passes_behind_it() {
        let flag = CancelFlag::default();
        let (first, second) = (flag.pass().unwrap(), flag.clone().pass().unwrap());
        drop(first);
        assert!(flag.is_being_passed() && !flag.is_raised());
        flag.raise();
        flag.raise();
        assert!(flag.pass().is_none() && flag.is_being_passed());
        drop(second);
        assert!(flag.is_raised() && !flag.is_being_passed());
    }
}
