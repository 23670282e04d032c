//! Writing many rows that come in order.

use rusqlite::{CachedStatement, Connection, params};

use crate::sql::collection::{Outcome, Trouble};

/// Rows written by one statement: to begin and end one costs more than to write a row, as it keeps what the last page was
/// before, to undo half a statement.
const ROWS: usize = 128;

/// Replacing a row by one of the same length writes it in place, which an `UPDATE` would not: that is three times as slow.
const PUT: &str = "REPLACE INTO keys (k, row)";

const APPEND: &str = "INSERT INTO key_log (k, row, part)";

/// A key as it is filed, and its row as it is stored: empty if its record has gone.
pub(crate) type Pair<'k> = (&'k [u8], &'k [u8]);

/// Writes rows, which come in order, and removes those that have gone. Gives how many of these were not there.
pub(super) fn overwrite<'k>(connection: &Connection, rows: impl Iterator<Item = Pair<'k>>) -> Outcome<usize> {
    let mut delete = connection.prepare_cached("DELETE FROM keys WHERE k = ?1")?;
    let mut writer = RowWriter::new(connection, PUT, None)?;
    let mut missing = 0;
    for (key, row) in rows {
        if row.is_empty() {
            missing += 1 - delete.execute(params![key])?;
        } else {
            writer.push((key, row))?;
        }
    }
    writer.finish(connection)?;
    Ok(missing)
}

/// Removes rows that are there.
pub(crate) fn remove<'k>(connection: &Connection, filed: impl Iterator<Item = &'k [u8]>) -> Outcome<()> {
    match overwrite(connection, filed.map(|key| (key, &[][..])))? {
        0 => Ok(()),
        _ => Err(GONE),
    }
}

pub(super) const GONE: Trouble = Trouble::Damaged("a row of the key table has gone");

/// Appends rows, which come in order, to the key log.
pub(super) fn append<'k>(
    connection: &Connection,
    part: usize,
    rows: impl Iterator<Item = Pair<'k>>,
) -> Outcome<()> {
    let mut writer = RowWriter::new(connection, APPEND, Some(part))?;
    for row in rows {
        writer.push(row)?;
    }
    writer.finish(connection)
}

/// Gathers rows and writes them, many to a statement.
struct RowWriter<'c, 'k> {
    insert: &'static str,
    part: Option<usize>,
    many: CachedStatement<'c>,
    pending: Vec<Pair<'k>>,
}

impl<'c, 'k> RowWriter<'c, 'k> {
    fn new(connection: &'c Connection, insert: &'static str, part: Option<usize>) -> Outcome<Self> {
        let many = connection.prepare_cached(&sql(insert, part, ROWS))?;
        Ok(Self { insert, part, many, pending: Vec::with_capacity(ROWS) })
    }

    fn push(&mut self, row: Pair<'k>) -> Outcome<()> {
        self.pending.push(row);
        if self.pending.len() == ROWS {
            put(&mut self.many, self.part, &self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }

    fn finish(self, connection: &Connection) -> Outcome<()> {
        let mut one = connection.prepare_cached(&sql(self.insert, self.part, 1))?;
        self.pending.chunks(1).try_for_each(|row| put(&mut one, self.part, row))
    }
}

fn sql(insert: &str, part: Option<usize>, rows: usize) -> String {
    let row = if part.is_some() { "(?, ?, ?)" } else { "(?, ?)" };
    format!("{insert} VALUES {}", vec![row; rows].join(", "))
}

fn put(statement: &mut CachedStatement<'_>, part: Option<usize>, rows: &[Pair<'_>]) -> Outcome<()> {
    let width = 2 + usize::from(part.is_some());
    for (at, (key, row)) in (1..).step_by(width).zip(rows) {
        statement.raw_bind_parameter(at, key)?;
        statement.raw_bind_parameter(at + 1, row)?;
        if let Some(part) = part {
            statement.raw_bind_parameter(at + 2, part as i64)?;
        }
    }
    statement.raw_execute()?;
    Ok(())
}
