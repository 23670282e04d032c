//! When a queued sync comes: spaces take turns, so that one that queues thousands holds up nobody else.
//!
//! It is [start-time fair queueing](https://doi.org/10.1145/248157.248171) in which every sync counts the same. A sync's turn is one behind
//! the last that its space has queued, but none that is past: a space that had nothing to do saves up no claim to go first.
//! What comes next is then the first entry of an index, however many wait.

use inlet_model::SpaceId;

use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// The turn that is under way is the greatest of those running; while none of them runs, the least of those that can be begun.
pub(crate) const NEXT: &str = "SELECT coalesce(max(turn), 0) FROM (
         SELECT max(turn) AS turn FROM syncs WHERE status IN ('running', 'cancelling')
         UNION ALL SELECT min(turn) FROM syncs WHERE status = 'queued' AND blocked = 0
         UNION ALL SELECT max(turn) + 1 FROM syncs WHERE status = 'queued' AND space_id = ?1
     ) AS turns";

/// The turn of a sync that the space queues now.
pub(super) fn next(tx: &dyn Session, space_id: &SpaceId) -> Result<i64, Trouble> {
    Ok(tx.row(NEXT, params![Text(space_id)], |columns| columns.plain())?)
}
