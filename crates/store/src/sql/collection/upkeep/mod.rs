//! Upkeep: what is past the history leaves the feed and then the file, in steps of one transaction each.
//!
//! The [`walk`] goes through the change feed in its order, as far as it is past the history, and notes in [`expired`] what
//! each change superseded, and each tombstone. From then on readers of the feed do not see these; so that what a reader
//! sees depends on how far the walk has come, and not on which blocks were made anew since. The [`rewrite`] of blocks of
//! which half has expired then only gives back their room. [`forget`] removes runs that ended long ago.

pub(super) mod expired;
mod forget;
mod rewrite;
mod walk;

use std::time::Duration;

use inlet_model::Timestamp;

use super::error::Outcome;
use super::writer::{Memory, Writer};
use crate::collection::{UpkeepProgress, UpkeepStep};
use crate::fault;
use crate::sql::Session;

/// What one kind of upkeep came to.
enum Found {
    /// It wrote.
    Work,
    /// Nothing is due before that time; `None`: nothing of what is there.
    Nothing(Option<Timestamp>),
}

/// Does one step.
pub(super) fn step(writer: &mut Writer, step: &UpkeepStep) -> Outcome<UpkeepProgress> {
    let progress = writer.transact(|tx, memory| {
        let progress = work(tx, memory, step)?;
        if progress == UpkeepProgress::More {
            fault::point("upkeep.before");
        }
        Ok(progress)
    })?;
    if progress == UpkeepProgress::More {
        fault::point("upkeep.after");
    }
    Ok(progress)
}

/// The first kind of which something is due. To give back room comes first, so that what has expired does not pile up.
fn work(connection: &dyn Session, memory: &mut Memory, step: &UpkeepStep) -> Outcome<UpkeepProgress> {
    if rewrite::due(connection, &mut memory.encoder, step.max_entries)? {
        return Ok(UpkeepProgress::More);
    }
    let Found::Nothing(walk_at) = walk::walk(connection, &mut memory.encoder, step)? else {
        return Ok(UpkeepProgress::More);
    };
    let Found::Nothing(forget_at) = forget::some(connection, step)? else {
        return Ok(UpkeepProgress::More);
    };
    Ok(UpkeepProgress::Idle { due_at: earliest(walk_at, forget_at) })
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// That much earlier, or the beginning of time.
fn before(now: Timestamp, duration: Duration) -> Timestamp {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros))
}
