//! The engine's handle: what the API and the command line see of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inlet_model::secret::Vault;
use inlet_model::{Clock, ConnectorId, Entropy, NodeId, NodeRole, NodeRoles, StoreId, SyncId};
use inlet_source::{Environment, Registry};
use inlet_store::catalog::{Lease, Node, SyncLimits};
use inlet_store::collection::Fence;
use inlet_store::{Catalog, CollectionStores, Signal, Signals, StoreResult};
use tokio::sync::{Notify, watch};

use crate::cancel::{Cancel, Why};
use crate::metrics::EngineMetrics;
use crate::progress::{Progress, Shown};
use crate::retry::RetryOptions;
use crate::watch::{Watch, Watchers};
use crate::worker;

/// What the engine works with.
#[derive(Debug, Clone)]
pub struct EngineParts {
    /// What exists and what is wanted.
    pub catalog: Arc<dyn Catalog>,
    /// The data.
    pub stores: Arc<dyn CollectionStores>,
    /// The way to other processes that run syncs of this catalog.
    pub signals: Arc<dyn Signals>,
    /// The connector types.
    pub registry: Registry,
    /// What sources may touch.
    pub environment: Environment,
    /// What opens the secrets of connectors.
    pub vault: Vault,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// What is counted.
    pub metrics: EngineMetrics,
}

/// Bounds of the engine, with defaults that keep a small machine safe.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// What the node is called, for people: its machine's name.
    pub name: String,
    /// What the node is for. Without `worker` it runs no sync, carries out nothing that follows from a delete, and lets nothing
    /// go; without `scheduler` no connector syncs by itself. It may be asked for a sync all the same: others run it.
    pub roles: NodeRoles,
    /// Syncs that run at the same time. With none the engine only carries out what was asked to go, and is no node that
    /// others know of.
    pub running_syncs: usize,
    /// Syncs that run at the same time on all nodes together. All nodes should have the same limits: each claims by its own.
    pub limits: SyncLimits,
    /// Bytes of records that one sync may hold between source and commit: a few commits, so that neither waits for the
    /// other's every breath.
    pub sync_bytes: u32,
    /// A commit is cut at this much work …
    pub commit_delay: Duration,
    /// … or at this many bytes.
    pub commit_bytes: usize,
    /// A sync whose source is silent for so long has failed.
    pub stall_limit: Duration,
    /// A record of more bytes is rejected.
    pub max_record_bytes: usize,
    /// How long and how often a sync waits for its source.
    pub retry: RetryOptions,
    /// Whether no other process runs syncs of this catalog. Then those that are running when the engine starts were left by one that
    /// has ended, and are taken over at once; else when their leases are over.
    pub is_alone: bool,
    /// A node that is silent for so long loses its syncs.
    pub lease: Duration,
    /// How often the worker looks for work it was not told of.
    pub period: Duration,
    /// Superseded versions of records, and that records were deleted, are kept in the change feed for so long, but never
    /// shorter than `undo_time`. `None`: nothing is removed from the collections, here.
    pub history: Option<Duration>,
    /// A sync can be undone for so long after its end.
    pub undo_time: Duration,
    /// Runs of syncs that have ended, and the records that they refused, are kept for so long, but never shorter than twice
    /// the history.
    pub runs: Duration,
    /// How often it is looked whether upkeep of a collection is due.
    pub upkeep_period: Duration,
}

impl EngineOptions {
    /// How long a lease lasts unless somebody says otherwise.
    pub const LEASE: Duration = Duration::from_secs(30);
    /// How long the history is kept unless somebody says otherwise.
    pub const HISTORY: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    /// How long a sync can be undone unless somebody says otherwise.
    pub const UNDO_TIME: Duration = Duration::from_secs(24 * 60 * 60);
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            name: "localhost".to_owned(),
            roles: NodeRoles::ALL,
            running_syncs: 4,
            limits: SyncLimits::default(),
            sync_bytes: 18 << 20,
            commit_delay: Duration::from_millis(250),
            commit_bytes: 6 << 20,
            stall_limit: Duration::from_secs(60 * 60),
            max_record_bytes: 16 << 20,
            retry: RetryOptions::default(),
            is_alone: true,
            lease: Self::LEASE,
            period: Duration::from_secs(5),
            history: Some(Self::HISTORY),
            undo_time: Self::UNDO_TIME,
            runs: Duration::from_secs(30 * 24 * 60 * 60),
            upkeep_period: Duration::from_secs(5 * 60),
        }
    }
}

/// A running sync, seen from outside.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) store_id: StoreId,
    pub(crate) connector_id: ConnectorId,
    /// Of the claim it runs by: this node may lose a sync and be given it again while the first run still stops.
    pub(crate) fence: Fence,
    pub(crate) cancel: Cancel,
    pub(crate) ended: watch::Sender<bool>,
    pub(crate) progress: Shown,
}

#[derive(Debug)]
pub(crate) struct Shared {
    /// This process, among all that share the catalog.
    pub(crate) node: Node,
    pub(crate) parts: EngineParts,
    pub(crate) options: EngineOptions,
    /// Wakes the worker.
    pub(crate) wake: Notify,
    /// Wakes the task that reconciles.
    pub(crate) reconcile: Notify,
    /// Wakes the scheduler.
    pub(crate) schedule: Notify,
    pub(crate) watchers: Arc<Watchers>,
    pub(crate) stop: watch::Sender<bool>,
    /// In order, so that what is done for all of them is done in the same order each time.
    pub(crate) running: Mutex<BTreeMap<SyncId, Running>>,
}

/// The engine. Cheap to clone; all clones are one engine.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    worker: Arc<tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>>,
}

