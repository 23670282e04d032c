//! The task that fills a feed: it looks at the stores when the engine says that something has changed, and takes progress
//! from the run itself, however many listen.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::{ConnectorId, Counts, SyncId};
use inlet_store::StoreResult;
use inlet_store::catalog::Sync;
use inlet_store::collection::{LogQuery, StreamProgress};
use inlet_sync::{Progress, Watch};
use tokio::sync::watch;
use tokio::time::Instant;

use super::feed::{Shown, Told};
use super::place::Place;
use super::view::{ProgressView, Rate, event};
use crate::app::Api;
use crate::syncs::view::SyncView;

/// Progress is told at most so often.
const PACE: Duration = Duration::from_millis(250);
/// The speed is that of the last seconds, so many.
const RATE_SPAN: Duration = Duration::from_secs(5);
/// Lines are read so many at a time.
pub(super) const LINES: usize = 100;

type Running = watch::Receiver<Option<Arc<Progress>>>;

/// Fills the feed of a sync until the sync has ended or is not there any more.
pub(super) async fn fill(api: Api, connector_id: ConnectorId, sync_id: SyncId, shown: Arc<Shown>) {
    // Before anything is read, so that no change after that is missed.
    let watch = api.engine.watch(sync_id);
    let place = Place::default();
    let (running, speed, due) = (None, Speed::default(), Instant::now());
    let filling = Filling { api, connector_id, sync_id, shown, watch, place, running, speed, due };
    filling.run().await;
}

struct Filling {
    api: Api,
    connector_id: ConnectorId,
    sync_id: SyncId,
    shown: Arc<Shown>,
    watch: Watch,
    place: Place,
    /// The progress of the run, while it runs here.
    running: Option<Running>,
    speed: Speed,
    /// When progress may be told again.
    due: Instant,
}

impl Filling {
    async fn run(mut self) {
        loop {
            match self.look().await {
                Ok(Some(sync)) if sync.status.is_final() => {
                    return self.shown.change(|tail| tail.end(event("end", &SyncView::from(sync))));
                }
                Ok(Some(sync)) => self.follow(&sync).await,
                Ok(None) => return self.shown.change(|tail| tail.gone()),
                Err(error) => {
                    error.complain("a sync that is listened to cannot be read; trying again");
                    self.watch.changed().await;
                }
            }
        }
    }

    /// Tells every state and line that is new. `None`: the sync is not there any more.
    ///
    /// The sync is read first: if it has ended by then, everything that there will ever be is read behind it.
    async fn look(&mut self) -> StoreResult<Option<Sync>> {
        let catalog = &self.api.catalog;
        let Some(sync) = catalog.sync_get(self.connector_id, self.sync_id).await? else { return Ok(None) };
        if catalog.connector_get(&sync.space_id, &sync.collection_id, sync.connector_id).await?.is_none() {
            return Ok(None);
        }
        let store = self.api.stores.open(sync.store_id).await?;
        let mut moves = catalog.sync_moves(self.sync_id, self.place.moves).await?;
        loop {
            let lines = store.log(self.sync_id, LogQuery::behind(self.place.lines, LINES)).await?;
            let is_last = lines.len() < LINES;
            let upto = lines.last().filter(|_| !is_last).map(|line| line.at);
            let later = moves.split_off(moves.partition_point(|step| upto.is_none_or(|at| step.at <= at)));
            self.place.moves = moves.last().map_or(self.place.moves, |step| step.seq);
            self.place.lines = lines.last().map_or(self.place.lines, |line| line.seq);
            let told = Told::merged(&moves, &lines);
            if !told.is_empty() {
                self.shown.change(|tail| tail.tell(told));
            }
            moves = later;
            if is_last {
                return Ok(Some(sync));
            }
        }
    }

    /// Tells the progress of the sync until it may stand otherwise.
    async fn follow(&mut self, sync: &Sync) {
        if self.running.is_none() {
            self.running = self.api.engine.progress(self.sync_id);
        }
        let mut told = false;
        loop {
            tokio::select! {
                biased;
                () = self.watch.changed() => return,
                () = tokio::time::sleep_until(self.due), if !told => {
                    told = true;
                    if let Err(error) = self.tell_stored(sync).await {
                        let error = &error as &dyn std::error::Error;
                        tracing::debug!(error, "the progress of a sync cannot be read");
                    }
                }
                changed = newer(&mut self.running, self.due), if told => match changed {
                    Some(progress) => self.tell(sync, progress.at, progress.counts, &progress.streams),
                    None => self.running = None,
                },
            }
        }
    }

    /// Tells how the run stands in its store: at the beginning, and while it runs elsewhere.
    async fn tell_stored(&mut self, sync: &Sync) -> StoreResult<()> {
        let store = self.api.stores.open(sync.store_id).await?;
        let run = if sync.status.is_active() { store.run(sync.id).await? } else { None };
        match run {
            Some(run) => self.tell(sync, Instant::now(), run.counts, &run.streams),
            None => self.tell(sync, Instant::now(), sync.counts, &sync.streams),
        }
        Ok(())
    }

    fn tell(&mut self, sync: &Sync, at: Instant, counts: Counts, streams: &[StreamProgress]) {
        self.due = Instant::now() + PACE;
        let rate = self.speed.at(at, counts);
        let bytes = event("progress", &ProgressView::new(sync, counts, streams, rate));
        self.shown.change(|tail| tail.progress(bytes));
    }
}

/// The newest progress once there is a newer one, not sooner than its turn; `None` if the run has ended here.
async fn newer(running: &mut Option<Running>, due: Instant) -> Option<Arc<Progress>> {
    let Some(running) = running else { return std::future::pending().await };
    // First the turn: what is dropped while it waits for that has forgotten nothing.
    tokio::time::sleep_until(due).await;
    loop {
        running.changed().await.ok()?;
        if let Some(progress) = running.borrow_and_update().clone() {
            return Some(progress);
        }
    }
}

/// How fast a sync is, by its counters of the last seconds.
#[derive(Debug, Default)]
struct Speed(VecDeque<(Instant, Counts)>);

impl Speed {
    /// The rate when the counters stand so.
    fn at(&mut self, now: Instant, counts: Counts) -> Option<Rate> {
        // Of what is older than the span one is kept, so that the span is filled.
        while self.0.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= RATE_SPAN) {
            self.0.pop_front();
        }
        let first = self.0.front().copied();
        self.0.push_back((now, counts));
        let (at, before) = first?;
        let seconds = now.duration_since(at).as_secs_f64();
        let rate = |after: u64, before: u64| (after.saturating_sub(before) as f64 / seconds).round() as u64;
        (seconds > 0.0).then(|| Rate {
            records: rate(counts.read, before.read),
            bytes: rate(counts.bytes, before.bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let mut speed = Speed::default();
        let start = Instant::now();
        let mut at = |seconds: u64, read: u64| {
            let counts = Counts { read, bytes: 10 * read, ..Counts::default() };
            speed.at(start + Duration::from_secs(seconds), counts)
        };
        assert_eq!(at(0, 0), None, "one point is no line");
        assert_eq!(at(2, 1_000), Some(Rate { records: 500, bytes: 5_000 }));
        for second in 3..=20 {
            at(second, 1_000);
        }
        assert_eq!(at(21, 1_000), Some(Rate { records: 0, bytes: 0 }));
        assert!(speed.0.len() < 10, "what is long past is forgotten");
    }
}
