//! Upkeep in a history: how much of the feed may have gone, and how much must have.

use std::time::Duration;

use inlet_model::{ChangeOp, Timestamp};

use super::history::History;
use super::undoing::first_change_of;
use crate::collection::{ChangeCursor, ChangePage, UpkeepProgress, UpkeepStep};

/// No upkeep of so few changes has more steps.
const MAX_STEPS: usize = 2_000;

impl History {
    /// So many steps of upkeep; with 0, until nothing is due.
    pub(super) async fn keep_up(&mut self, history: Duration, max_entries: usize, steps: usize) {
        let mut now = self.given.now();
        let mut is_done = false;
        for number in 0.. {
            assert!(number < MAX_STEPS, "{}: the upkeep does not end", self.label);
            if is_done || (steps > 0 && number == steps) {
                break;
            }
            now = self.given.now();
            let step = UpkeepStep { now, history, runs: Duration::MAX, max_entries };
            let progress = self.fine(self.given.store.upkeep_step(step).await);
            is_done = progress != UpkeepProgress::More;
        }
        let compacted_through = self.compacted_through().await;
        let most = self.expired_before(before(now, history));
        let least = if is_done { self.expired_before(before(now, history + history / 8)) } else { 0 };
        let least = least.max(self.world.compacted_through);
        assert!(
            (least..=most.max(least)).contains(&compacted_through),
            "{}: history is gone up to {compacted_through}, and not {least} to {most}",
            self.label
        );
        self.world.compacted_through = compacted_through;
    }

    /// The last change of which history is gone, as a reader behind the first change is told.
    async fn compacted_through(&self) -> u64 {
        match self.fine(self.given.store.changes(ChangeCursor::behind(1), 1, 1).await) {
            ChangePage::Expired { compacted_through } => compacted_through,
            // The first change supersedes nothing, so that nothing goes by it.
            ChangePage::Changes { .. } => 0,
        }
    }

    /// The last change by which something expires if all changes before that time are past the history. A sync that is being
    /// undone keeps what it needs.
    fn expired_before(&self, end: Timestamp) -> u64 {
        let needed = self.undoing.and_then(|undone| first_change_of(&self.world, undone));
        let changes = self.world.changes.iter().map(|expected| &expected.change);
        changes
            .filter(|change| change.at < end && needed.is_none_or(|needed| change.change < needed))
            .filter(|change| change.previous > 0 || change.op == ChangeOp::Deleted)
            .map(|change| change.change)
            .max()
            .unwrap_or(0)
    }
}

fn before(now: Timestamp, duration: Duration) -> Timestamp {
    Timestamp::from_micros(now.as_micros() - i64::try_from(duration.as_micros()).unwrap())
}
