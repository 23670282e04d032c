//! The collections as a node sees them: the real ones, with what may happen to a call, and with planted bugs.

use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::log::LogLine;
use inlet_model::{Batch, ConnectorId, HashSeed, Scope, StoreId, StreamName, SyncId};
use inlet_store::collection::{
    CancelFlag, ChangeCursor, ChangePage, Changes, Checkpoint, CheckpointEffect, Checkpoints, Commit,
    FinishRun, Inbox, InboxItem, Item, LogQuery, NewRun, NoUndo, PurgeProgress, PurgeStep, Purges, Push,
    PushEffect, Receipt, RecordPage, RecordQuery, Records, RejectedQuery, RejectedRecord, Replay, Run,
    RunStart, Runs, SchemaVersion, Schemas, SchemasQuery, Stats, StreamCursors, StreamStats, Sweep,
    SweepProgress, UndoEffect, UndoStep, Undos, Unseen, Upkeep, UpkeepProgress, UpkeepStep,
};
use inlet_store::{CollectionStore, CollectionStores, StoreResult};

use super::forward::forward;
use super::mutants::Mutant;
use super::node::{Node, kind_of};
use super::writes::{Author, Contents};

/// The collections of one node.
#[derive(Debug)]
pub(crate) struct NodeStores {
    node: Arc<Node>,
    inner: Arc<dyn CollectionStores>,
}

impl NodeStores {
    pub(crate) fn new(node: &Arc<Node>) -> Self {
        Self { node: Arc::clone(node), inner: node.world.backends.stores() }
    }

    fn wrapped(&self, id: StoreId, inner: Arc<dyn CollectionStore>) -> Arc<dyn CollectionStore> {
        Arc::new(NodeStore { node: Arc::clone(&self.node), id, inner })
    }
}

#[async_trait]
impl CollectionStores for NodeStores {
    async fn open(&self, id: StoreId) -> StoreResult<Arc<dyn CollectionStore>> {
        let store = self.node.call("open", self.inner.open(id)).await?;
        Ok(self.wrapped(id, store))
    }

    async fn find(&self, id: StoreId) -> StoreResult<Option<Arc<dyn CollectionStore>>> {
        let store = self.node.call("find", self.inner.find(id)).await?;
        Ok(store.map(|store| self.wrapped(id, store)))
    }

    async fn remove(&self, id: StoreId) -> StoreResult<()> {
        self.node.call("remove", self.inner.remove(id)).await
    }

    async fn list(&self) -> StoreResult<Vec<StoreId>> {
        self.node.call("list", self.inner.list()).await
    }
}

/// One collection of one node.
#[derive(Debug)]
pub(super) struct NodeStore {
    pub(super) node: Arc<Node>,
    pub(super) id: StoreId,
    pub(super) inner: Arc<dyn CollectionStore>,
}

impl NodeStore {
    /// A commit as the engine asks for it, or as a planted bug makes it.
    fn write(&self, mut commit: Commit) -> StoreResult<Receipt> {
        let world = &self.node.world;
        let author =
            Author { sync_id: commit.sync_id, connector_id: commit.connector_id, fence: commit.fence };
        if world.has(Mutant::NoFence) {
            commit.fence = world.state().writes.greatest_fence(commit.connector_id).unwrap_or(commit.fence);
        }
        if world.has(Mutant::CancelIgnored) {
            commit.cancel = CancelFlag::default();
        }
        match world.mutant {
            Some(Mutant::CommitLost) if world.dice.chance(250) => self.pretend(author),
            Some(Mutant::CommitRepeated) if world.dice.chance(250) => {
                let again = with_items(&commit, self.batches_of(&commit, true));
                let receipt = self.put(author, commit)?;
                // What came of it the second time nobody learns.
                let _again = self.put(author, again);
                Ok(receipt)
            }
            Some(Mutant::CheckpointFirst) => {
                let first = with_items(&commit, self.batches_of(&commit, false));
                if !first.items.is_empty() {
                    self.put(author, first)?;
                }
                self.put(author, commit)
            }
            Some(Mutant::UncertifiedCertified) => {
                for item in &mut commit.items {
                    if let Item::Complete { unseen, .. } = item {
                        *unseen = Unseen::Goes;
                    }
                }
                self.put(author, commit)
            }
            Some(Mutant::ScopesCut) => {
                for item in &mut commit.items {
                    if let Item::Scopes { scopes, .. } = item {
                        scopes.pop();
                    }
                }
                self.put(author, commit)
            }
            _ => self.put(author, commit),
        }
    }

