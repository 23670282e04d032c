//! Brings the catalog and the stores into agreement: does the tasks and the purges that the catalog has queued.
//!
//! Each is idempotent and is forgotten only when it is done, so that a crash anywhere between only means doing it again. A
//! long one is done in steps, and all that are queued take turns, so that none waits for another. None of it is done by the
//! worker, whose syncs wait for nothing but their own connector's purge.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::SyncStatus;
use inlet_model::{StoreId, SyncId};
use inlet_store::catalog::{Claim, Discard, Purge, PurgeId, Task, TaskId, TaskKind};
use inlet_store::collection::{DropDeletes, PurgeStep};
use inlet_store::{StoreResult, fault};
use tokio::time::Instant;

use crate::cancel::Why;
use crate::engine::{EngineParts, Shared};

/// Tasks that are read at once.
const TASKS: usize = 100;
/// Purges that take their turn between two looks at the tasks.
const PURGES: usize = 8;
/// Records that one step of a purge removes, so few that a sync of the same collection hardly notices.
const PURGE_KEYS: usize = 10_000;
/// Syncs whose deletes are taken back between two looks at the purges.
const DISCARDS: usize = 100;
/// Rows that one step of taking deletes back writes.
const DISCARD_ROWS: usize = 10_000;
/// Bytes of pushes that one step removes.
const PUSH_BYTES: usize = 8 << 20;
/// A store is not removed while a sync of it runs here. A sync that is cancelled ends within this time.
const SYNC_ENDS: Duration = Duration::from_secs(1);

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It was the last.
    Done,
    /// Another is to follow.
    More,
}

impl Progress {
    fn and(self, other: Self) -> Self {
        if self == Self::More { self } else { other }
    }
}

/// What is queued, by a name that never means another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Job {
    Task(TaskId),
    Purge(PurgeId),
    Discard(SyncId),
}

/// Does what is queued, until the engine stops.
pub(crate) async fn work(shared: Arc<Shared>) {
    let mut turns = Turns::default();
    while !shared.is_stopping() {
        if turns.take(&shared).await == Progress::More {
            continue;
        }
        tokio::select! {
            biased;
            () = shared.reconcile.notified() => {}
            () = shared.stopping() => {}
            () = tokio::time::sleep(shared.options.period) => {}
        }
    }
}

/// Does a step of every queued task, as the first thing at start; those that fail, or take more steps, stay queued.
pub(crate) async fn tasks(shared: &Shared) -> StoreResult<()> {
    Turns::default().tasks(shared).await.map(|_| ())
}

/// Whose turn it is not, because a step of it failed.
#[derive(Debug, Default)]
struct Turns {
    failed: HashMap<Job, Instant>,
}

impl Turns {
    /// One step of all that is queued; whether there is more to do at once.
    async fn take(&mut self, shared: &Shared) -> Progress {
        let now = Instant::now();
        self.failed.retain(|_, until| *until > now);
        self.round(shared).await.unwrap_or_else(|error| {
            error.complain("cannot read what is queued");
            Progress::Done
        })
    }

    /// The tasks have their turn again after every few purges: each is short, and a delete may be waited for.
    async fn round(&mut self, shared: &Shared) -> StoreResult<Progress> {
        let (mut progress, mut behind) = (Progress::Done, PurgeId(0));
        loop {
            progress = progress.and(self.tasks(shared).await?);
            progress = progress.and(self.discards(shared).await?);
            let purges = shared.parts.catalog.purge_list(behind, PURGES).await?;
            let Some(last) = purges.last().map(|purge| purge.id) else { return Ok(progress) };
            behind = last;
            for purge in purges {
                let job = Job::Purge(purge.id);
                if self.is_due(shared, job) {
                    let step = purge_step(shared, purge).await;
                    progress = progress.and(self.note(shared, job, step));
                }
            }
        }
    }

    async fn tasks(&mut self, shared: &Shared) -> StoreResult<Progress> {
        let mut progress = Progress::Done;
        loop {
            let tasks = shared.parts.catalog.task_list(TASKS).await?;
            let (all, mut done) = (tasks.len(), 0);
            for task in tasks {
                let job = Job::Task(task.id);
                if self.is_due(shared, job) {
                    let step = task_step(shared, task).await;
                    let is_done = matches!(step, Ok(Progress::Done));
                    done += usize::from(is_done);
                    progress = progress.and(self.note(shared, job, step));
                }
            }
            if all < TASKS || done == 0 {
                return Ok(progress);
            }
        }
    }

    async fn discards(&mut self, shared: &Shared) -> StoreResult<Progress> {
        let mut progress = Progress::Done;
        for discard in shared.parts.catalog.discard_list(DISCARDS).await? {
            let job = Job::Discard(discard.sync_id);
            if self.is_due(shared, job) {
                let step = discard_step(shared, discard).await;
                progress = progress.and(self.note(shared, job, step));
            }
        }
        Ok(progress)
    }

