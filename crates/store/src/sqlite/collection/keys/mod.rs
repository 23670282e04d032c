//! The key table in a file. Rows that lie scattered wait in the key [`log`] and stand for those of the table.

mod log;
mod look_up;
mod room;
#[cfg(test)]
mod tests;
mod walk;
mod write;

use rusqlite::{Connection, params};

use crate::sql::collection::Outcome;
use crate::sql::collection::key_row::KeyRow;

pub(super) use log::KeyLog;
pub(super) use look_up::look_up;
pub(super) use room::KeyLogRoom;
pub(super) use walk::walk;
pub(super) use write::remove;

/// Reads the row that is stored in column `at`.
pub(super) fn read_row(row: &rusqlite::Row<'_>, at: usize) -> Outcome<KeyRow> {
    KeyRow::decode(read_bytes(row, at)?)
}

/// Reads a row of the key log; `None` for a record that has gone.
fn read_logged(row: &rusqlite::Row<'_>, at: usize) -> Outcome<Option<KeyRow>> {
    log::decode(read_bytes(row, at)?)
}

fn read_bytes<'r>(row: &'r rusqlite::Row<'_>, at: usize) -> Outcome<&'r [u8]> {
    Ok(row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from)?)
}

/// Shows rows of the key table in the order of keys: those from `start` up to `end`, at most so many. The key log must be
/// merged.
pub(super) fn show(
    connection: &Connection,
    start: &[u8],
    end: &[u8],
    limit: usize,
    show: &mut dyn FnMut(&[u8], KeyRow),
) -> Outcome<()> {
    let mut statement =
        connection.prepare_cached("SELECT k, row FROM keys WHERE k >= ?1 AND k < ?2 ORDER BY k LIMIT ?3")?;
    let mut rows = statement.query(params![start, end, limit as i64])?;
    while let Some(row) = rows.next()? {
        show(read_bytes(row, 0)?, read_row(row, 1)?);
    }
    Ok(())
}

/// The row of a key.
pub(super) fn get(connection: &Connection, filed: &[u8]) -> Outcome<Option<KeyRow>> {
    if let Some(row) = log::get(connection, filed)? {
        return Ok(row);
    }
    let mut statement = connection.prepare_cached("SELECT row FROM keys WHERE k = ?1")?;
    let mut rows = statement.query([filed])?;
    rows.next()?.map(|row| read_row(row, 0)).transpose()
}

/// The rows of keys, which come in any order.
pub(super) fn find_all(connection: &Connection, filed: &[Vec<u8>]) -> Outcome<Vec<Option<KeyRow>>> {
    let has_log = log::parts(connection)?.next().is_some();
    let mut order: Vec<usize> = (0..filed.len()).collect();
    order.sort_unstable_by(|one, other| filed[*one].cmp(&filed[*other]));
    let mut found = vec![None; filed.len()];
    let mut places = order.iter();
    look_up(connection, order.iter().map(|place| filed[*place].as_slice()), |key, in_table| {
        let place = *places.next().expect("each key is looked up once, in order");
        let logged = if has_log { log::get(connection, key)? } else { None };
        found[place] = logged.unwrap_or(in_table);
        Ok(())
    })?;
    Ok(found)
}
