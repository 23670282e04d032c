//! The walk through the feed: each change that is past the history lets expire what it superseded.
//!
//! It goes in the order of changes and stops at the first that is not past the history, so that a clock that was set back
//! lets nothing expire too early. A history ends at a whole eighth of itself, and not a little further with every look: a
//! reader that begins at the beginning of the feed has that long before something goes that it may have to know.

use inlet_model::{ChangeOp, Timestamp};

use super::super::block::{Block, BlockEncoder};
use super::super::error::Outcome;
use super::super::{blocks, meta, undo};
use super::{Found, before, expired, rewrite};
use crate::collection::UpkeepStep;
use crate::sql::Session;

/// To read a block costs about as much as so many of its entries.
const BLOCK_COST: usize = 16;

/// Does some of the walk.
pub(super) fn walk(
    connection: &dyn Session,
    encoder: &mut BlockEncoder,
    step: &UpkeepStep,
) -> Outcome<Found> {
    let walked_through = meta::walked_through(connection)?;
    if walked_through + 1 >= meta::next_change(connection)? {
        return Ok(Found::Nothing(None));
    }
    let mut walk = Walk {
        end: Cut::of(step).end(),
        kept_from: undo::first_needed(connection)?.unwrap_or(u64::MAX),
        through: walked_through,
        compacted: None,
        expired: Vec::new(),
        small: vec![Vec::new()],
        stopped_at: None,
    };
    let mut left = step.max_entries.max(1);
    blocks::scan(connection, walked_through, |block| {
        let looked_at = walk.block(block);
        left = left.saturating_sub(looked_at + BLOCK_COST);
        Ok(walk.stopped_at.is_some() || left == 0)
    })?;
    if walk.through == walked_through {
        let due_at = walk.stopped_at.map(|at| Cut::of(step).passes(at).max(step.now));
        return Ok(Found::Nothing(due_at));
    }
    walk.save(connection, encoder)?;
    Ok(Found::Work)
}

/// Some of the walk, as it goes.
struct Walk {
    /// What is older is past the history.
    end: Timestamp,
    /// A sync that is being undone needs the changes from this one on.
    kept_from: u64,
    /// The last change that was looked at.
    through: u64,
    /// The last one by which something expired.
    compacted: Option<u64>,
    expired: Vec<u64>,
    /// Small blocks that follow each other, run by run.
    small: Vec<Vec<u64>>,
    /// The time of the first change that stays in the history.
    stopped_at: Option<Timestamp>,
}

impl Walk {
    /// Looks at the rest of a block; at how many entries.
    fn block(&mut self, block: &Block) -> usize {
        let start = block.first_after(self.through);
        for index in start..block.len() {
            let entry = block.entry(index);
            if entry.origin.at >= self.end || entry.head.change >= self.kept_from {
                self.stopped_at = Some(entry.origin.at);
                return index - start;
            }
            self.through = entry.head.change;
            if entry.head.previous > 0 {
                self.expired.push(entry.head.previous);
                self.compacted = Some(entry.head.change);
            }
            if entry.head.op == ChangeOp::Deleted {
                self.expired.push(entry.head.change);
                self.compacted = Some(entry.head.change);
            }
        }
        self.note_small(block);
        block.len() - start
    }

    /// Small blocks are made by small commits; where they follow each other they become one.
    fn note_small(&mut self, block: &Block) {
        match (block.first(), self.small.last_mut()) {
            (Some(first), Some(run)) if rewrite::is_small(block) => run.push(first),
            _ => self.small.push(Vec::new()),
        }
    }

    fn save(mut self, connection: &dyn Session, encoder: &mut BlockEncoder) -> Outcome<()> {
        self.expired.sort_unstable();
        expired::note(connection, &self.expired)?;
        let compacted_through = match self.compacted {
            Some(change) => change,
            None => meta::compacted_through(connection)?,
        };
        meta::set_walked_through(connection, self.through, compacted_through)?;
        for run in self.small.iter().filter(|run| run.len() > 1) {
            rewrite::anew(connection, encoder, run)?;
        }
        Ok(())
    }
}

/// Where the history is cut off.
struct Cut {
    now: Timestamp,
    history: std::time::Duration,
    /// In microseconds.
    grain: i64,
}

impl Cut {
    fn of(step: &UpkeepStep) -> Self {
        let grain = i64::try_from(step.history.as_micros() / 8).unwrap_or(i64::MAX).max(1);
        Self { now: step.now, history: step.history, grain }
    }

    /// What is older is past the history.
    fn end(&self) -> Timestamp {
        let end = before(self.now, self.history).as_micros();
        Timestamp::from_micros(end.div_euclid(self.grain).saturating_mul(self.grain))
    }

    /// When a change of that time will be past the history.
    fn passes(&self, at: Timestamp) -> Timestamp {
        let end = at.as_micros().div_euclid(self.grain).saturating_add(1).saturating_mul(self.grain);
        Timestamp::from_micros(end).plus(self.history)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cut(now: i64, history: u64) -> Cut {
        Cut::of(&UpkeepStep {
            now: Timestamp::from_micros(now),
            history: Duration::from_micros(history),
            runs: Duration::ZERO,
            max_entries: 1,
        })
    }

    #[test]
    fn a_history_is_kept_for_its_time_and_an_eighth_of_it_at_most() {
        for now in -3_000..3_000 {
            for history in [0, 1, 7, 8, 80, 1_000] {
                let end = cut(now, history).end().as_micros();
                let age = now - end;
                let (least, most) =
                    (i64::try_from(history).unwrap(), i64::try_from(history + history / 8).unwrap());
                assert!((least..=most).contains(&age), "{age} of {history} at {now}");
            }
        }
    }

    #[test]
    fn a_change_is_past_the_history_from_the_time_on_that_was_told() {
        for at in -500..500 {
            for history in [0, 8, 80, 97] {
                let due = cut(0, history).passes(Timestamp::from_micros(at)).as_micros();
                assert!(cut(due, history).end().as_micros() > at);
                assert!(cut(due - 1, history).end().as_micros() <= at);
            }
        }
    }
}
