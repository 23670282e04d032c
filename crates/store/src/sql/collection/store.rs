//! One collection's data: writes go to its writer, reads pass it by.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::log::LogLine;
use inlet_model::{ConnectorId, HashSeed, Record, Scope, StoreId, StreamName, SyncId};

use super::place::{Reads, Transactions};
use super::tables::Tables;
use super::writer::WriterHandle;
use super::{
    begin, changes, checkpoints, commit, deletes, finish, inbox, meta, purge, questions, records, rehearsal,
    rejected, replay, run_log, runs, schemas, streams, sweep, undo, upkeep,
};
use crate::collection::{
    ApproveDeletes, ChangeCursor, ChangePage, Changes, Checkpoint, CheckpointEffect, Checkpoints,
    CollectionStore, Commit, DeletesQuery, DropDeletes, FinishRun, FoundRecords, Inbox, InboxItem, LogQuery,
    NewRun, NoUndo, PendingDeletes, PurgeProgress, PurgeStep, Purges, Push, PushEffect, QuestionPage,
    QuestionsQuery, Receipt, RecordPage, RecordQuery, Records, Rehearsal, Rehearsals, RejectedQuery,
    RejectedRecord, Replay, Run, RunStart, Runs, SampleLimits, SchemaVersion, Schemas, SchemasQuery, Stats,
    StreamCursors, StreamDeletes, StreamStats, Sweep, SweepProgress, UndoEffect, UndoStep, Undos, Upkeep,
    UpkeepProgress, UpkeepStep,
};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// A collection, open. Its methods need a Tokio runtime.
pub(crate) struct SqlCollection {
    id: StoreId,
    seed: HashSeed,
    // Closed before the writer, so that it is the last that uses the place and may tidy up.
    reads: Arc<dyn Reads>,
    writer: WriterHandle,
}

impl SqlCollection {
    /// A collection in a place that is of the present version, and has that seed.
    pub(crate) fn start(
        id: StoreId,
        seed: HashSeed,
        reads: Arc<dyn Reads>,
        transactions: Box<dyn Transactions>,
    ) -> StoreResult<Self> {
        let writer = WriterHandle::start(transactions).map_err(|error| {
            StoreError::new(StoreErrorKind::Unavailable, "open a collection").because(error)
        })?;
        Ok(Self { id, seed, reads, writer })
    }

    /// The end of the writer's thread and of all reads. Blocks the thread.
    pub(crate) fn close(&self, runtime: &tokio::runtime::Handle) {
        self.writer.refuse();
        runtime.block_on(self.reads.close());
        self.writer.end();
    }

    fn check_open(&self, operation: &'static str) -> StoreResult<()> {
        if self.writer.is_closed() { Err(StoreError::new(StoreErrorKind::Closed, operation)) } else { Ok(()) }
    }
}

impl fmt::Debug for SqlCollection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlCollection").field("id", &self.id).finish_non_exhaustive()
    }
}

#[async_trait]
impl CollectionStore for SqlCollection {
    fn seed(&self) -> HashSeed {
        self.seed
    }

    async fn close_connector(&self, connector_id: ConnectorId) -> StoreResult<()> {
        self.writer
            .write("close a connector", move |writer| finish::close_connector(writer, connector_id))
            .await
    }
}

#[async_trait]
impl Runs for SqlCollection {
    async fn begin_run(&self, run: NewRun) -> StoreResult<RunStart> {
        self.writer.write("begin a run", move |writer| begin::begin(writer, &run)).await
    }

    async fn commit(&self, commit: Commit) -> StoreResult<Receipt> {
        self.writer.write("commit", move |writer| commit::commit(writer, commit)).await
    }

    async fn sweep(&self, sweep: Sweep) -> StoreResult<SweepProgress> {
        self.writer.write("sweep", move |writer| sweep::sweep(writer, &sweep)).await
    }

    async fn sweep_candidates(&self, sweep: Sweep) -> StoreResult<Vec<Vec<u8>>> {
        self.writer.write("list what a sweep asks for", move |writer| sweep::candidates(writer, &sweep)).await
    }

    async fn rest(&self) -> StoreResult<()> {
        self.writer
            .write("rest", |writer| {
                writer.rest();
                Ok(())
            })
            .await
    }

