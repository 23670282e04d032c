//! A history: the steps, taken by the store and by the model alike.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use inlet_model::sync::Outcome;
use inlet_model::{Counts, SyncId};

use super::super::given::{Claim, Given};
use super::apply::Writing;
use super::step::{Act, CONNECTORS, Fate, PLACES, STREAMS, Step};
use super::world::{Connector, RunModel, ScopeModel, SweepEnd, World, stream_of};
use crate::StoreErrorKind::{self, Cancelled, Fenced};
use crate::StoreResult;
use crate::collection::{CancelFlag, RunStart};

/// No sweep of so few records has more steps.
const MAX_STEPS: usize = 200;

#[derive(Debug)]
pub(super) struct History {
    pub(super) given: Given,
    pub(super) world: World,
    /// The sync that is being undone.
    pub(super) undoing: Option<SyncId>,
    /// What is said when the store and the model do not agree.
    pub(super) label: String,
}

impl History {
    pub(super) fn new(given: Given) -> Self {
        let connectors = (0..CONNECTORS).map(|_| Connector::new(given.connector())).collect();
        Self { given, world: World::new(connectors), undoing: None, label: String::new() }
    }

    pub(super) fn say(&mut self, label: String) {
        self.label = label;
    }

    /// Takes a step, unless no engine would take it now.
    pub(super) async fn take(mut self, step: &Step) -> Self {
        match *step {
            Step::Begin { connector, anew, full_refresh, other_shape } => {
                if anew {
                    self.finish(connector.into()).await;
                }
                self.begin(connector.into(), full_refresh, other_shape).await;
            }
            Step::Commit { connector, fate, ref acts } => self.commit(connector.into(), fate, acts).await,
            Step::Sweep { connector, stream, max_keys, cancelled } => {
                self.sweep_step(connector.into(), stream.into(), max_keys.into(), cancelled).await;
            }
            Step::Finish { connector } => self.finish(connector.into()).await,
            Step::Purge { connector, stream, max_keys } => {
                self.purge(connector.into(), stream.map(usize::from), max_keys.into()).await;
            }
            Step::Upkeep { history, max_entries, steps } => {
                let history = Duration::from_millis(history.into());
                self.keep_up(history, max_entries.into(), steps.into()).await;
            }
            Step::Undo { connector, back, max_changes, between } => {
                self = self.undo(connector.into(), back.into(), max_changes.into(), between).await;
            }
            Step::Reopen => self.given = self.given.reopened().await,
        }
        self
    }

    pub(super) async fn begin(&mut self, connector: usize, full_refresh: bool, other_shape: bool) {
        let model = &mut self.world.connectors[connector];
        let taken_over = model.running().map(|run| run.claim.clone());
        let claim = match &taken_over {
            Some(claim) => self.given.taken_over(claim),
            None => {
                model.shape += u32::from(other_shape);
                let mut claim = self.given.claim(model.id, &STREAMS);
                if full_refresh {
                    claim = claim.of_a_full_refresh();
                }
                claim.streams[0].shape = format!("shape {}", model.shape);
                claim
            }
        };
        let start = self.fine(self.given.try_begin(&claim).await);
        assert_eq!(start.run.attempt, claim.attempt, "{}", self.label);
        let generation = start.run.generation;
        let model = &mut self.world.connectors[connector];
        if taken_over.is_none() && other_shape {
            model.scopes_of(0).for_each(|(_, scope)| forget_what_was_read(scope));
        }
        let full_refresh = claim.streams[0].full_refresh;
        let dropped = |listing: &super::world::ListingModel| full_refresh && listing.generation != generation;
        for scope in &mut model.scopes {
            scope.listing.take_if(|listing| dropped(listing));
        }
        match model.running_mut() {
            Some(run) => {
                assert_eq!(run.generation, generation, "{}", self.label);
                run.claim = claim.clone();
                run.all_named = [false; STREAMS.len()];
            }
            None => {
                assert!(generation > model.generation, "{}", self.label);
                let counts = [Counts::default(); STREAMS.len()];
                let all_named = [false; STREAMS.len()];
                let (ended, lost) = (false, false);
                model.runs.push(RunModel { claim, generation, counts, ended, lost, all_named });
            }
        }
        model.generation = generation;
        self.sweep_what_waits(connector, &start).await;
    }

