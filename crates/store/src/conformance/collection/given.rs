//! What the behaviours start from: an empty collection, and claims that are all different.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use inlet_model::log::NewLogLine;
use inlet_model::sync::{Failure, Outcome};
use inlet_model::{Clock, ConnectorId, ManualClock, SeededEntropy, StoreId, StreamName, SyncId, Timestamp};

use super::Backend;
use crate::catalog::PurgeId;
use crate::collection::{
    CancelFlag, Commit, Fence, FinishRun, Item, NewRun, PurgeProgress, PurgeStep, Receipt, Run, RunStart,
    RunStream, Sweep, SweepProgress, UndoEffect, UndoProgress, UndoStep, UpkeepProgress, UpkeepStep,
};
use crate::{CollectionStore, CollectionStores, StoreErrorKind, StoreResult};

/// No test sweeps in more steps than this.
const MAX_STEPS: usize = 1_000;

/// A collection under test that was empty at first, and a time that moves with each look at it.
#[derive(Debug)]
pub struct Given {
    pub(super) store: Arc<dyn CollectionStore>,
    pub(super) stores: Arc<dyn CollectionStores>,
    pub(super) store_id: StoreId,
    clock: ManualClock,
    entropy: SeededEntropy,
    fences: AtomicU64,
    /// Goes last: it may hold the folder in which all the others are.
    backend: Box<dyn Backend>,
}

/// What a worker has when a sync is claimed, and goes on with.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) sync_id: SyncId,
    pub(super) connector_id: ConnectorId,
    pub(super) fence: Fence,
    pub(super) attempt: u32,
    pub(super) streams: Vec<RunStream>,
    /// What its log says at its beginning.
    pub(super) lines: Vec<NewLogLine>,
    /// What its log says at its end.
    pub(super) last_lines: Vec<NewLogLine>,
    pub(super) cancel: CancelFlag,
}

impl Claim {
    /// The same sync, but listing everything again.
    pub(super) fn of_a_full_refresh(mut self) -> Self {
        self.streams.iter_mut().for_each(|stream| stream.full_refresh = true);
        self
    }

    /// The same claim, with streams that append.
    pub(super) fn appending(mut self) -> Self {
        self.streams.iter_mut().for_each(|stream| stream.appends = true);
        self
    }

    /// The same claim, with streams of this shape.
    pub(super) fn shaped(mut self, shape: &str) -> Self {
        for stream in &mut self.streams {
            shape.clone_into(&mut stream.shape);
        }
        self
    }
}

impl Given {
    /// A new collection in a backend that holds nothing.
    pub async fn new(backend: impl Backend + 'static) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
        let entropy = SeededEntropy::new(7);
        let store_id = StoreId::new(clock.now(), &entropy);
        let stores = backend.open().await;
        let store = stores.open(store_id).await.unwrap();
        let fences = AtomicU64::new(0);
        Self { store, stores, store_id, clock, entropy, fences, backend: Box::new(backend) }
    }

    /// The same, after everything was closed and opened again, as by another process.
    pub(super) async fn reopened(self) -> Self {
        let Self { store, stores, store_id, clock, entropy, fences, backend } = self;
        drop(store);
        drop(stores);
        let stores = backend.open().await;
        let store = stores.open(store_id).await.unwrap();
        Self { store, stores, store_id, clock, entropy, fences, backend }
    }

    /// The same with another collection, new and empty, in the same backend.
    pub(super) async fn with_a_new_collection(self) -> Self {
        let store_id = self.store_id();
        let store = self.stores.open(store_id).await.unwrap();
        Self { store, store_id, ..self }
    }

