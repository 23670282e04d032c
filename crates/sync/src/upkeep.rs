//! Keeps the collections up: lets history expire and forgets old runs, step by step, a collection after the other.
//!
//! What is due follows from times alone, so each collection says itself when something will be; until then it is neither
//! opened nor looked at. That is remembered in this process only: after a start each is looked at once, a bounded number in
//! each round. A step is one commit, and a pause follows it in which syncs have the writer for themselves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use inlet_model::{StoreId, Timestamp};
use inlet_store::collection::{UpkeepProgress, UpkeepStep};
use inlet_store::{StoreErrorKind, StoreResult};
use tokio::time::Instant;

use crate::engine::{EngineOptions, Shared};

/// Entries that one step looks at: some ten milliseconds of work.
const STEP_ENTRIES: usize = 8_192;
/// Steps that a collection has until the next has its turn.
const STEPS: usize = 32;
/// Collections that are looked at in one round.
const LOOKS: usize = 256;

/// A pause is so many times as long as the step before it …
const PAUSE: u32 = 1;
/// … and so many times if a sync runs in the collection, which then has nine tenths of its writer for certain.
const PAUSE_FOR_SYNC: u32 = 9;

/// Does what is due, until the engine stops.
pub(crate) async fn work(shared: Arc<Shared>) {
    let Some(kept) = Kept::of(&shared.options) else { return };
    let mut looks = Looks { kept, next: HashMap::new() };
    while !shared.is_stopping() {
        if looks.round(&shared).await {
            continue;
        }
        tokio::select! {
            biased;
            () = shared.stopping() => {}
            () = tokio::time::sleep(shared.options.upkeep_period) => {}
        }
    }
}

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    /// Never shorter than a sync can be undone.
    history: Duration,
    /// As long as anything that they did may be in the history.
    runs: Duration,
}

impl Kept {
    fn of(options: &EngineOptions) -> Option<Self> {
        let history = options.history?.max(options.undo_time);
        Some(Self { history, runs: options.runs.max(2 * history) })
    }
}

/// When each collection is to be looked at again.
#[derive(Debug)]
struct Looks {
    kept: Kept,
    next: HashMap<StoreId, Timestamp>,
}

impl Looks {
    /// A turn for every collection of which something may be due; whether something is left to do at once.
    async fn round(&mut self, shared: &Shared) -> bool {
        let now = shared.parts.clock.now();
        let owned = match shared.parts.catalog.collection_stores().await {
            Ok(owned) => owned,
            Err(error) => {
                error.complain("cannot read which collections there are");
                return false;
            }
        };
        let there: HashSet<_> = owned.iter().copied().collect();
        self.next.retain(|store_id, _| there.contains(store_id));
        let is_due = |store_id: &StoreId| self.next.get(store_id).is_none_or(|next| *next <= now);
        let due: Vec<_> = owned.into_iter().filter(is_due).take(LOOKS).collect();
        let mut more = false;
        for store_id in due {
            if shared.is_stopping() {
                return false;
            }
            match turn(shared, self.kept, store_id).await {
                Ok(None) => more = true,
                Ok(Some(next)) => _ = self.next.insert(store_id, next),
                Err(error) => {
                    if error.kind() != StoreErrorKind::Closed {
                        error.complain(&format!("the upkeep of the collection {store_id} failed"));
                    }
                    self.next.insert(store_id, now.plus(shared.options.upkeep_period));
                }
            }
        }
        more
    }
}

/// Some steps in one collection. When it is to be looked at again; `None`: at once, after the others.
async fn turn(shared: &Shared, kept: Kept, store_id: StoreId) -> StoreResult<Option<Timestamp>> {
    let now = shared.parts.clock.now();
    let Some(store) = shared.parts.stores.find(store_id).await? else {
        // Nothing was ever written. What will be is due later still.
        return Ok(Some(now.plus(kept.history)));
    };
    for _ in 0..STEPS {
        let step = UpkeepStep {
            now: shared.parts.clock.now(),
            history: kept.history,
            runs: kept.runs,
            max_entries: STEP_ENTRIES,
        };
        let began = Instant::now();
        match store.upkeep_step(step).await? {
            UpkeepProgress::More => pause(shared, store_id, began.elapsed()).await,
            UpkeepProgress::Idle { due_at } => {
                let soonest = now.plus(shared.options.upkeep_period);
                return Ok(Some(next_look(kept, now, due_at).max(soonest)));
            }
        }
        if shared.is_stopping() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Gives the writer back for a while, and the processor.
async fn pause(shared: &Shared, store_id: StoreId, step: Duration) {
    let is_used = shared.running().values().any(|running| running.store_id == store_id);
    let pause = step * if is_used { PAUSE_FOR_SYNC } else { PAUSE };
    tokio::select! {
        biased;
        () = shared.stopping() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// When a collection in which nothing is due now is to be looked at again: what is written from now on is due a history later
/// at the earliest.
fn next_look(kept: Kept, now: Timestamp, due_at: Option<Timestamp>) -> Timestamp {
    let of_new = now.plus(kept.history);
    due_at.map_or(of_new, |due_at| due_at.min(of_new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_never_shorter_than_the_undo_time_nor_longer_than_runs_are_kept() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        for (history, kept, runs) in [(1, 24, 720), (24, 24, 720), (48, 48, 720), (1000, 1000, 2000)] {
            let options = EngineOptions { history: Some(hours(history)), ..EngineOptions::default() };
            assert_eq!(Kept::of(&options), Some(Kept { history: hours(kept), runs: hours(runs) }));
        }
    }

    #[test]
    fn an_idle_collection_is_looked_at_when_it_says_so_and_once_in_a_history() {
        let kept = Kept::of(&EngineOptions::default()).unwrap();
        let at = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
        let history = 7 * 24 * 60;
        for (due_at, next) in [(None, history), (Some(history + 1), history), (Some(90), 90), (Some(0), 0)] {
            assert_eq!(next_look(kept, at(0), due_at.map(at)), at(next));
        }
    }
}