    /// As the engine does, before any reading.
    async fn sweep_what_waits(&mut self, connector: usize, start: &RunStart) {
        for (stream, name) in STREAMS.iter().enumerate() {
            let told = start.unswept.iter().any(|unswept| unswept.as_str() == *name);
            let waits = self.world.connectors[connector].waits(stream);
            assert!(told || !waits, "{}: {name} waits for its sweep", self.label);
        }
        for stream in 0..STREAMS.len() {
            let mut steps = 0;
            while !self.sweep_step(connector, stream, 3, false).await {
                steps += 1;
                assert!(steps < MAX_STEPS, "{}: the sweep does not end", self.label);
            }
        }
    }

    async fn commit(&mut self, connector: usize, fate: Fate, acts: &[Act]) {
        if self.world.connectors[connector].running().is_none() {
            self.begin(connector, false, false).await;
        }
        let Some(run) = self.world.connectors[connector].running() else { return };
        let mut claim = run.claim.clone();
        let mut writing = Writing {
            world: self.world.clone(),
            connector,
            claim: claim.clone(),
            generation: run.generation,
            now: self.given.now(),
            seed: self.given.store.seed(),
        };
        let items: Vec<_> = acts.iter().filter_map(|act| writing.act(act)).collect();
        let refused = match fate {
            Fate::Written => None,
            Fate::Cancelled => {
                claim.cancel = raised();
                Some(Cancelled)
            }
            Fate::Fenced => {
                let Some(stale) = self.stale(connector) else { return };
                claim = stale;
                Some(Fenced)
            }
        };
        let result = self.given.try_commit_at(&claim, items, writing.now).await;
        let Some(kind) = refused else {
            let receipt = self.fine(result);
            self.world = writing.world;
            let counts = self.world.connectors[connector].runs.last().map(RunModel::sum);
            assert_eq!(Some(receipt.counts), counts, "{}", self.label);
            assert_eq!(receipt.last_change, self.world.changes.len() as u64, "{}", self.label);
            return;
        };
        self.refused(result, kind);
    }

    /// One step of a sweep; gives whether the sweep is through.
    async fn sweep_step(
        &mut self,
        connector: usize,
        stream: usize,
        max_keys: usize,
        cancelled: bool,
    ) -> bool {
        let model = &self.world.connectors[connector];
        let Some(run) = model.running() else { return true };
        let claim = run.claim.clone();
        if cancelled {
            if model.waits(stream) {
                let claim = Claim { cancel: raised(), ..claim };
                self.refused(self.given.try_sweep(&claim, STREAMS[stream], max_keys).await, Cancelled);
            }
            return true;
        }
        let progress = self.fine(self.given.try_sweep(&claim, STREAMS[stream], max_keys).await);
        assert!(progress.deleted <= max_keys as u64, "{}", self.label);
        let deleted = self.given.changes_after(self.world.changes.len() as u64).await;
        assert_eq!(deleted.len() as u64, progress.deleted, "{}", self.label);
        for change in deleted {
            let waiting = self.waiting(connector, stream);
            let found = waiting.iter().find(|key| super::super::items::key_of(**key) == change.key);
            let key = *found.unwrap_or_else(|| panic!("{}: {change:?} deletes too much", self.label));
            self.world.delete((stream, key, connector), Some(claim.sync_id), self.given.last_now());
            let model = &mut self.world.connectors[connector];
            for (_, scope) in model.scopes_of(stream) {
                scope.sweep.iter_mut().for_each(|sweep| _ = sweep.unseen.remove(&key));
            }
            let run = model.running_mut().expect("it runs");
            run.counts[stream].deleted += 1;
        }
        if progress.done {
            assert_eq!(self.waiting(connector, stream), BTreeSet::new(), "{}", self.label);
            self.world.connectors[connector].scopes_of(stream).for_each(|(_, scope)| end_of_sweep(scope));
        }
        progress.done
    }

