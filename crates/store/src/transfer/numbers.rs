//! The numbers that databases count by themselves, so that none is given out twice after a move.

use super::{Moved, Part, Source, Target};
use crate::sql::{Dialect, Session, params};

/// Where each backend has the last number that it gave out for a table. Text in which a store is `?0`, and the number that is set `?1`.
pub(crate) struct Counter {
    /// The table, as a file calls it.
    table: &'static str,
    /// How a shared database tells it, and is told.
    shared: (&'static str, &'static str),
}

/// Those of the catalog, but for the audit log's.
const OF_CATALOG: &[Counter] = &[
    Counter {
        table: "tasks",
        shared: (
            "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM tasks_id_seq",
            "SELECT setval(pg_get_serial_sequence('tasks', 'id'), greatest(?1, 1), ?1 > 0)",
        ),
    },
    Counter {
        table: "purges",
        shared: (
            "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM purges_id_seq",
            "SELECT setval(pg_get_serial_sequence('purges', 'id'), greatest(?1, 1), ?1 > 0)",
        ),
    },
    Counter {
        table: "deliveries",
        shared: (
            "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM delivery_numbers",
            "SELECT setval('delivery_numbers', greatest(?1, 1), ?1 > 0)",
        ),
    },
];

/// Those of a store.
const OF_STORE: &[Counter] = &[Counter {
    table: "inbox",
    shared: (
        "SELECT next_push - 1 FROM store_meta WHERE store = ?0",
        "UPDATE store_meta SET next_push = ?1 + 1 WHERE store = ?0",
    ),
}];

/// A file numbers the rows of its audit log behind the last one that is there; a shared database has to be told.
const AUDIT: &str = "SELECT setval(pg_get_serial_sequence('audit', 'number'), greatest(max(number), 1), max(number) IS NOT NULL) FROM audit";

impl Counter {
    fn last(&self, db: &dyn Session) -> Moved<i64> {
        let last = match db.dialect() {
            Dialect::Sqlite => db.row(
                "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1",
                params![self.table],
                |columns| columns.plain(),
            ),
            Dialect::Postgres => db.row(self.shared.0, params![], |columns| columns.plain()),
        };
        Ok(last?)
    }

    fn set(&self, db: &dyn Session, last: i64) -> Moved<()> {
        match db.dialect() {
            Dialect::Sqlite => {
                db.execute("DELETE FROM sqlite_sequence WHERE name = ?1", params![self.table])?;
                // Where none was given out there is no row.
                let sql = "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE ?2 > 0";
                db.execute(sql, params![self.table, last])?;
            }
            Dialect::Postgres => {
                db.execute(self.shared.1, params![last])?;
            }
        }
        Ok(())
    }
}

/// Lets the target count on where the source is.
pub(super) fn go_on(source: &mut dyn Source, target: &mut dyn Target, part: Part) -> Moved<()> {
    let counters = match part {
        Part::Catalog => OF_CATALOG,
        Part::Store(_) => OF_STORE,
    };
    let mut lasts = Vec::new();
    source.read(part, &mut |db| {
        lasts = counters.iter().map(|counter| counter.last(db)).collect::<Moved<_>>()?;
        Ok(())
    })?;
    target.write(part, &mut |db| {
        counters.iter().zip(&lasts).try_for_each(|(counter, last)| counter.set(db, *last))?;
        if part == Part::Catalog && db.dialect() == Dialect::Postgres {
            db.execute(AUDIT, params![])?;
        }
        Ok(())
    })
}
