//! Runs: the truth about each sync, written in the commits themselves.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use inlet_model::log::{LogLine, NewLogLine};
use inlet_model::sync::{Failure, Outcome};
use inlet_model::{ConnectorId, Counts, Scope, ScopeState, StreamName, SyncId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CancelFlag, Commit, Fence, KnownSchema, LogQuery, Receipt, Replay, Sweep, SweepProgress};
use crate::StoreResult;

/// A sync is about to write.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The sync.
    pub sync_id: SyncId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// Its claim: greater than every claim of the connector before.
    pub fence: Fence,
    /// Which attempt of the sync this is, from 1.
    pub attempt: u32,
    /// Whether the attempt before was lost, in the middle of whatever it did. One that was left in order was not in vain.
    pub after_crash: bool,
    /// The streams it reads.
    pub streams: Vec<RunStream>,
    /// What its log says of it, once under one fence.
    pub lines: Vec<NewLogLine>,
    /// The time.
    pub now: Timestamp,
}

/// A stream of a run that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStream {
    /// Its name.
    pub name: StreamName,
    /// What decides which records there are and what their keys are: key fields, selected fields, the source's identity. If it
    /// is not what it was when the stream was last read, cursors and open listings are dropped, and everything is listed
    /// again; nothing is deleted before that listing is complete. Its schema is learned anew.
    pub shape: String,
    /// Whether it is to be listed again: listings that other syncs left open are dropped. A stream that appends begins a new
    /// copy by it.
    pub full_refresh: bool,
    /// Whether what was read before stays for good: no commit and no sweep of the run deletes a record of it, and a record
    /// that comes again as it is counts as unchanged, even twice in one listing. A change of it is as one of the shape.
    pub appends: bool,
}

/// What a run starts from.
#[derive(Debug, Clone)]
pub struct RunStart {
    /// The run, with the counters of earlier attempts.
    pub run: Run,
    /// Where each scope of each stream stands.
    pub scopes: BTreeMap<StreamName, BTreeMap<Scope, ScopeState>>,
    /// Of each stream that appends, the copy that its records belong to: the generation of the last full refresh that began
    /// while it appended and was not undone, 0 before the first.
    pub copies: BTreeMap<StreamName, u64>,
    /// What is known of the schema of each stream that was there before.
    pub schemas: BTreeMap<StreamName, KnownSchema>,
    /// Streams whose complete listings wait to be swept; the sweep comes before any reading.
    pub unswept: Vec<StreamName>,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the source.
    Reading,
    /// Deleting what complete listings did not see.
    Sweeping,
    /// Taking back what an earlier sync did.
    Undoing,
    /// Ended.
    Ended,
}

/// How a stream of a run stands. Of a run that has ended no stream is pending or running (older files may still say so).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamStatus {
    /// Nothing of it has been committed.
    Pending,
    /// Under way.
    Running,
    /// Complete: read to its end, and what is gone from it deleted.
    Succeeded,
    /// Ended with an error of its own, or not complete when the sync failed.
    Failed,
    /// Not complete when the sync ended without an error: it was cancelled, or the stream is not there any more.
    Cancelled,
}

/// One stream's part of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamProgress {
    /// The stream.
    pub name: StreamName,
    /// How it stands.
    pub status: StreamStatus,
    /// Its counters.
    pub counts: Counts,
    /// Why it failed; the failure of the sync where that is why.
    pub error: Option<Failure>,
}

impl StreamProgress {
    /// Gives up a stream that is not complete, because its sync ends: with this failure, or without one.
    pub fn give_up(&mut self, failure: Option<&Failure>) {
        self.status = if failure.is_some() { StreamStatus::Failed } else { StreamStatus::Cancelled };
        self.error = failure.cloned();
    }
}

/// What a sync has done so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The sync.
    pub sync_id: SyncId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Attempts in a row that ended without a commit, the present one counted until its first.
    pub barren_attempts: u32,
    /// The number of the listings it opens.
    pub generation: u64,
    /// What it is doing.
    pub phase: Phase,
    /// The sum over its streams.
    pub counts: Counts,
    /// Its streams, in the order they are read.
    pub streams: Vec<StreamProgress>,
    /// How it ended; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When its first attempt began.
    pub started_at: Timestamp,
    /// When it last committed records or changes.
    pub last_progress_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The first and the last change that it made; between them may lie changes of other connectors.
    pub changes: Option<RangeInclusive<u64>>,
}

impl Run {
    /// Notes changes that it has made, which are greater than those before.
    pub(crate) fn note_changes(&mut self, changes: RangeInclusive<u64>) {
        if !changes.is_empty() {
            let first = self.changes.as_ref().map_or(*changes.start(), |earlier| *earlier.start());
            self.changes = Some(first..=*changes.end());
        }
    }
}

