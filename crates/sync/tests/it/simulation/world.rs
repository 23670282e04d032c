//! One simulation: what all its parts share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use inlet_model::{Clock, ConnectorId, StoreId, SyncId, Timestamp};
use tokio::sync::Notify;

use super::backends::Backends;
use super::clock::SimulatedClock;
use super::dice::Dice;
use super::invariants::{Broken, Invariant};
use super::mutants::Mutant;
use super::records::Held;
use super::syncs::Known;
use super::truth::Truth;
use super::writes::Writes;

/// Calls of the stores at one moment; what there is to do at once takes far fewer.
const CALLS_AT_ONCE: u64 = 3_000;

/// How often what goes wrong, in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    /// A call of a store fails.
    pub(crate) store_fails: u64,
    /// A call of a store hangs for a while.
    pub(crate) store_hangs: u64,
    /// The process dies before or after a call of a store.
    pub(crate) crashes: u64,
    /// A source does what it should not, at each of its pages.
    pub(crate) source_fails: u64,
    /// A source changes between two of its pages.
    pub(crate) truth_changes: u64,
}

impl Weather {
    /// The weather of a seed: some are fine, some are bad in one way, some in all.
    fn drawn(dice: &Dice) -> Self {
        Self {
            store_fails: dice.pick(&[0, 0, 10, 40]),
            store_hangs: dice.pick(&[0, 0, 30, 100]),
            crashes: dice.pick(&[0, 0, 4, 12]),
            source_fails: dice.pick(&[0, 60, 120, 250]),
            truth_changes: dice.pick(&[0, 200, 500]),
        }
    }
}

/// A connector of the simulation.
#[derive(Debug, Clone)]
pub(crate) struct Connected {
    pub(crate) id: ConnectorId,
    pub(crate) collection: usize,
    pub(crate) store_id: StoreId,
    /// Its place among the truths.
    pub(crate) source: usize,
    pub(crate) deleted: bool,
    /// Somebody asked for its records to go.
    pub(crate) purged: bool,
    /// It was deleted with its records.
    pub(crate) gone: bool,
}

/// What changes in the course of a simulation.
pub(crate) struct State {
    pub(crate) weather: Weather,
    pub(crate) truths: Vec<Truth>,
    pub(crate) connectors: Vec<Connected>,
    pub(crate) held: BTreeMap<StoreId, Held>,
    pub(crate) syncs: BTreeMap<SyncId, Known>,
    pub(crate) writes: Writes,
    /// Syncs whose cancel was acknowledged by the node that runs them.
    pub(crate) cancelled: BTreeSet<SyncId>,
    /// Connectors of which somebody approved a delete: a sync that then failed may leave it to the next.
    pub(crate) approved: BTreeSet<ConnectorId>,
    /// The present life is over: nobody is answered any more.
    over: bool,
    broken: Option<Broken>,
    /// Calls of the stores since the clock last moved.
    pace: (Timestamp, u64),
    trace: Vec<String>,
}

/// One simulation. Everything in it happens in one thread, one thing after the other.
pub(crate) struct World {
    pub(crate) mutant: Option<Mutant>,
    pub(crate) clock: SimulatedClock,
    /// Decides what happens.
    pub(crate) dice: Dice,
    /// Chance, as the engines have it.
    pub(crate) entropy: Arc<Dice>,
    pub(crate) backends: Backends,
    /// Notified when the present life is over.
    pub(crate) died: Notify,
    state: Mutex<State>,
}

impl World {
    pub(crate) fn new(seed: u64, mutant: Option<Mutant>) -> Arc<Self> {
        let dice = Dice::new(seed);
        let state = State {
            weather: Weather::drawn(&dice),
            truths: Vec::new(),
            connectors: Vec::new(),
            held: Backends::store_ids().map(|id| (id, Held::default())).into(),
            syncs: BTreeMap::new(),
            writes: Writes::default(),
            cancelled: BTreeSet::new(),
            approved: BTreeSet::new(),
            over: false,
            broken: None,
            pace: (Timestamp::from_micros(0), 0),
            trace: Vec::new(),
        };
        Arc::new(Self {
            mutant,
            clock: SimulatedClock::new(),
            dice,
            entropy: Arc::new(Dice::new(!seed)),
            backends: Backends::new(),
            died: Notify::new(),
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn weather(&self) -> Weather {
        self.state().weather
    }

    /// Whether the bug is planted.
    pub(crate) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Something happened.
    pub(crate) fn say(&self, event: impl fmt::Display) {
        let line = format!("{:10.3} {event}", self.clock.seconds());
        self.state().trace.push(line);
    }

    /// Whoever calls again and again while the clock stands still will never let it go on.
    pub(crate) fn check_pace(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        let (at, calls) = state.pace;
        state.pace = if at == now { (at, calls + 1) } else { (now, 0) };
        let calls = state.pace.1;
        drop(state);
        self.check(calls < CALLS_AT_ONCE, Invariant::NoneStuck, || {
            format!("{CALLS_AT_ONCE} calls at one moment, and more to come")
        });
    }

    /// The process dies.
    pub(crate) fn die(&self) {
        self.state().over = true;
        self.died.notify_one();
    }

    /// A process begins.
    pub(crate) fn live(&self) {
        self.state().over = false;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state().over
    }

    /// Says what is wrong, if this does not hold; the simulation ends then.
    pub(crate) fn check(&self, holds: bool, invariant: Invariant, detail: impl FnOnce() -> String) {
        if !holds {
            let detail = detail();
            self.say(format_args!("BROKEN: {invariant}: {detail}"));
            self.state().broken.get_or_insert(Broken { invariant, detail });
            self.die();
        }
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.state().broken.is_some()
    }

    /// What was found and all that happened.
    pub(crate) fn ended(&self) -> (Option<Broken>, Vec<String>) {
        let mut state = self.state();
        (state.broken.take(), std::mem::take(&mut state.trace))
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}
