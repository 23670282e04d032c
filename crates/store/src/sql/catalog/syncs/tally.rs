//! Counting the syncs that have not ended.

use crate::catalog::SyncTally;
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlResult, params};

/// Each half reads a partial index, which holds what it counts and nothing else.
pub(crate) const TALLY: &str = "SELECT s.status, s.kind, count(*), min(s.created_at) FROM syncs AS s
                     WHERE s.status IN ('running', 'waiting', 'needs_approval', 'cancelling') GROUP BY s.status, s.kind
                     UNION ALL
                     SELECT 'queued', s.kind, count(*), min(s.created_at) FROM syncs AS s
                     WHERE s.status = 'queued' GROUP BY s.kind";

pub(super) fn tally(db: &dyn Session) -> Result<Vec<SyncTally>, Trouble> {
    Ok(db.rows(TALLY, params![], tally_from)?)
}

fn tally_from(columns: &mut Columns<'_>) -> SqlResult<SyncTally> {
    Ok(SyncTally {
        status: columns.name()?,
        kind: columns.plain()?,
        syncs: columns.unsigned()?,
        oldest_created_at: columns.time()?,
    })
}
