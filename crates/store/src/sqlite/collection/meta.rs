//! The numbers of a collection that are handed out once and never again.

use rusqlite::Connection;

use super::block::StreamId;
use super::error::{Outcome, Trouble};
use super::streams::read_number;

/// The number of the next change.
pub(super) fn next_change(connection: &Connection) -> Outcome<u64> {
    let mut statement = connection.prepare_cached("SELECT next_change FROM meta")?;
    Ok(statement.query_row([], |row| read_number(row, 0))?)
}

/// Says which change is next.
pub(super) fn set_next_change(connection: &Connection, next: u64) -> Outcome<()> {
    connection.prepare_cached("UPDATE meta SET next_change = ?1")?.execute([next as i64])?;
    Ok(())
}

/// A generation that no listing has had.
pub(super) fn next_generation(connection: &Connection) -> Outcome<u64> {
    let mut statement = connection.prepare_cached(
        "UPDATE meta SET next_generation = next_generation + 1 RETURNING next_generation - 1",
    )?;
    Ok(statement.query_row([], |row| read_number(row, 0))?)
}

/// The generation that would come next.
pub(super) fn peek_generation(connection: &Connection) -> Outcome<u64> {
    let mut statement = connection.prepare_cached("SELECT next_generation FROM meta")?;
    Ok(statement.query_row([], |row| read_number(row, 0))?)
}

/// A number that no stream has had.
pub(super) fn next_stream(connection: &Connection) -> Outcome<StreamId> {
    let mut statement = connection
        .prepare_cached("UPDATE meta SET next_stream = next_stream + 1 RETURNING next_stream - 1")?;
    let number = statement.query_row([], |row| read_number(row, 0))?;
    u32::try_from(number).map(StreamId).map_err(|_| Trouble::Broken("there are too many streams"))
}

/// The last change of which history is gone.
pub(super) fn compacted_through(connection: &Connection) -> Outcome<u64> {
    let mut statement = connection.prepare_cached("SELECT compacted_through FROM meta")?;
    Ok(statement.query_row([], |row| read_number(row, 0))?)
}

/// The last change that the upkeep has looked at.
pub(super) fn walked_through(connection: &Connection) -> Outcome<u64> {
    let mut statement = connection.prepare_cached("SELECT walked_through FROM meta")?;
    Ok(statement.query_row([], |row| read_number(row, 0))?)
}

/// Says how far the upkeep has come, and of which change on nothing is gone.
pub(super) fn set_walked_through(
    connection: &Connection,
    walked_through: u64,
    compacted_through: u64,
) -> Outcome<()> {
    connection
        .prepare_cached("UPDATE meta SET walked_through = ?1, compacted_through = ?2")?
        .execute([walked_through as i64, compacted_through as i64])?;
    Ok(())
}