    /// Copies of the batches of a commit, with their records or with their checkpoints alone.
    fn batches_of(&self, commit: &Commit, with_records: bool) -> Vec<Item> {
        let copy = |item: &Item| {
            let Item::Batch { batch, checkpoint } = item else { return None };
            let mut copy = Batch::new(batch.stream().clone(), batch.scope().clone(), self.inner.seed());
            if with_records {
                batch.entries().for_each(|entry| copy.upsert(entry.position, entry.key, entry.data));
            }
            Some(Item::Batch { batch: copy, checkpoint: checkpoint.clone() })
        };
        commit.items.iter().filter_map(copy).collect()
    }

    /// Hands a commit to the store, and looks at what it did.
    fn put(&self, author: Author, commit: Commit) -> StoreResult<Receipt> {
        let world = &self.node.world;
        let contents = Contents::of(&commit);
        let receipt = world.backends.block_on(self.inner.commit(commit))?;
        world.note_commit(self.id, author, &contents);
        Ok(receipt)
    }

    /// The receipt of a commit that was never written.
    fn pretend(&self, author: Author) -> StoreResult<Receipt> {
        let (run, stats) = self
            .node
            .world
            .backends
            .block_on(async { (self.inner.run(author.sync_id).await, self.inner.stats().await) });
        let counts = run?.map(|run| run.counts).unwrap_or_default();
        Ok(Receipt { counts, last_change: stats?.last_change, streams: Vec::new() })
    }
}

/// The same commit with other items.
fn with_items(commit: &Commit, items: Vec<Item>) -> Commit {
    let Commit { sync_id, connector_id, fence, ref cancel, now, .. } = *commit;
    Commit { sync_id, connector_id, fence, cancel: cancel.clone(), now, items }
}

#[async_trait]
impl Runs for NodeStore {
    async fn begin_run(&self, run: NewRun) -> StoreResult<RunStart> {
        self.node.before("begin_run").await?;
        let author = Author { sync_id: run.sync_id, connector_id: run.connector_id, fence: run.fence };
        let start = self.node.world.backends.block_on(self.inner.begin_run(run));
        // To take the fence of a run that has ended changes nothing.
        if start.as_ref().is_ok_and(|start| start.run.outcome.is_none()) {
            self.node.world.note_begun(author);
        }
        self.node.after("begin_run", kind_of(&start)).await;
        start
    }

    async fn commit(&self, commit: Commit) -> StoreResult<Receipt> {
        self.node.before("commit").await?;
        let receipt = self.write(commit);
        self.node.after("commit", kind_of(&receipt)).await;
        receipt
    }

    async fn sweep(&self, mut sweep: Sweep) -> StoreResult<SweepProgress> {
        self.node.before("sweep").await?;
        let world = &self.node.world;
        let author = Author { sync_id: sweep.sync_id, connector_id: sweep.connector_id, fence: sweep.fence };
        if world.has(Mutant::NoFence) {
            sweep.fence = world.state().writes.greatest_fence(sweep.connector_id).unwrap_or(sweep.fence);
        }
        if world.has(Mutant::CancelIgnored) {
            sweep.cancel = CancelFlag::default();
        }
        let stream = sweep.stream.clone();
        let progress = world.backends.block_on(self.inner.sweep(sweep));
        if let Ok(progress) = &progress {
            world.note_sweep(self.id, author, &stream, progress.deleted);
        }
        self.node.after("sweep", kind_of(&progress)).await;
        progress
    }

    async fn sweep_candidates(&self, sweep: Sweep) -> StoreResult<Vec<Vec<u8>>> {
        self.node.call("sweep_candidates", self.inner.sweep_candidates(sweep)).await
    }

