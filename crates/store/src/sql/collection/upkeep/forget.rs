//! What is left of syncs that ended long ago: their runs, the records they refused, and what an undo left behind.

use std::time::Duration;

use inlet_model::Timestamp;

use super::super::error::Outcome;
use super::super::undo;
use super::{Found, before};
use crate::collection::UpkeepStep;
use crate::sql::{Session, params};

/// A run that may go, by the time of its end. The last run of a connector stays, which the catalog may still have to be told
/// of, and so does one that was undone, as long as the undo's own.
const OLDEST: &str = "SELECT sync_id, finished_at FROM store_runs WHERE store = ?0 AND finished_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM store_connectors
                    WHERE store = ?0 AND store_connectors.connector_id = store_runs.connector_id AND store_connectors.sync_id = store_runs.sync_id)
    AND sync_id NOT IN (SELECT undone FROM store_undos WHERE store = ?0)
    ORDER BY finished_at LIMIT 1";

/// Removes some of it.
pub(super) fn some(connection: &dyn Session, step: &UpkeepStep) -> Outcome<Found> {
    let mut left = step.max_entries.max(1);
    left = left.saturating_sub(undo::forget_abandoned(connection, left)?);
    let end = before(step.now, step.runs);
    let mut due_at = None;
    while left > 0 {
        let Some((run, finished_at)) = oldest(connection)? else { break };
        if finished_at >= end {
            due_at = Some(finished_at.plus(step.runs).plus(Duration::from_micros(1)));
            break;
        }
        left = left.saturating_sub(forget_run(connection, &run, left)?);
    }
    if left < step.max_entries.max(1) { Ok(Found::Work) } else { Ok(Found::Nothing(due_at)) }
}

fn oldest(connection: &dyn Session) -> Outcome<Option<(Vec<u8>, Timestamp)>> {
    Ok(connection.row_if_any(OLDEST, params![], |columns| Ok((columns.plain()?, columns.time()?)))?)
}

/// Removes the records that a run refused, and with the last of them the run; how many rows.
fn forget_run(connection: &dyn Session, run: &[u8], limit: usize) -> Outcome<usize> {
    let rejected = connection.execute(
        "DELETE FROM store_rejected WHERE store = ?0 AND sync_id = ?1 AND seq IN
             (SELECT seq FROM store_rejected WHERE store = ?0 AND sync_id = ?1 LIMIT ?2)",
        params![run, limit as i64],
    )?;
    if rejected == limit {
        return Ok(rejected);
    }
    let mut rows = rejected;
    for sql in [
        "DELETE FROM store_run_streams WHERE store = ?0 AND sync_id = ?1",
        "DELETE FROM store_undos WHERE store = ?0 AND sync_id = ?1",
        "DELETE FROM store_runs WHERE store = ?0 AND sync_id = ?1",
    ] {
        rows += connection.execute(sql, params![run])?;
    }
    Ok(rows)
}
