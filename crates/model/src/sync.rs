//! The states of a sync, and the one table of legal moves between them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Where a sync stands. Stored in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// Wanted, not begun. Set by a trigger.
    Queued,
    /// Reading and writing. Set by the worker that claims it.
    Running,
    /// Held up by a rate limit, an outage or backoff, until `resume_at`. Set by the engine; no failure.
    Waiting,
    /// An unusual delete waits for a person. Set by the engine.
    NeedsApproval,
    /// A cancel was acknowledged; no delete phase starts any more. Set by a cancel or a delete of the connector.
    Cancelling,
    /// Ended, all streams complete. Final.
    Succeeded,
    /// Ended with an error; what was committed stays. Final.
    Failed,
    /// Ended on request; what was committed stays. Final.
    Cancelled,
}

use SyncStatus::{Cancelled, Cancelling, Failed, NeedsApproval, Queued, Running, Succeeded, Waiting};

/// Every legal move; all others are refused.
const LEGAL_MOVES: &[(SyncStatus, &[SyncStatus])] = &[
    (Queued, &[Running, Cancelled]),
    (Running, &[Waiting, NeedsApproval, Cancelling, Succeeded, Failed]),
    (Waiting, &[Running, Cancelled, Failed]),
    (NeedsApproval, &[Running, Cancelled]),
    (Cancelling, &[Cancelled, Succeeded, Failed]),
    (Succeeded, &[]),
    (Failed, &[]),
    (Cancelled, &[]),
];

/// A move that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sync that is {from} cannot become {to}")]
pub struct IllegalMove {
    /// Where the sync stands.
    pub from: SyncStatus,
    /// Where it was to go.
    pub to: SyncStatus,
}

impl SyncStatus {
    /// Every state, in the order of a sync's life.
    pub const ALL: [Self; 8] =
        [Queued, Running, Waiting, NeedsApproval, Cancelling, Succeeded, Failed, Cancelled];

    fn legal_moves(self) -> &'static [Self] {
        LEGAL_MOVES.iter().find(|(from, _)| *from == self).map_or(&[], |(_, to)| to)
    }

    /// `to`, if the table allows the move there.
    pub fn move_to(self, to: Self) -> Result<Self, IllegalMove> {
        if self.legal_moves().contains(&to) { Ok(to) } else { Err(IllegalMove { from: self, to }) }
    }

    /// Whether the sync has ended.
    #[must_use]
    pub fn is_final(self) -> bool {
        self.legal_moves().is_empty()
    }

    /// Whether the sync holds its connector: begun and not ended. At most one a connector.
    #[must_use]
    pub fn is_active(self) -> bool {
        !self.is_final() && self != Queued
    }

    /// The name in the API and in the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Queued => "queued",
            Running => "running",
            Waiting => "waiting",
            NeedsApproval => "needs_approval",
            Cancelling => "cancelling",
            Succeeded => "succeeded",
            Failed => "failed",
            Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl fmt::Display for SyncStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a sync moved from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoveCause {
    /// It was asked for.
    Triggered,
    /// A worker took it from the queue.
    Claimed,
    /// Its source is to be left alone for a while; the code says why.
    HeldUp,
    /// The time to wait is over.
    Resumed,
    /// It would delete unusually many records.
    LargeDelete,
    /// A person approved what it would delete.
    Approved,
    /// A person decided against what it would delete.
    Discarded,
    /// A person asked for its end.
    CancelRequested,
    /// A newer sync took its place.
    Replaced,
    /// Its connector was deleted.
    ConnectorDeleted,
    /// Its run ended; the code is that of the failure, if it failed.
    Ended,
}

/// One move of a sync, as its history keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateMove {
    /// Its number among the moves of the sync, from 1.
    pub seq: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Where the sync stood; `None` at its beginning.
    pub from: Option<SyncStatus>,
    /// Where it stands since.
    pub to: SyncStatus,
    /// Why.
    pub cause: MoveCause,
    /// The code of the error that was the reason, if one was.
    pub code: Option<String>,
    /// The attempt during which it was made; 0 before the first.
    pub attempt: u32,
}

/// How a sync reads its streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// Only what is new since the last checkpoint, where the source can tell.
    #[default]
    Incremental,
    /// Everything again; what is no longer there goes.
    FullRefresh,
}

/// What asked for a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncTrigger {
    /// A call of the HTTP API.
    Api,
    /// The command line.
    Cli,
    /// The connector's schedule.
    Schedule,
    /// A signed call of another program.
    Webhook,
    /// The success of the connector that its own waits for.
    AfterConnector,
}

/// How a run ended: the final states, as the collection's store knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All streams complete.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl From<Outcome> for SyncStatus {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Succeeded,
            Outcome::Failed => Failed,
            Outcome::Cancelled => Cancelled,
        }
    }
}

/// Why a sync, or one of its streams, failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Stable and dotted, such as `source.file_changed`.
    pub code: String,
    /// A sentence a person can act on.
    pub message: String,
    /// What to do about it, where we know.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// Whether trying again may help without anybody changing anything.
    pub retryable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_moves_is_the_documented_one() {
        let table: Vec<String> =
            SyncStatus::ALL.into_iter().map(|from| format!("{from} -> {:?}", from.legal_moves())).collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        queued -> [Running, Cancelled]
        running -> [Waiting, NeedsApproval, Cancelling, Succeeded, Failed]
        waiting -> [Running, Cancelled, Failed]
        needs_approval -> [Running, Cancelled]
        cancelling -> [Cancelled, Succeeded, Failed]
        succeeded -> []
        failed -> []
        cancelled -> []
        ");
    }

    #[test]
    fn every_other_move_is_refused() {
        for from in SyncStatus::ALL {
            for to in SyncStatus::ALL {
                assert_eq!(from.move_to(to).is_ok(), from.legal_moves().contains(&to));
            }
        }
    }

    #[test]
    fn names_survive_a_round_trip() {
        for status in SyncStatus::ALL {
            assert_eq!(SyncStatus::from_name(status.as_str()), Some(status));
        }
    }
}
