//! Counting the syncs that have not ended.

use rusqlite::{Connection, Row};

use super::super::error::Trouble;
use super::super::row::Columns;
use crate::catalog::SyncTally;

/// Each half reads a partial index, which holds what it counts and nothing else.
const TALLY: &str = "SELECT s.status, c.kind, count(*), min(s.created_at) FROM syncs AS s JOIN connectors AS c ON c.id = s.connector_id
                     WHERE s.status IN ('running', 'waiting', 'needs_approval', 'cancelling') GROUP BY s.status, c.kind
                     UNION ALL
                     SELECT s.status, c.kind, count(*), min(s.created_at) FROM syncs AS s JOIN connectors AS c ON c.id = s.connector_id
                     WHERE s.status = 'queued' GROUP BY c.kind";

pub(super) fn tally(db: &Connection) -> Result<Vec<SyncTally>, Trouble> {
    let mut statement = db.prepare_cached(TALLY)?;
    let rows = statement.query_map([], tally_from)?;
    Ok(rows.collect::<rusqlite::Result<Vec<SyncTally>>>()?)
}

fn tally_from(row: &Row<'_>) -> rusqlite::Result<SyncTally> {
    let mut columns = Columns::of(row);
    Ok(SyncTally {
        status: columns.name()?,
        kind: columns.plain()?,
        syncs: columns.unsigned()?,
        oldest_created_at: columns.time()?,
    })
}

#[cfg(test)]
mod tests {
    use inlet_model::{ManualClock, SeededEntropy, Timestamp};

    use super::super::super::schema;
    use super::*;

    /// With a million ended syncs in the table, a look at every row would take seconds.
    #[test]
    fn no_sync_that_has_ended_is_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Timestamp::from_millis(1));
        let (db, _) =
            schema::open(&directory.path().join("catalog.db"), &clock, &SeededEntropy::new(1)).unwrap();
        // A table that has never been analysed is planned by guesses; so is one that is always analysed.
        for analyze in ["", "ANALYZE"] {
            db.execute_batch(analyze).unwrap();
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {TALLY}")).unwrap();
            let steps = statement.query_map([], |row| row.get::<_, String>("detail")).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            let on_syncs =
                steps.iter().filter(|step| step.starts_with("SCAN s") || step.starts_with("SEARCH s"));
            let on_syncs: Vec<&str> = on_syncs.map(String::as_str).collect();
            assert_eq!(on_syncs.len(), 2, "{steps:?}");
            assert!(on_syncs[0].contains("USING INDEX syncs_one_active"), "{steps:?}");
            assert!(on_syncs[1].contains("USING INDEX syncs_"), "{steps:?}");
            assert!(!on_syncs[1].contains("syncs_newest"), "{steps:?}");
        }
    }
}