    /// A later time than ever before. Not a whole number of milliseconds, which a backend must not need.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.advance(1_001);
        self.clock.now()
    }

    /// Lets time pass.
    pub(super) fn wait(&self, time: Duration) {
        self.clock.advance(i64::try_from(time.as_micros()).unwrap());
    }

    /// The time that the last write got.
    pub(super) fn last_now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn connector(&self) -> ConnectorId {
        ConnectorId::new(self.now(), &self.entropy)
    }

    pub(super) fn store_id(&self) -> StoreId {
        StoreId::new(self.now(), &self.entropy)
    }

    /// A new sync of the connector, claimed, that reads these streams.
    pub(super) fn claim(&self, connector_id: ConnectorId, streams: &[&str]) -> Claim {
        Claim {
            sync_id: SyncId::new(self.now(), &self.entropy),
            connector_id,
            fence: self.fence(),
            attempt: 1,
            streams: streams.iter().map(|name| run_stream(name)).collect(),
            lines: Vec::new(),
            last_lines: Vec::new(),
            cancel: CancelFlag::default(),
        }
    }

    /// The same sync, taken over for another attempt.
    pub(super) fn taken_over(&self, claim: &Claim) -> Claim {
        Claim {
            fence: self.fence(),
            attempt: claim.attempt + 1,
            cancel: CancelFlag::default(),
            ..claim.clone()
        }
    }

    fn fence(&self) -> Fence {
        Fence(self.fences.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The run that this claim is for.
    pub(super) fn new_run(&self, claim: &Claim) -> NewRun {
        NewRun {
            sync_id: claim.sync_id,
            connector_id: claim.connector_id,
            fence: claim.fence,
            attempt: claim.attempt,
            after_crash: true,
            streams: claim.streams.clone(),
            lines: claim.lines.clone(),
            now: self.now(),
        }
    }

    pub(super) async fn try_begin(&self, claim: &Claim) -> StoreResult<RunStart> {
        self.store.begin_run(self.new_run(claim)).await
    }

    pub(super) async fn begin(&self, claim: &Claim) -> RunStart {
        self.try_begin(claim).await.unwrap()
    }

    /// A new sync that has begun.
    pub(super) async fn begun(&self, connector_id: ConnectorId, streams: &[&str]) -> Claim {
        let claim = self.claim(connector_id, streams);
        self.begin(&claim).await;
        claim
    }

    /// The next attempt of a sync, begun.
    pub(super) async fn begun_again(&self, claim: &Claim) -> Claim {
        let claim = self.taken_over(claim);
        self.begin(&claim).await;
        claim
    }

    pub(super) async fn try_commit(&self, claim: &Claim, items: Vec<Item>) -> StoreResult<Receipt> {
        self.try_commit_at(claim, items, self.now()).await
    }

    pub(super) async fn try_commit_at(
        &self,
        claim: &Claim,
        items: Vec<Item>,
        now: Timestamp,
    ) -> StoreResult<Receipt> {
        let commit = Commit {
            sync_id: claim.sync_id,
            connector_id: claim.connector_id,
            fence: claim.fence,
            cancel: claim.cancel.clone(),
            now,
            items,
        };
        self.store.commit(commit).await
    }

    pub(super) async fn commit(&self, claim: &Claim, items: Vec<Item>) -> Receipt {
        let receipt = self.try_commit(claim, items).await.unwrap();
        assert!(receipt.counts.add_up(), "the counters do not add up: {:?}", receipt.counts);
        receipt
    }

    fn sweep_of(&self, claim: &Claim, stream: &str, max_keys: usize, absent: BTreeSet<Vec<u8>>) -> Sweep {
        Sweep {
            sync_id: claim.sync_id,
            connector_id: claim.connector_id,
            fence: claim.fence,
            cancel: claim.cancel.clone(),
            now: self.now(),
            stream: name(stream),
            max_keys,
            absent,
        }
    }

    pub(super) async fn try_sweep(
        &self,
        claim: &Claim,
        stream: &str,
        max_keys: usize,
    ) -> StoreResult<SweepProgress> {
        self.store.sweep(self.sweep_of(claim, stream, max_keys, BTreeSet::new())).await
    }

    /// One step of the stream's sweep, when these keys are absent in the source.
    pub(super) async fn sweep_absent(
        &self,
        claim: &Claim,
        stream: &str,
        max_keys: usize,
        absent: impl IntoIterator<Item = Vec<u8>>,
    ) -> SweepProgress {
        let absent = absent.into_iter().collect();
        self.store.sweep(self.sweep_of(claim, stream, max_keys, absent)).await.unwrap()
    }

    /// The keys that the next step of the sweep has to be told about.
    pub(super) async fn try_candidates(
        &self,
        claim: &Claim,
        stream: &str,
        max_keys: usize,
    ) -> StoreResult<Vec<Vec<u8>>> {
        self.store.sweep_candidates(self.sweep_of(claim, stream, max_keys, BTreeSet::new())).await
    }

    /// One step of the stream's sweep.
    pub(super) async fn sweep_step(&self, claim: &Claim, stream: &str, max_keys: usize) -> SweepProgress {
        self.try_sweep(claim, stream, max_keys).await.unwrap()
    }

    /// The whole of the stream's sweep; gives how many records it deleted.
    pub(super) async fn sweep(&self, claim: &Claim, stream: &str) -> u64 {
        let mut deleted = 0;
        for _ in 0..MAX_STEPS {
            let progress = self.sweep_step(claim, stream, 100).await;
            deleted += progress.deleted;
            if progress.done {
                return deleted;
            }
        }
        panic!("the sweep of {stream} does not end");
    }

    pub(super) async fn try_purge(
        &self,
        connector_id: ConnectorId,
        stream: Option<&str>,
        max_keys: usize,
    ) -> StoreResult<PurgeProgress> {
        // Each step as of a purge of its own: what is left is all that they need to know.
        let Fence(number) = self.fence();
        let id = PurgeId(i64::try_from(number).unwrap());
        self.store.purge_step(self.step_of(id, connector_id, stream, max_keys)).await
    }

    /// A step of this purge.
    pub(super) fn step_of(
        &self,
        id: PurgeId,
        connector_id: ConnectorId,
        stream: Option<&str>,
        max_keys: usize,
    ) -> PurgeStep {
        PurgeStep { id, connector_id, stream: stream.map(name), now: self.now(), max_keys }
    }

    /// One step of a purge.
    pub(super) async fn purge_step(
        &self,
        connector_id: ConnectorId,
        stream: Option<&str>,
        max_keys: usize,
    ) -> PurgeProgress {
        self.try_purge(connector_id, stream, max_keys).await.unwrap()
    }

    /// The whole of a purge; gives how many records it deleted.
    pub(super) async fn purge(&self, connector_id: ConnectorId, stream: Option<&str>) -> u64 {
        let mut deleted = 0;
        for _ in 0..MAX_STEPS {
            let progress = self.purge_step(connector_id, stream, 100).await;
            deleted += progress.deleted;
            if progress.done {
                return deleted;
            }
        }
        panic!("the purge does not end");
    }

    /// One step of upkeep, of a collection of which history and runs are kept for so long.
    pub(super) async fn upkeep_step(&self, kept: Duration, max_entries: usize) -> UpkeepProgress {
        let step = UpkeepStep { now: self.now(), history: kept, runs: kept, max_entries };
        self.store.upkeep_step(step).await.unwrap()
    }

    /// All that is due of the history; runs are kept.
    pub(super) async fn compact(&self, history: Duration) {
        let step = || UpkeepStep { now: self.now(), history, runs: Duration::MAX, max_entries: 100 };
        while self.store.upkeep_step(step()).await.unwrap() == UpkeepProgress::More {}
    }

    /// All the upkeep that is due; when the next will be.
    pub(super) async fn upkeep(&self, kept: Duration) -> Option<Timestamp> {
        self.upkeep_in_steps_of(kept, 100).await
    }

    pub(super) async fn upkeep_in_steps_of(&self, kept: Duration, max_entries: usize) -> Option<Timestamp> {
        for _ in 0..MAX_STEPS {
            if let UpkeepProgress::Idle { due_at } = self.upkeep_step(kept, max_entries).await {
                return due_at;
            }
        }
        panic!("the upkeep does not end");
    }

    pub(super) async fn try_undo(
        &self,
        claim: &Claim,
        undone: &Claim,
        max_changes: usize,
    ) -> StoreResult<UndoEffect> {
        let step = UndoStep {
            sync_id: claim.sync_id,
            connector_id: claim.connector_id,
            fence: claim.fence,
            cancel: claim.cancel.clone(),
            now: self.now(),
            undone: undone.sync_id,
            max_changes,
        };
        self.store.undo_step(step).await
    }

    /// One step of undoing a sync.
    pub(super) async fn undo_step(&self, claim: &Claim, undone: &Claim, max_changes: usize) -> UndoProgress {
        match self.try_undo(claim, undone, max_changes).await.unwrap() {
            UndoEffect::Progress(progress) => progress,
            UndoEffect::Impossible(why) => panic!("it cannot be undone: {why:?}"),
        }
    }

    /// The whole of undoing a sync, in steps of that size.
    pub(super) async fn undo(&self, claim: &Claim, undone: &Claim, max_changes: usize) -> UndoProgress {
        for _ in 0..MAX_STEPS {
            let progress = self.undo_step(claim, undone, max_changes).await;
            if progress.done {
                return progress;
            }
        }
        panic!("the undo does not end");
    }

    pub(super) async fn try_finish(&self, claim: &Claim, outcome: Outcome) -> StoreResult<Run> {
        let finish = FinishRun {
            sync_id: claim.sync_id,
            connector_id: claim.connector_id,
            fence: claim.fence,
            outcome,
            failure: (outcome == Outcome::Failed).then(a_failure),
            lines: claim.last_lines.clone(),
            cancel: claim.cancel.clone(),
            now: self.now(),
        };
        self.store.finish_run(finish).await
    }

    pub(super) async fn finish(&self, claim: &Claim) -> Run {
        self.try_finish(claim, Outcome::Succeeded).await.unwrap()
    }
}

/// The error of something that was to be refused.
pub(super) fn kind<T: std::fmt::Debug>(result: StoreResult<T>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

pub(super) fn name(stream: &str) -> StreamName {
    StreamName::new(stream).unwrap()
}

pub(super) fn run_stream(stream: &str) -> RunStream {
    RunStream { name: name(stream), shape: "first".to_owned(), full_refresh: false, appends: false }
}

pub(super) fn a_failure() -> Failure {
    Failure {
        code: "source.unreachable".to_owned(),
        message: "The host does not answer.".to_owned(),
        hint: Some("Is it up?".to_owned()),
        retryable: true,
    }
}
