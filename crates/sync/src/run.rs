//! One sync, from its claim to its end.
//!
//! What the run has done is in the collection's store; this code may die at any line. The next start claims the sync again and
//! finds there how far it came.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::log::NewLogLine;
use inlet_model::policy::SchemaPolicy;
use inlet_model::sync::{Failure, Outcome, SyncStatus};
use inlet_model::{Counts, SyncId, Timestamp};
use inlet_source::ReadRequest;
use inlet_store::catalog::{Claim, ClaimKind, Connector};
use inlet_store::collection::{Commit, FinishRun, Item, NewRun, Replay, Run, RunStart};
use inlet_store::{CollectionStore, StoreError, StoreErrorKind, StoreResult, fault};
use tracing::field::Empty;

use crate::cancel::{AbortOnDrop, Cancel};
use crate::engine::Shared;
use crate::failure::{self, Failed, Stop};
use crate::inbox::StoreInbox;
use crate::metrics::TypeMetrics;
use crate::notes::Notes;
use crate::plan::{self, StreamPlan};
use crate::progress::Tracker;
use crate::read::{self, Reading};
use crate::schemas::Schemas;
use crate::shape::{self, Shapes};
use crate::sink::Sink;
use crate::source::{BuiltSource, build_source};
use crate::{lines, spans};

/// A sync with this many attempts in a row that came to nothing is not tried again.
const MAX_BARREN_ATTEMPTS: u32 = 3;

/// A run in progress: what every step of it needs.
#[derive(Debug)]
pub(crate) struct RunContext {
    pub(crate) shared: Arc<Shared>,
    pub(crate) claim: Claim,
    pub(crate) store: Arc<dyn CollectionStore>,
    pub(crate) cancel: Cancel,
    pub(crate) progress: Tracker,
    notes: Notes,
    pub(crate) claimed_at: Timestamp,
}

/// Runs a claimed sync until it has ended, in the store and in the catalog, or the engine stops.
#[tracing::instrument(name = "sync", skip_all, fields(
    sync_id = %claim.sync.id, connector_id = %claim.sync.connector_id, connector_type = type_of(&claim),
    attempt = claim.sync.attempt, status = Empty, read = Empty, created = Empty, updated = Empty, unchanged = Empty,
    deleted = Empty, rejected = Empty, bytes = Empty, code = Empty, otel.status_code = Empty,
))]
pub(crate) async fn run(shared: Arc<Shared>, claim: Claim) {
    let Some(context) = RunContext::open(shared, claim).await else { return };
    tracing::info!(attempt = context.claim.sync.attempt, "the sync begins");
    context.unless_overdue(context.conduct()).await;
}

/// Ends a sync whose run panicked: what has a bug would only meet it again, and until it ends no other sync of its connector
/// can begin.
pub(crate) async fn broke_down(shared: Arc<Shared>, claim: Claim) {
    if let Some(context) = RunContext::open(shared, claim).await {
        context.unless_overdue(context.stop(Stop::from(failure::broke_down()))).await;
    }
}

