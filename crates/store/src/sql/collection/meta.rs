//! The numbers of a collection that are handed out once and never again.

use super::block::StreamId;
use super::error::{Outcome, Trouble};
use crate::sql::{Dialect, Session, params};

/// The number of the next change.
pub(super) fn next_change(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row("SELECT next_change FROM store_meta WHERE store = ?0", params![], |columns| {
        columns.unsigned()
    })?)
}

/// Says which change is next.
pub(super) fn set_next_change(connection: &dyn Session, next: u64) -> Outcome<()> {
    connection.execute("UPDATE store_meta SET next_change = ?1 WHERE store = ?0", params![next as i64])?;
    Ok(())
}

/// A generation that no listing has had.
pub(super) fn next_generation(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row(
        "UPDATE store_meta SET next_generation = next_generation + 1 WHERE store = ?0 RETURNING next_generation - 1",
        params![],
        |columns| columns.unsigned(),
    )?)
}

/// The generation that would come next.
pub(super) fn peek_generation(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row("SELECT next_generation FROM store_meta WHERE store = ?0", params![], |columns| {
        columns.unsigned()
    })?)
}

/// A number that no stream has had.
pub(super) fn next_stream(connection: &dyn Session) -> Outcome<StreamId> {
    let number = connection.row(
        "UPDATE store_meta SET next_stream = next_stream + 1 WHERE store = ?0 RETURNING next_stream - 1",
        params![],
        |columns| columns.unsigned(),
    )?;
    u32::try_from(number).map(StreamId).map_err(|_| Trouble::Broken("there are too many streams"))
}

/// The place in the inbox that a push is to be given; `None` where the database counts them itself.
pub(super) fn next_push(connection: &dyn Session) -> Outcome<Option<i64>> {
    match connection.dialect() {
        Dialect::Sqlite => Ok(None),
        Dialect::Postgres => Ok(Some(connection.row(
            "UPDATE store_meta SET next_push = next_push + 1 WHERE store = ?0 RETURNING next_push - 1",
            params![],
            |columns| columns.plain(),
        )?)),
    }
}

/// The last change of which history is gone.
pub(super) fn compacted_through(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row("SELECT compacted_through FROM store_meta WHERE store = ?0", params![], |columns| {
        columns.unsigned()
    })?)
}

/// The last change that the upkeep has looked at.
pub(super) fn walked_through(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row("SELECT walked_through FROM store_meta WHERE store = ?0", params![], |columns| {
        columns.unsigned()
    })?)
}

/// Says how far the upkeep has come, and of which change on nothing is gone.
pub(super) fn set_walked_through(
    connection: &dyn Session,
    walked_through: u64,
    compacted_through: u64,
) -> Outcome<()> {
    connection.execute(
        "UPDATE store_meta SET walked_through = ?1, compacted_through = ?2 WHERE store = ?0",
        params![walked_through as i64, compacted_through as i64],
    )?;
    Ok(())
}
