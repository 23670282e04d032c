//! Upkeep: what is of no use any more leaves the collection, in bounded steps.

use std::time::Duration;

use async_trait::async_trait;
use inlet_model::Timestamp;

use crate::StoreResult;

/// One bounded step of upkeep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpkeepStep {
    /// The time.
    pub now: Timestamp,
    /// What was superseded or deleted is kept for at least so long after that, and for an eighth longer at most until it is due.
    pub history: Duration,
    /// Runs that have ended, and the records they refused, are kept for so long after their end.
    pub runs: Duration,
    /// Look at about so many entries or rows in one step.
    pub max_entries: usize,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpkeepProgress {
    /// It did something; another may follow at once.
    More,
    /// Nothing is due.
    Idle {
        /// Nothing of what is there now will be before this time; `None`: nothing at all. What is written from now on is due
        /// a `history` after its time at the earliest.
        due_at: Option<Timestamp>,
    },
}

/// The upkeep of a collection.
///
/// It removes:
///
/// - from the change feed, versions that were superseded and marks of deletes, once the change that superseded them, or the
///   delete, is older than `history`, and all changes before it are: then the feed is the latest change of each record there
///   is, followed by everything newer. Every change that stays keeps its number.
/// - runs that ended longer than `runs` ago, with the records they refused; never one that has not ended, nor the last of a
///   connector.
///
/// It is not noticed otherwise: records, counters, checkpoints, open listings, sweeps, purges and syncs under way are as
/// without it, before, between and after its steps. What a sync under way is [undoing](super::Undos) keeps its history.
#[async_trait]
pub trait Upkeep {
    /// Does one bounded step: one commit, or none if nothing is due. A crash between two steps loses nothing.
    async fn upkeep_step(&self, step: UpkeepStep) -> StoreResult<UpkeepProgress>;
}