impl Engine {
    /// Brings catalog and stores into agreement, takes over the syncs that an earlier process left, and starts the worker.
    pub async fn start(parts: EngineParts, options: EngineOptions) -> StoreResult<Self> {
        let started_at = parts.clock.now();
        let shared = Arc::new(Shared {
            node: Node {
                id: NodeId::new(started_at, &*parts.entropy),
                name: options.name.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                roles: options.roles,
                started_at,
            },
            parts,
            options,
            wake: Notify::new(),
            reconcile: Notify::new(),
            schedule: Notify::new(),
            watchers: Arc::default(),
            stop: watch::Sender::new(false),
            running: Mutex::new(BTreeMap::new()),
        });
        let worker = worker::start(Arc::clone(&shared)).await?;
        Ok(Self { shared, worker: Arc::new(tokio::sync::Mutex::new(Some(worker))) })
    }

    /// Says that a sync was queued or a task added. Without it the engine notices within its period.
    pub fn wake(&self) {
        self.shared.look_for_work();
        self.shared.parts.signals.tell(Signal::Work);
    }

    /// Says that a connector is to sync at other times than before. Without it the engine notices within its period.
    pub fn rescheduled(&self) {
        self.shared.schedule.notify_one();
        self.shared.parts.signals.tell(Signal::Schedule);
    }

    /// Says that syncs ended or are to end, through a deletion or because others take their place.
    pub fn unwanted(&self) {
        self.shared.look_for_work();
        self.shared.watchers.tell_all();
        self.shared.parts.signals.tell(Signal::Anything);
    }

    /// Watches a sync, queued or running, here or elsewhere: read it, wait for a change, and read it again.
    #[must_use]
    pub fn watch(&self, sync_id: SyncId) -> Watch {
        self.shared.watchers.watch(sync_id, &self.shared.parts.signals, self.shared.options.period)
    }

    /// How far a sync that runs here comes, from now on; `None` if it does not run here.
    #[must_use]
    pub fn progress(&self, sync_id: SyncId) -> Option<watch::Receiver<Option<Arc<Progress>>>> {
        self.shared.running().get(&sync_id).map(|running| running.progress.subscribe())
    }

    /// Cancels a sync that runs here, after the catalog has recorded that it is cancelling: once this returns, no
    /// commit of it becomes durable that had not begun to, and it ends within a second even if its source hangs.
    pub fn cancel(&self, sync_id: SyncId) {
        if !self.shared.cancel(sync_id, Why::Unwanted) {
            // It may have been claimed a moment ago: the worker looks as soon as it knows the sync.
            self.shared.wake.notify_one();
        }
        self.shared.tell(sync_id);
    }

    /// For how long after its end a sync can be undone.
    #[must_use]
    pub fn undo_time(&self) -> Duration {
        self.shared.options.undo_time
    }

    /// Waits until the sync runs here no more; returns at once if it does not. A queued sync is not waited for.
    pub async fn ended(&self, sync_id: SyncId) {
        let Some(mut ended) = self.shared.running().get(&sync_id).map(|running| running.ended.subscribe())
        else {
            return;
        };
        // An error means that the sync is gone from the table: it has ended.
        let _ended = ended.wait_for(|ended| *ended).await;
    }

    /// Stops taking syncs, lets each running one commit what it has in hand, and returns when all have stopped or
    /// `grace` is over. Nothing is lost either way: the next start goes on from what was committed.
    pub async fn stop(&self, grace: Duration) {
        self.shared.stop.send_replace(true);
        self.shared.wake.notify_one();
        self.shared.reconcile.notify_one();
        if let Some(worker) = self.worker.lock().await.take()
            && tokio::time::timeout(grace, worker).await.is_err()
        {
            tracing::warn!("syncs did not stop within the grace period; they resume at the next start");
        }
        self.shared.parts.signals.told().await;
    }
}

impl Shared {
    pub(crate) fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<SyncId, Running>> {
        self.running.lock().expect("no holder panics")
    }

    /// Stops a sync; whether it runs here.
    pub(crate) fn cancel(&self, sync_id: SyncId, why: Why) -> bool {
        let running = self.running();
        let found = running.get(&sync_id);
        if let Some(running) = found {
            running.cancel.raise(why);
        }
        found.is_some()
    }

    /// There may be something to claim, or to carry out.
    pub(crate) fn look_for_work(&self) {
        self.wake.notify_one();
        self.reconcile.notify_one();
    }

    /// The sync may stand otherwise, or has come further.
    pub(crate) fn tell(&self, sync_id: SyncId) {
        self.watchers.tell(sync_id);
        self.parts.signals.tell(Signal::Sync(sync_id));
    }

    /// What ran by that claim runs here no more.
    pub(crate) fn forget(&self, sync_id: SyncId, fence: Fence) {
        let mut running = self.running();
        if running.get(&sync_id).is_some_and(|running| running.fence == fence)
            && let Some(ended) = running.remove(&sync_id)
        {
            ended.ended.send_replace(true);
        }
    }

    /// A lease from now on.
    pub(crate) fn lease(&self) -> Lease {
        Lease { node: self.node.id, until: self.parts.clock.now().plus(self.options.lease) }
    }

    /// Says that this node is there, and still has its syncs; gives those that it has.
    pub(crate) async fn renew(&self) -> StoreResult<Vec<SyncId>> {
        let now = self.parts.clock.now();
        self.parts.catalog.node_renew(&self.node, now.plus(self.options.lease), now).await
    }

    /// Whether that is this node's to do.
    pub(crate) fn has_role(&self, role: NodeRole) -> bool {
        self.node.roles.contains(role)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the engine is being stopped.
    pub(crate) async fn stopping(&self) {
        // An error would mean that the sender is gone, and with it the engine: that is a stop too.
        let _stopping = self.stop.subscribe().wait_for(|stop| *stop).await.map(|_| ());
    }
}