/// A run ends.
#[derive(Debug, Clone)]
pub struct FinishRun {
    /// The sync.
    pub sync_id: SyncId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// Its claim.
    pub fence: Fence,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What its log says of it.
    pub lines: Vec<NewLogLine>,
    /// Passed just before `COMMIT`, unless the run ends as cancelled: once it is up, a run ends no other way.
    pub cancel: CancelFlag,
    /// The time.
    pub now: Timestamp,
}

/// Which records that a sync refused are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedQuery {
    /// Those behind the one of this number.
    pub after: u64,
    /// At most so many.
    pub limit: usize,
    /// Only those of this stream.
    pub stream: Option<StreamName>,
    /// Only those that were refused with this code.
    pub code: Option<String>,
}

impl RejectedQuery {
    /// All behind the one of this number.
    #[must_use]
    pub fn behind(after: u64, limit: usize) -> Self {
        Self { after, limit, stream: None, code: None }
    }
}

/// A record that a sync refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RejectedRecord {
    /// Its place among the sync's rejected records, from 1.
    pub seq: u64,
    /// The stream.
    pub stream: StreamName,
    /// The scope.
    pub scope: Scope,
    /// Where it stood in the source.
    pub position: u64,
    /// Stable and dotted.
    pub code: String,
    /// A sentence a person can act on.
    pub reason: String,
    /// The start of the record.
    pub sample: String,
}

/// The runs of a collection's connectors.
#[async_trait]
pub trait Runs {
    /// Takes the connector for a run: sets its fence and opens the run, or goes on with it. Idempotent under one fence.
    ///
    /// A run that held the connector and has not ended ends as cancelled: its sync is over, and could not say so here.
    ///
    /// [`Fenced`](crate::StoreErrorKind::Fenced) if a greater fence is there, or the connector was closed.
    async fn begin_run(&self, run: NewRun) -> StoreResult<RunStart>;

    /// Writes one commit. See [`Commit`] and [`Item`](super::Item) for what it does; all or nothing, durable when it returns.
    async fn commit(&self, commit: Commit) -> StoreResult<Receipt>;

    /// Does one bounded step of deleting what the stream's complete, certified listings did not see. Each step is one
    /// commit; after a restart the next step goes on where the last durable one ended. With nothing to sweep it is done at once.
    async fn sweep(&self, sweep: Sweep) -> StoreResult<SweepProgress>;

    /// The keys, encoded, that the next step of this sweep deletes only if they are among its `absent`: those of listings
    /// of which what was not seen [goes if it is absent](super::Unseen::GoesIfAbsent). In order, at most `max_keys`. Changes nothing.
    async fn sweep_candidates(&self, sweep: Sweep) -> StoreResult<Vec<Vec<u8>>>;

    /// Gives back the memory that runs take up which do not go on for now. Nothing changes but that the next step is slower.
    async fn rest(&self) -> StoreResult<()>;

    /// Ends the run, and gives it as it ended. Idempotent: a run that has ended stays as it ended.
    /// [`Cancelled`](crate::StoreErrorKind::Cancelled) if the flag is up and it is not to end as cancelled.
    ///
    /// A stream that has failed stays failed. Every other that is not complete (pending, running, or with listings that wait
    /// to be swept) fails with the failure of the run, and is cancelled if there is none.
    async fn finish_run(&self, finish: FinishRun) -> StoreResult<Run>;

    /// The run of a sync, if it ever began.
    async fn run(&self, sync_id: SyncId) -> StoreResult<Option<Run>>;

    /// Records that the sync refused, in order. Of one that refused very many the first are kept.
    async fn rejected(&self, sync_id: SyncId, query: RejectedQuery) -> StoreResult<Vec<RejectedRecord>>;

    /// Prepares for what a sync of the connector refused to be read again by a run that has not begun yet, and names the streams.
    /// Deletes nothing. Idempotent: what is pushed again is not so twice.
    /// [`Fenced`](crate::StoreErrorKind::Fenced) if a greater fence is there, or this one in a run that has begun, or if the
    /// connector was closed.
    ///
    /// The scopes in which refused records stood, and all scopes of a stream of which more was refused than is kept, forget their
    /// cursors, so that they are listed again. Of pushed records those that were kept whole are put back into the inbox, as if
    /// they were pushed now, however much waits there.
    async fn replay_rejected(&self, replay: Replay) -> StoreResult<Vec<StreamName>>;

    /// Lines of the sync's log. Of a long log the first five hundred lines and the last are kept; in the place of the others stands
    /// one that says how many they are, under the number of the last of them.
    async fn log(&self, sync_id: SyncId, query: LogQuery) -> StoreResult<Vec<LogLine>>;
}