    async fn finish_run(&self, finish: FinishRun) -> StoreResult<Run> {
        self.node.before("finish_run").await?;
        let world = &self.node.world;
        let author =
            Author { sync_id: finish.sync_id, connector_id: finish.connector_id, fence: finish.fence };
        let run = world.backends.block_on(self.inner.finish_run(finish));
        if run.is_ok() {
            world.note_ended(author);
        }
        self.node.after("finish_run", kind_of(&run)).await;
        run
    }

    async fn run(&self, sync_id: SyncId) -> StoreResult<Option<Run>> {
        self.node.call("run", self.inner.run(sync_id)).await
    }

    async fn rest(&self) -> StoreResult<()> {
        self.node.call("rest", self.inner.rest()).await
    }

    async fn rejected(&self, sync_id: SyncId, query: RejectedQuery) -> StoreResult<Vec<RejectedRecord>> {
        self.node.call("rejected", self.inner.rejected(sync_id, query)).await
    }

    async fn replay_rejected(&self, replay: Replay) -> StoreResult<Vec<StreamName>> {
        self.node.call("replay_rejected", self.inner.replay_rejected(replay)).await
    }

    async fn log(&self, sync_id: SyncId, query: LogQuery) -> StoreResult<Vec<LogLine>> {
        self.node.call("log", self.inner.log(sync_id, query)).await
    }
}

#[async_trait]
impl Purges for NodeStore {
    async fn purge_step(&self, step: PurgeStep) -> StoreResult<PurgeProgress> {
        self.node.before("purge_step").await?;
        let world = &self.node.world;
        if world.has(Mutant::PurgeForgotten) {
            return Ok(PurgeProgress { deleted: 0, done: true });
        }
        let progress = world.backends.block_on(self.inner.purge_step(step));
        world.look_at_changes(self.id, None);
        self.node.after("purge_step", kind_of(&progress)).await;
        progress
    }

    async fn drop_pushes(&self, connector_id: ConnectorId, max_bytes: usize) -> StoreResult<bool> {
        self.node.call("drop_pushes", self.inner.drop_pushes(connector_id, max_bytes)).await
    }
}

#[async_trait]
impl CollectionStore for NodeStore {
    fn seed(&self) -> HashSeed {
        self.inner.seed()
    }

    async fn close_connector(&self, connector_id: ConnectorId) -> StoreResult<()> {
        self.node.before("close_connector").await?;
        let closed = self.node.world.backends.block_on(self.inner.close_connector(connector_id));
        if closed.is_ok() {
            self.node.world.note_closed(connector_id);
        }
        self.node.after("close_connector", kind_of(&closed)).await;
        closed
    }
}

forward!(Records for NodeStore {
    records(query: RecordQuery) -> RecordPage;
    record(connector: Option<ConnectorId>, stream: &StreamName, key: &[u8]) -> Vec<inlet_model::Record>;
    streams(connector: Option<ConnectorId>, stream: Option<&StreamName>) -> Vec<StreamStats>;
    stats() -> Stats;
} also {});

forward!(Changes for NodeStore {
    changes(after: ChangeCursor, limit: usize, max_bytes: usize) -> ChangePage;
} also {});

forward!(Inbox for NodeStore {
    push(push: Push) -> PushEffect;
    inbox_streams(connector: ConnectorId) -> Vec<StreamName>;
    inbox_after(connector: ConnectorId, stream: &StreamName, after: u64, max_bytes: usize) -> Vec<InboxItem>;
} also {});

forward!(Checkpoints for NodeStore {
    checkpoints(connector: ConnectorId, stream: Option<&StreamName>, after: Option<(StreamName, Scope)>, limit: usize) -> Vec<Checkpoint>;
    set_cursors(connector: ConnectorId, streams: Vec<StreamCursors>) -> CheckpointEffect;
    reset_checkpoints(connector: ConnectorId, stream: Option<StreamName>) -> CheckpointEffect;
} also {});

forward!(Upkeep for NodeStore {
    upkeep_step(step: UpkeepStep) -> UpkeepProgress;
} also {});

forward!(Schemas for NodeStore {
    schemas(query: SchemasQuery) -> Vec<SchemaVersion>;
} also {});

forward!(Undos for NodeStore {
    no_undo(connector: ConnectorId, undone: SyncId) -> Option<NoUndo>;
    undo_step(step: UndoStep) -> UndoEffect;
} also {});
