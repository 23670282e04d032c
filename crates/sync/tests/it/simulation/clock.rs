//! The time of a simulation: that of the runtime, which stands still until everybody sleeps, and goes on from life to life.

use std::sync::Mutex;

use inlet_model::{Clock, Timestamp};
use tokio::time::Instant;

/// When a simulation begins: the first of January 2026, in microseconds.
const BEGINNING: i64 = 1_767_225_600_000_000;

/// The clock of all nodes, and of the sources.
#[derive(Debug)]
pub(crate) struct SimulatedClock(Mutex<Life>);

/// The present life of the process.
#[derive(Debug)]
struct Life {
    /// When it began, as the runtime counts; `None` between two lives.
    since: Option<Instant>,
    began: Timestamp,
}

impl SimulatedClock {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Life { since: None, began: Timestamp::from_micros(BEGINNING) }))
    }

    /// A life begins, in the runtime that calls.
    pub(crate) fn begin_life(&self) {
        self.0.lock().unwrap().since = Some(Instant::now());
    }

    /// The life ends: the clock stands still until the next.
    pub(crate) fn end_life(&self) {
        let now = self.now();
        *self.0.lock().unwrap() = Life { since: None, began: now };
    }

    /// Whole seconds since the simulation began: what a source calls the time of an update.
    pub(crate) fn tick(&self) -> u64 {
        self.now().since(Timestamp::from_micros(BEGINNING)).as_secs()
    }

    /// Seconds since the simulation began, for the trace.
    pub(crate) fn seconds(&self) -> f64 {
        self.now().since(Timestamp::from_micros(BEGINNING)).as_secs_f64()
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let life = self.0.lock().unwrap();
        life.since.map_or(life.began, |since| life.began.plus(since.elapsed()))
    }
}