    async fn finish_run(&self, finish: FinishRun) -> StoreResult<Run> {
        self.writer.write("finish a run", move |writer| finish::finish(writer, finish)).await
    }

    async fn run(&self, sync_id: SyncId) -> StoreResult<Option<Run>> {
        self.check_open("read a run")?;
        self.reads.read("read a run", move |connection| runs::load(connection, sync_id)).await
    }

    async fn rejected(&self, sync_id: SyncId, query: RejectedQuery) -> StoreResult<Vec<RejectedRecord>> {
        self.check_open("list rejected records")?;
        self.reads
            .read("list rejected records", move |connection| rejected::list(connection, sync_id, &query))
            .await
    }

    async fn replay_rejected(&self, replay: Replay) -> StoreResult<Vec<StreamName>> {
        self.writer.write("replay rejected records", move |writer| replay::replay(writer, &replay)).await
    }

    async fn log(&self, sync_id: SyncId, query: LogQuery) -> StoreResult<Vec<LogLine>> {
        self.check_open("read the log of a sync")?;
        self.reads
            .read("read the log of a sync", move |connection| run_log::list(connection, sync_id, query))
            .await
    }
}

#[async_trait]
impl Records for SqlCollection {
    async fn records(&self, query: RecordQuery) -> StoreResult<RecordPage> {
        self.check_open("list records")?;
        self.reads.read("list records", move |connection| records::page(connection, &query)).await
    }

    async fn record(
        &self,
        connector_id: Option<ConnectorId>,
        stream: &StreamName,
        key: &[u8],
    ) -> StoreResult<Vec<Record>> {
        self.check_open("read a record")?;
        let (stream, key) = (stream.clone(), key.to_vec());
        self.reads
            .read("read a record", move |connection| {
                records::with_key(connection, connector_id, &stream, &key)
            })
            .await
    }

    async fn streams(
        &self,
        connector_id: Option<ConnectorId>,
        stream: Option<&StreamName>,
    ) -> StoreResult<Vec<StreamStats>> {
        self.check_open("list streams")?;
        let stream = stream.cloned();
        self.reads
            .read("list streams", move |connection| streams::stats(connection, connector_id, stream.as_ref()))
            .await
    }

    async fn stats(&self) -> StoreResult<Stats> {
        self.check_open("count records")?;
        self.reads
            .read("count records", |connection| {
                Ok(Stats {
                    records: streams::count_records(connection)?,
                    bytes: connection.bytes()?,
                    last_change: meta::next_change(connection)?.saturating_sub(1),
                })
            })
            .await
    }
}

#[async_trait]
impl Changes for SqlCollection {
    async fn changes(&self, after: ChangeCursor, limit: usize, max_bytes: usize) -> StoreResult<ChangePage> {
        self.check_open("read changes")?;
        self.reads
            .read("read changes", move |connection| changes::page(connection, after, limit, max_bytes))
            .await
    }
}

#[async_trait]
impl Inbox for SqlCollection {
    async fn push(&self, push: Push) -> StoreResult<PushEffect> {
        self.writer.push(push).await
    }

    async fn inbox_streams(&self, connector_id: ConnectorId) -> StoreResult<Vec<StreamName>> {
        self.check_open("read the inbox")?;
        self.reads.read("read the inbox", move |connection| inbox::streams(connection, connector_id)).await
    }

    async fn inbox_after(
        &self,
        connector_id: ConnectorId,
        stream: &StreamName,
        after: u64,
        max_bytes: usize,
    ) -> StoreResult<Vec<InboxItem>> {
        self.check_open("read the inbox")?;
        let stream = stream.clone();
        self.reads
            .read("read the inbox", move |connection| {
                inbox::after(connection, connector_id, &stream, after, max_bytes)
            })
            .await
    }
}

#[async_trait]
impl Purges for SqlCollection {
    async fn purge_step(&self, step: PurgeStep) -> StoreResult<PurgeProgress> {
        self.writer.write("purge", move |writer| purge::step(writer, &step)).await
    }

    async fn drop_pushes(&self, connector_id: ConnectorId, max_bytes: usize) -> StoreResult<bool> {
        self.writer
            .write("drop pushes", move |writer| {
                writer.transact(|tx, _| inbox::drop_some(tx, connector_id, max_bytes))
            })
            .await
    }
}