    /// A purge of one stream or of all, step by step to its end.
    async fn purge(&mut self, connector: usize, stream: Option<usize>, max_keys: usize) {
        let id = self.world.connectors[connector].id;
        if let Some(run) = self.world.connectors[connector].running_mut() {
            run.lost = true;
        }
        let is_purged = |of: usize| stream.is_none_or(|stream| stream == of);
        for steps in 0.. {
            assert!(steps < MAX_STEPS, "{}: the purge does not end", self.label);
            let step = self.given.try_purge(id, stream.map(|stream| STREAMS[stream]), max_keys).await;
            let progress = self.fine(step);
            assert!(progress.deleted <= max_keys as u64, "{}", self.label);
            let deleted = self.given.changes_after(self.world.changes.len() as u64).await;
            assert_eq!(deleted.len() as u64, progress.deleted, "{}", self.label);
            for change in deleted {
                let mut places = self.world.records.keys().copied();
                let place = places.find(|(of, key, by)| {
                    let key = super::super::items::key_of(*key);
                    *by == connector && STREAMS[*of] == change.stream.as_str() && key == change.key
                });
                let place = place.filter(|(of, ..)| is_purged(*of));
                let place = place.unwrap_or_else(|| panic!("{}: {change:?} deletes too much", self.label));
                self.world.delete(place, None, self.given.last_now());
            }
            if progress.done {
                break;
            }
        }
        let left = self.world.records.keys().any(|(of, _, by)| *by == connector && is_purged(*of));
        assert!(!left, "{}: the purge left something", self.label);
        for place in (0..PLACES.len()).filter(|place| is_purged(stream_of(*place))) {
            self.world.connectors[connector].scopes[place].go();
        }
    }

    /// The keys of the stream that wait for the sweep.
    pub(super) fn waiting(&self, connector: usize, stream: usize) -> BTreeSet<i64> {
        let scopes = &self.world.connectors[connector].scopes;
        let of_stream = (0..PLACES.len()).filter(|place| stream_of(*place) == stream);
        of_stream
            .filter_map(|place| scopes[place].sweep.as_ref())
            .flat_map(|sweep| sweep.unseen.clone())
            .collect()
    }

    pub(super) async fn finish(&mut self, connector: usize) {
        let Some(run) = self.world.connectors[connector].running_mut() else { return };
        run.ended = true;
        let (claim, counts) = (run.claim.clone(), run.sum());
        let ended = self.fine(self.given.try_finish(&claim, Outcome::Succeeded).await);
        assert_eq!((ended.outcome, ended.counts), (Some(Outcome::Succeeded), counts), "{}", self.label);
    }

    /// A claim that the one that runs has taken the connector from.
    fn stale(&self, connector: usize) -> Option<Claim> {
        let runs = &self.world.connectors[connector].runs;
        runs.len().checked_sub(2).map(|last_but_one| runs[last_but_one].claim.clone())
    }

    pub(super) fn fine<T>(&self, result: StoreResult<T>) -> T {
        result.unwrap_or_else(|error| panic!("{}: {error:?}", self.label))
    }

    pub(super) fn refused<T: Debug>(&self, result: StoreResult<T>, kind: StoreErrorKind) {
        assert_eq!(result.map_err(|error| error.kind()).unwrap_err(), kind, "{}", self.label);
    }
}

pub(super) fn raised() -> CancelFlag {
    let flag = CancelFlag::default();
    flag.raise();
    flag
}

/// The shape of the stream is another: no cursor, no listing, nothing to sweep.
fn forget_what_was_read(scope: &mut ScopeModel) {
    scope.cursor = None;
    scope.listing = None;
    scope.sweep = None;
    scope.listed_by = None;
}

fn end_of_sweep(scope: &mut ScopeModel) {
    match scope.sweep.take().map(|sweep| sweep.end) {
        None => {}
        Some(SweepEnd::Cursor(cursor)) => scope.cursor = cursor,
        Some(SweepEnd::Gone) => scope.go(),
    }
}
