//! The entries that are past the history and still lie in their blocks. No reader of the feed sees them.

use rusqlite::Connection;

use super::super::blocks;
use super::super::error::Outcome;
use crate::sqlite::connection::read_number;

/// Notes `changes`, in order, of which none is noted yet.
pub(super) fn note(connection: &Connection, changes: &[u64]) -> Outcome<()> {
    let mut insert = connection.prepare_cached("INSERT INTO expired (change) VALUES (?1)")?;
    for change in changes {
        insert.execute([*change as i64])?;
    }
    blocks::count_expired(connection, changes)
}

/// Those from `first` to `last`, in order.
pub(in super::super) fn between(connection: &Connection, first: u64, last: u64) -> Outcome<Vec<u64>> {
    let mut statement = connection
        .prepare_cached("SELECT change FROM expired WHERE change BETWEEN ?1 AND ?2 ORDER BY change")?;
    let rows = statement.query_map([first as i64, last as i64], |row| read_number(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Forgets those from `first` to `last`, which lie in no block any more.
pub(super) fn forget(connection: &Connection, first: u64, last: u64) -> Outcome<()> {
    connection
        .prepare_cached("DELETE FROM expired WHERE change BETWEEN ?1 AND ?2")?
        .execute([first as i64, last as i64])?;
    Ok(())
}