    fn is_due(&self, shared: &Shared, job: Job) -> bool {
        !shared.is_stopping() && !self.failed.contains_key(&job)
    }

    /// A job of which a step failed waits for the next period; the others go on.
    fn note(&mut self, shared: &Shared, job: Job, step: StoreResult<Progress>) -> Progress {
        step.unwrap_or_else(|error| {
            error.complain(&format!("a step of {job:?} failed; what is to be done stays queued"));
            self.failed.insert(job, Instant::now() + shared.options.period);
            Progress::Done
        })
    }
}

async fn task_step(shared: &Shared, task: Task) -> StoreResult<Progress> {
    let parts = &shared.parts;
    match task.kind {
        TaskKind::CloseConnector { store_id, connector_id } => {
            let store = parts.stores.open(store_id).await?;
            store.close_connector(connector_id).await?;
            if !store.drop_pushes(connector_id, PUSH_BYTES).await? {
                return Ok(Progress::More);
            }
        }
        TaskKind::RemoveStore { store_id } => {
            if !has_ended_in(shared, store_id).await {
                return Ok(Progress::More);
            }
            parts.stores.remove(store_id).await?;
        }
    }
    parts.catalog.task_done(task.id).await?;
    Ok(Progress::Done)
}

/// Ends what runs in a store that is to go: a sync that was claimed a moment ago would make the store anew by opening it.
async fn has_ended_in(shared: &Shared, store_id: StoreId) -> bool {
    let running: Vec<_> = {
        let running = shared.running();
        let of_store = running.iter().filter(|(_, running)| running.store_id == store_id);
        of_store.map(|(id, running)| (*id, running.ended.subscribe())).collect()
    };
    for (sync_id, mut ended) in running {
        shared.cancel(sync_id, Why::Unwanted);
        // An error means that the sync is gone from the table: it has ended.
        if tokio::time::timeout(SYNC_ENDS, ended.wait_for(|ended| *ended)).await.is_err() {
            return false;
        }
    }
    true
}

async fn purge_step(shared: &Shared, purge: Purge) -> StoreResult<Progress> {
    let parts = &shared.parts;
    let store = parts.stores.open(purge.store_id).await?;
    let step = PurgeStep {
        id: purge.id,
        connector_id: purge.connector_id,
        stream: purge.stream,
        now: parts.clock.now(),
        max_keys: PURGE_KEYS,
    };
    if !store.purge_step(step).await?.done {
        return Ok(Progress::More);
    }
    fault::point("engine.purged");
    parts.catalog.purge_done(purge.id).await?;
    // A sync may have waited for it.
    shared.wake.notify_one();
    Ok(Progress::Done)
}

async fn discard_step(shared: &Shared, discard: Discard) -> StoreResult<Progress> {
    let parts = &shared.parts;
    let store = parts.stores.open(discard.store_id).await?;
    let step = DropDeletes {
        sync_id: discard.sync_id,
        connector_id: discard.connector_id,
        now: parts.clock.now(),
        max_rows: DISCARD_ROWS,
    };
    if !store.drop_deletes(step).await? {
        return Ok(Progress::More);
    }
    fault::point("engine.discarded");
    parts.catalog.discard_done(discard.sync_id).await?;
    // A sync may have waited for it.
    shared.wake.notify_one();
    Ok(Progress::Done)
}

/// Ends the syncs of connectors that were deleted together with their collection, and gives the others: to begin one would
/// make the store anew, for nobody.
pub(crate) async fn end_without_store(parts: &EngineParts, claims: Vec<Claim>) -> StoreResult<Vec<Claim>> {
    let there: HashSet<_> = parts.stores.list().await?.into_iter().collect();
    let (gone, left): (Vec<_>, Vec<_>) = claims
        .into_iter()
        .partition(|claim| claim.connector.is_none() && !there.contains(&claim.sync.store_id));
    for claim in gone {
        tracing::info!(sync_id = %claim.sync.id, "the sync ends with its collection");
        let now = parts.clock.now();
        parts.catalog.sync_abandon(claim.sync.id, claim.fence, SyncStatus::Cancelled, None, now).await?;
    }
    Ok(left)
}

/// Names the stores that no collection owns. They are left alone: a catalog restored from an older backup does not
/// know newer collections, and must not cost their data.
pub(crate) async fn report_unowned(parts: &EngineParts) -> StoreResult<()> {
    let stores = parts.stores.list().await?;
    let owned: HashSet<_> = parts.catalog.collection_stores().await?.into_iter().collect();
    for store_id in stores.into_iter().filter(|id| !owned.contains(id)) {
        tracing::warn!(%store_id, "no collection owns this store; it is left as it is");
    }
    Ok(())
}