#[async_trait]
impl Upkeep for SqlCollection {
    async fn upkeep_step(&self, step: UpkeepStep) -> StoreResult<UpkeepProgress> {
        self.writer.write("keep up", move |writer| upkeep::step(writer, &step)).await
    }
}

#[async_trait]
impl Undos for SqlCollection {
    async fn no_undo(&self, connector_id: ConnectorId, undone: SyncId) -> StoreResult<Option<NoUndo>> {
        self.check_open("look at a sync")?;
        self.reads
            .read("look at a sync", move |connection| undo::hindrance(connection, connector_id, undone))
            .await
    }

    async fn undo_step(&self, step: UndoStep) -> StoreResult<UndoEffect> {
        let seed = self.seed;
        self.writer.write("undo", move |writer| undo::step(writer, &step, seed)).await
    }
}

#[async_trait]
impl Schemas for SqlCollection {
    async fn schemas(&self, query: SchemasQuery) -> StoreResult<Vec<SchemaVersion>> {
        self.check_open("list schemas")?;
        self.reads.read("list schemas", move |connection| schemas::list(connection, &query)).await
    }
}

#[async_trait]
impl Checkpoints for SqlCollection {
    async fn checkpoints(
        &self,
        connector_id: ConnectorId,
        stream: Option<&StreamName>,
        after: Option<(StreamName, Scope)>,
        limit: usize,
    ) -> StoreResult<Vec<Checkpoint>> {
        self.check_open("read checkpoints")?;
        let stream = stream.cloned();
        self.reads
            .read("read checkpoints", move |connection| {
                checkpoints::page(connection, connector_id, stream.as_ref(), after.as_ref(), limit)
            })
            .await
    }

    async fn set_cursors(
        &self,
        connector_id: ConnectorId,
        streams: Vec<StreamCursors>,
    ) -> StoreResult<CheckpointEffect> {
        self.writer
            .write("set checkpoints", move |writer| checkpoints::set(writer, connector_id, &streams))
            .await
    }

    async fn reset_checkpoints(
        &self,
        connector_id: ConnectorId,
        stream: Option<StreamName>,
    ) -> StoreResult<CheckpointEffect> {
        self.writer
            .write("reset checkpoints", move |writer| {
                checkpoints::reset(writer, connector_id, stream.as_ref())
            })
            .await
    }
}

#[async_trait]
impl PendingDeletes for SqlCollection {
    async fn pending_deletes(&self, connector_id: ConnectorId) -> StoreResult<Vec<StreamDeletes>> {
        self.check_open("count what is to go")?;
        self.reads
            .read("count what is to go", move |connection| deletes::pending(connection, connector_id))
            .await
    }

    async fn pending_records(&self, query: DeletesQuery) -> StoreResult<RecordPage> {
        self.check_open("list what is to go")?;
        self.reads.read("list what is to go", move |connection| deletes::page(connection, &query)).await
    }

    async fn pending_questions(&self, query: QuestionsQuery) -> StoreResult<QuestionPage> {
        self.check_open("list what is to be asked for")?;
        self.reads
            .read("list what is to be asked for", move |connection| questions::page(connection, &query))
            .await
    }

    async fn keep_found(&self, found: FoundRecords) -> StoreResult<()> {
        self.writer.write("keep what was found", move |writer| questions::keep(writer, &found)).await
    }

    async fn approve_deletes(&self, approve: ApproveDeletes) -> StoreResult<()> {
        self.writer.write("approve deletes", move |writer| deletes::approve(writer, &approve)).await
    }

    async fn drop_deletes(&self, drop: DropDeletes) -> StoreResult<bool> {
        self.writer.write("take deletes back", move |writer| deletes::drop_some(writer, &drop)).await
    }
}

#[async_trait]
impl Rehearsals for SqlCollection {
    async fn rehearse(
        &self,
        run: NewRun,
        samples: SampleLimits,
    ) -> StoreResult<(RunStart, Box<dyn Rehearsal>)> {
        self.check_open("rehearse")?;
        let begin = move |connection: &dyn Tables| rehearsal::State::begin(connection, &run, samples);
        let (start, state) = self.reads.read("rehearse", begin).await?;
        let reads = Arc::clone(&self.reads);
        Ok((start, Box::new(rehearsal::SqlRehearsal { reads, state: Some(state) })))
    }
}