impl RunContext {
    /// Opens what a sync of this worker writes to. If that cannot be, the sync has ended.
    async fn open(shared: Arc<Shared>, claim: Claim) -> Option<Arc<Self>> {
        let (cancel, shown) = shared
            .running()
            .get(&claim.sync.id)
            .filter(|running| running.fence == claim.fence)
            .map(|running| (running.cancel.clone(), running.progress.clone()))?;
        let store_id = claim.sync.store_id;
        let opening = retried(&shared, "open the collection", || shared.parts.stores.open(store_id));
        let opened = tokio::select! {
            biased;
            opened = opening => opened,
            // What an earlier attempt has done, and whether it has come to an end, only the collection knows.
            () = cancel.overdue(), if claim.kind == ClaimKind::Begun => Err(cancel.stop()),
        };
        match opened {
            Ok(store) => {
                let claimed_at = shared.parts.clock.now();
                let (progress, notes) = (Tracker::new(shown), Notes::default());
                Some(Arc::new(Self { shared, claim, store, cancel, progress, notes, claimed_at }))
            }
            Err(stop) => {
                abandon(&shared, &claim, stop).await;
                None
            }
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.parts.clock.now()
    }

    /// Has the log of the sync say this, with the next write of the run. Never a secret, and no line a batch.
    pub(crate) fn note(&self, line: NewLogLine) {
        self.notes.add(line);
    }

    /// How many records the connector lets its syncs reject.
    pub(crate) fn max_rejected(&self) -> u64 {
        self.claim.connector.as_ref().map_or(0, |connector| connector.policy.max_rejected)
    }

    /// What becomes of records that are not of the schema known so far.
    fn schema_policy(&self) -> SchemaPolicy {
        self.claim.connector.as_ref().map(|connector| connector.policy.schema).unwrap_or_default()
    }

    /// The numbers that this sync counts into.
    pub(crate) fn metrics(&self) -> &TypeMetrics {
        self.shared.parts.metrics.of_type(type_of(&self.claim))
    }

    /// The whole sync, to its end in the catalog.
    async fn conduct(&self) {
        match self.carry_out().await {
            Ok(Some(run)) => self.tell(&run).await,
            // A dry run has told its end itself.
            Ok(None) => {}
            Err(stop) => self.stop(stop).await,
        }
    }

    /// Everything up to the end of the run in the store; none of a dry run, which has no run there.
    async fn carry_out(&self) -> Result<Option<Run>, Stop> {
        let sync = &self.claim.sync;
        let earlier = self.store.run(sync.id).await?;
        let is_new = earlier.is_none();
        if let Some(ended) = earlier.filter(|run| run.outcome.is_some()) {
            return Ok(Some(ended));
        }
        if sync.status == SyncStatus::Cancelling {
            return Err(Stop::Cancelled);
        }
        let Some(connector) = &self.claim.connector else { return Err(Stop::Fenced) };
        if let Some(undone) = sync.reverts {
            return self.undo(connector, undone).await.map(Some);
        }
        let parts = &self.shared.parts;
        let built = build_source(&parts.registry, &parts.environment, &parts.vault, connector);
        let source = built.map_err(Stop::from)?;
        if sync.dry_run {
            return self.rehearse(connector, source).await.map(|()| None);
        }
        if sync.approval.as_ref().is_some_and(|approval| approval.approved && approval.after_reading) {
            return self.delete_what_was_approved(connector, &source).await.map(Some);
        }
        if let Some(refused_by) = sync.replays.filter(|_| is_new) {
            self.replay(&source, refused_by).await?;
        }
        let mut plans = self.plan(connector, &source).await?;
        let mut start = self.begin(connector, &plans).await?;
        self.approve().await?;
        let mut failed = Vec::new();
        let unswept = std::mem::take(&mut start.unswept);
        if !unswept.is_empty() {
            let unswept = plans.iter().filter(|plan| unswept.contains(&plan.name)).map(StreamPlan::question);
            let unswept: Vec<_> = unswept.collect();
            self.ask(&source, &unswept, false).await?;
            failed = self.sweep_all(&source, unswept).await?;
            // Cursors and counters are now as the end of these listings left them.
            start = self.begin(connector, &plans).await?;
        }
        if sync.approval.is_some() {
            self.shared.parts.catalog.sync_approval_spent(sync.id, self.claim.fence).await?;
        }
        plans.retain(|plan| !failed.iter().any(|(name, _)| name == plan.name.as_str()));
        let questions: Vec<_> = plans.iter().map(StreamPlan::question).collect();
        if !plans.is_empty() {
            failed
                .extend(self.read(source.clone(), plans, start, Sink::Store(Arc::clone(&self.store))).await?);
        }
        fault::point("engine.read_end");
        self.ask(&source, &questions, true).await?;
        failed.extend(self.sweep_all(&source, questions).await?);
        fault::point("engine.swept");
        self.end(&failed).await.map(Some)
    }

    pub(crate) async fn end(&self, failed: &[(String, Failed)]) -> Result<Run, Stop> {
        match failure::of_streams(failed) {
            None => Ok(self.finish(Outcome::Succeeded, None).await?),
            Some(failed) => Err(Stop::Failed(failed)),
        }
    }

    /// Prepares for reading again what another sync refused. Once the run has begun, that is done.
    async fn replay(&self, source: &BuiltSource, refused_by: SyncId) -> Result<(), Stop> {
        let connector_id = self.claim.sync.connector_id;
        let fence = self.claim.fence;
        let replay = Replay { connector_id, fence, refused_by, pushed: source.accepts_push() };
        self.store.replay_rejected(replay).await?;
        self.note(lines::replays(refused_by));
        Ok(())
    }

    /// The streams to read: those that the trigger named, of all the connector has.
    pub(crate) async fn plan(
        &self,
        connector: &Connector,
        built: &BuiltSource,
    ) -> Result<Vec<StreamPlan>, Stop> {
        let plans = self.plan_all(connector, built).await?;
        match &self.claim.sync.only_streams {
            None => Ok(plans),
            Some(only) => plan::only(plans, only).map_err(Stop::from),
        }
    }

    /// All streams: as the user set them, else all that have pushes waiting or that discovery finds.
    async fn plan_all(&self, connector: &Connector, built: &BuiltSource) -> Result<Vec<StreamPlan>, Stop> {
        let mode = self.claim.sync.mode;
        if let Some(streams) = &connector.streams {
            return Ok(streams.iter().map(|settings| StreamPlan::from_settings(settings, mode)).collect());
        }
        if built.accepts_push() {
            let names = self.store.inbox_streams(connector.id).await?;
            return Ok(names.into_iter().map(|name| StreamPlan::from_name(name, mode)).collect());
        }
        let discovering = built.clone();
        let discovered = self
            .unless_cancelled("its streams were listed", async move { discovering.discover().await })
            .await??;
        Ok(discovered.into_iter().map(|spec| StreamPlan::from_spec(spec, mode)).collect())
    }

    pub(crate) async fn begin(&self, connector: &Connector, plans: &[StreamPlan]) -> Result<RunStart, Stop> {
        let start = self.store.begin_run(self.new_run(connector, plans)).await?;
        if start.run.barren_attempts > MAX_BARREN_ATTEMPTS {
            return Err(Stop::from(failure::crash_loop(MAX_BARREN_ATTEMPTS)));
        }
        self.progress.stands(&start.run);
        self.tell_watchers();
        Ok(start)
    }

    /// The run of this claim.
    pub(crate) fn new_run(&self, connector: &Connector, plans: &[StreamPlan]) -> NewRun {
        let sync = &self.claim.sync;
        let mut lines = vec![lines::attempt(self.claim.kind, sync.attempt)];
        lines.extend(sync.reverts.map(lines::reverts));
        NewRun {
            sync_id: sync.id,
            connector_id: sync.connector_id,
            fence: self.claim.fence,
            attempt: sync.attempt,
            after_crash: self.claim.kind == ClaimKind::TakenOver,
            streams: plans.iter().map(|plan| plan.run_stream(connector)).collect(),
            lines,
            now: self.now(),
        }
    }

    /// Reads the source into the sink; gives the streams that failed.
    pub(crate) async fn read(
        &self,
        built: BuiltSource,
        plans: Vec<StreamPlan>,
        mut start: RunStart,
        sink: Sink,
    ) -> Result<Vec<(String, Failed)>, Stop> {
        let options = &self.shared.options;
        let shapes = Shapes::new(self, &plans, &start, built.accepts_push()).await?;
        let schemas = Schemas::new(self.schema_policy(), &plans, &mut start, built.accepts_push());
        let askable = plans.iter().filter(|plan| plan.is_askable()).map(|plan| plan.name.clone()).collect();
        let inbox = self.inbox(&plans, built.accepts_push()).await?;
        let mut streams: Vec<_> = plans.into_iter().map(|plan| plan.request(&mut start)).collect();
        streams.iter_mut().for_each(|stream| shapes.open_checkpoints(stream));
        let request = ReadRequest {
            streams,
            seed: self.store.seed(),
            generation: start.run.generation,
            batch_bytes: options.commit_bytes / 8,
            batch_delay: options.commit_delay / 2,
            max_record_bytes: options.max_record_bytes,
            inbox: Some(Arc::new(inbox)),
        };
        let reading = Reading { shapes, schemas, askable, counted: start.run.counts, sink };
        read::read(self, built, request, reading).await
    }

    /// The pushes that wait, with what is masked in them.
    async fn inbox(&self, plans: &[StreamPlan], are_pushed: bool) -> Result<StoreInbox, Stop> {
        let masks = plans.iter().filter(|plan| are_pushed && !plan.masking.is_empty());
        let masking: BTreeMap<_, _> =
            masks.map(|plan| (plan.name.clone(), (plan.masking.clone(), plan.primary_key.clone()))).collect();
        let masking_key = match masking.is_empty() {
            true => None,
            false => Some(shape::masking_key(self).await?),
        };
        let (store, connector_id) = (Arc::clone(&self.store), self.claim.sync.connector_id);
        Ok(StoreInbox { store, connector_id, masking, masking_key })
    }

    /// A commit of this run, and of what waits to be told of it.
    pub(crate) fn commit(&self, mut items: Vec<Item>) -> Commit {
        items.extend(self.notes.take().into_iter().map(Item::Log));
        Commit {
            sync_id: self.claim.sync.id,
            connector_id: self.claim.sync.connector_id,
            fence: self.claim.fence,
            cancel: self.cancel.flag(),
            now: self.now(),
            items,
        }
    }

    /// Waits for the source's `work` in a task of its own, so that not even a source that blocks its thread
    /// delays a cancel. `doing` says what it does, for the case that it does not come to an end.
    pub(crate) async fn unless_cancelled<T: Send + 'static>(
        &self,
        doing: &str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Stop> {
        let limit = self.shared.options.stall_limit;
        let task = tokio::spawn(work);
        let _aborting = AbortOnDrop(task.abort_handle());
        tokio::select! {
            biased;
            done = task => done.map_err(|_| Stop::from(failure::permanent("source.internal", "the source broke down"))),
            _ = self.cancel.raised() => Err(self.cancel.stop()),
            () = self.shared.stopping() => Err(Stop::Interrupted),
            () = tokio::time::sleep(limit) => Err(Stop::from(failure::stalled(doing, limit))),
        }
    }

    async fn finish(&self, outcome: Outcome, failure: Option<Failure>) -> StoreResult<Run> {
        let mut lines = self.notes.copy();
        lines.push(lines::ended(outcome, failure.as_ref(), self.progress.counts()));
        let finish = FinishRun {
            sync_id: self.claim.sync.id,
            connector_id: self.claim.sync.connector_id,
            fence: self.claim.fence,
            outcome,
            failure,
            lines,
            cancel: self.cancel.flag(),
            now: self.now(),
        };
        self.store.finish_run(finish).await
    }

    /// Ends a run that stopped early, in the store and in the catalog.
    async fn stop(&self, stop: Stop) {
        let (outcome, failure) = match self.in_truth(stop) {
            Stop::Interrupted => {
                tracing::info!("the sync is interrupted; the next start goes on with it");
                return;
            }
            Stop::Fenced => return abandon(&self.shared, &self.claim, Stop::Fenced).await,
            Stop::Cancelled => (Outcome::Cancelled, None),
            Stop::Asks(approval) => match self.wait_for_approval(*approval).await {
                Ok(SyncStatus::NeedsApproval) => return,
                Ok(SyncStatus::Cancelling) => (Outcome::Cancelled, None),
                // It may not ask: it is another claim's, or has ended.
                Ok(_) => return abandon(&self.shared, &self.claim, Stop::Fenced).await,
                Err(stop) => return abandon(&self.shared, &self.claim, stop).await,
            },
            Stop::Failed(failed) => match self.wait(&failed).await {
                Some(SyncStatus::Waiting) => return,
                Some(SyncStatus::Cancelling) => (Outcome::Cancelled, None),
                // It may not wait, though it runs: it runs for another claim.
                Some(SyncStatus::Running) => return abandon(&self.shared, &self.claim, Stop::Fenced).await,
                _ => (Outcome::Failed, Some(failed.failure)),
            },
        };
        let began = match retried(&self.shared, "read the run", || self.store.run(self.claim.sync.id)).await {
            // It ended before, and an earlier attempt could not tell: its end stands, whatever has happened since.
            Ok(Some(run)) if run.outcome.is_some() => return self.tell(&run).await,
            Ok(run) => run.is_some(),
            Err(stop) => return abandon(&self.shared, &self.claim, stop).await,
        };
        if !began {
            let stop = failure.map_or(Stop::Cancelled, Stop::from);
            return abandon(&self.shared, &self.claim, stop).await;
        }
        let ended = match self.end_as(outcome, failure).await {
            Err(Stop::Cancelled) => match self.cancel.stop() {
                // It was cancelled a moment ago, and ends no other way any more.
                Stop::Cancelled => self.end_as(Outcome::Cancelled, None).await,
                lost => Err(lost),
            },
            ended => ended,
        };
        match ended {
            Ok(run) => self.tell(&run).await,
            Err(stop) => abandon(&self.shared, &self.claim, stop).await,
        }
    }

    /// Why it stops: the stores and the source know only that it was told to.
    fn in_truth(&self, stop: Stop) -> Stop {
        if matches!(stop, Stop::Cancelled) { self.cancel.stop() } else { stop }
    }

    /// Ends the run in the store under this claim's fence.
    pub(crate) async fn end_as(&self, outcome: Outcome, failure: Option<Failure>) -> Result<Run, Stop> {
        let ended = retried(&self.shared, "finish the run", || async {
            self.take_fence().await?;
            self.finish(outcome, failure.clone()).await
        });
        ended.await
    }

    /// Tells the store this claim's fence: a sync that was taken over may end before it has gone on with its run under it. To
    /// begin again changes nothing.
    async fn take_fence(&self) -> StoreResult<()> {
        let new_run = NewRun {
            sync_id: self.claim.sync.id,
            connector_id: self.claim.sync.connector_id,
            fence: self.claim.fence,
            attempt: self.claim.sync.attempt,
            after_crash: self.claim.kind == ClaimKind::TakenOver,
            streams: Vec::new(),
            lines: Vec::new(),
            now: self.now(),
        };
        self.store.begin_run(new_run).await.map(|_| ())
    }

    /// The log has a new line, or the state of the sync may have changed.
    pub(crate) fn tell_watchers(&self) {
        self.shared.tell(self.claim.sync.id);
    }

    /// Copies the end of the run into the catalog.
    pub(crate) async fn tell(&self, run: &Run) {
        let told =
            retried(&self.shared, "record the sync's end", || self.shared.parts.catalog.sync_finish(run));
        if told.await.is_ok() {
            let status = run.outcome.map(SyncStatus::from);
            let counts = run.counts;
            tracing::info!(
                status = status.map_or("running", SyncStatus::as_str),
                read = counts.read,
                created = counts.created,
                updated = counts.updated,
                deleted = counts.deleted,
                rejected = counts.rejected,
                code = run.failure.as_ref().map(|failure| failure.code.as_str()),
                "the sync has ended"
            );
            if let Some(status) = status {
                self.metrics().ended(status);
                spans::sync_ended(status, counts, run.failure.as_ref().map(|failure| failure.code.as_str()));
            }
        }
    }
}

/// Ends a sync in the catalog that has no run to copy: it never began one, or may not write to it any more.
pub(crate) async fn abandon(shared: &Shared, claim: &Claim, stop: Stop) {
    let (status, failure) = match stop {
        Stop::Interrupted | Stop::Asks(_) => return,
        Stop::Cancelled | Stop::Fenced => (SyncStatus::Cancelled, None),
        Stop::Failed(failed) => (SyncStatus::Failed, Some(failed.failure)),
    };
    let now = shared.parts.clock.now();
    let id = claim.sync.id;
    let told = retried(shared, "record the sync's end", || {
        shared.parts.catalog.sync_abandon(id, claim.fence, status, failure.clone(), now)
    });
    let code = failure.as_ref().map(|failure| failure.code.as_str());
    match told.await {
        Ok(true) => {
            tracing::info!(status = status.as_str(), code, "the sync ends without a run");
            shared.parts.metrics.of_type(type_of(claim)).ended(status);
            spans::sync_ended(status, Counts::default(), code);
        }
        Ok(false) => tracing::info!("the sync has ended, or is another's by now"),
        // It stays running in the catalog; the next start takes it over.
        Err(_) => {}
    }
}

/// The connector type of a sync; `None` if its connector is gone.
pub(crate) fn type_of(claim: &Claim) -> Option<&str> {
    claim.connector.as_ref().map(|connector| connector.kind.as_str())
}

/// Does `work` again while its error is temporary, until the engine stops: the end of a sync must be written down
/// even if the disk is full just now.
pub(crate) async fn retried<T, F: Future<Output = StoreResult<T>>>(
    shared: &Shared,
    what: &'static str,
    work: impl Fn() -> F,
) -> Result<T, Stop> {
    const LONGEST: Duration = Duration::from_secs(5);
    let mut delay = Duration::from_millis(50);
    loop {
        let error: StoreError = match work().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if !error.kind().is_temporary() || error.kind() == StoreErrorKind::Cancelled {
            return Err(Stop::from(error));
        }
        error.complain(&format!("cannot {what}; trying again"));
        if error.kind() == StoreErrorKind::DiskFull {
            shared.parts.catalog.release_reserve();
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep(delay) => delay = (delay * 2).min(LONGEST),
            () = shared.stopping() => return Err(Stop::Interrupted),
        }
    }
}
