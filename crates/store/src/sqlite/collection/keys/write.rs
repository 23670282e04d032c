//! Writing many rows that come in order.

use rusqlite::{CachedStatement, Connection, params};

use super::super::error::{Outcome, Trouble};
use super::KeyRow;

/// Rows written by one statement: to begin and end one costs as much as to write a row.
const ROWS: usize = 16;

/// Writes the rows of `filed`, which come in order; `None` removes one that is there.
pub(crate) fn write<'k>(
    connection: &Connection,
    filed: impl Iterator<Item = (&'k [u8], Option<KeyRow>)>,
) -> Outcome<()> {
    let mut delete = connection.prepare_cached("DELETE FROM keys WHERE k = ?1")?;
    let mut many = connection.prepare_cached(&put_sql(ROWS))?;
    let mut pending = Vec::with_capacity(ROWS);
    for (key, row) in filed {
        match row {
            Some(row) => pending.push((key, row)),
            None if delete.execute(params![key])? == 1 => {}
            None => return Err(Trouble::Damaged("a row of the key table has gone")),
        }
        if pending.len() == ROWS {
            put(&mut many, &pending)?;
            pending.clear();
        }
    }
    let mut one = connection.prepare_cached(&put_sql(1))?;
    pending.chunks(1).try_for_each(|row| put(&mut one, row))
}

/// Replacing a row by one of the same length writes it in place, which an `UPDATE` would not: that is three times as slow.
fn put_sql(rows: usize) -> String {
    let values = vec!["(?, ?, ?, ?, ?)"; rows].join(", ");
    format!("REPLACE INTO keys (k, hash, change, created, scope) VALUES {values}")
}

fn put(statement: &mut CachedStatement<'_>, rows: &[(&[u8], KeyRow)]) -> Outcome<()> {
    for (at, (key, row)) in (1..).step_by(5).zip(rows) {
        statement.raw_bind_parameter(at, key)?;
        statement.raw_bind_parameter(at + 1, row.hash)?;
        statement.raw_bind_parameter(at + 2, row.change as i64)?;
        statement.raw_bind_parameter(at + 3, row.created_us)?;
        statement.raw_bind_parameter(at + 4, row.scope.0)?;
    }
    statement.raw_execute()?;
    Ok(())
}
