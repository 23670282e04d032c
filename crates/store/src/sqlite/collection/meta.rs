//! The numbers of a collection that are handed out once and never again.

use super::block::StreamId;
use super::error::{Outcome, Trouble};
use crate::sql::{Session, params};

/// The number of the next change.
pub(super) fn next_change(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row("SELECT next_change FROM meta", params![], |columns| columns.unsigned())?)
}

/// Says which change is next.
pub(super) fn set_next_change(connection: &dyn Session, next: u64) -> Outcome<()> {
    connection.execute("UPDATE meta SET next_change = ?1", params![next as i64])?;
    Ok(())
}

/// A generation that no listing has had.
pub(super) fn next_generation(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row(
        "UPDATE meta SET next_generation = next_generation + 1 RETURNING next_generation - 1",
        params![],
        |columns| columns.unsigned(),
    )?)
}

/// The generation that would come next.
pub(super) fn peek_generation(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row("SELECT next_generation FROM meta", params![], |columns| columns.unsigned())?)
}

/// A number that no stream has had.
pub(super) fn next_stream(connection: &dyn Session) -> Outcome<StreamId> {
    let number = connection.row(
        "UPDATE meta SET next_stream = next_stream + 1 RETURNING next_stream - 1",
        params![],
        |columns| columns.unsigned(),
    )?;
    u32::try_from(number).map(StreamId).map_err(|_| Trouble::Broken("there are too many streams"))
}

/// The last change of which history is gone.
pub(super) fn compacted_through(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row("SELECT compacted_through FROM meta", params![], |columns| columns.unsigned())?)
}

/// The last change that the upkeep has looked at.
pub(super) fn walked_through(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row("SELECT walked_through FROM meta", params![], |columns| columns.unsigned())?)
}

/// Says how far the upkeep has come, and of which change on nothing is gone.
pub(super) fn set_walked_through(
    connection: &dyn Session,
    walked_through: u64,
    compacted_through: u64,
) -> Outcome<()> {
    connection.execute(
        "UPDATE meta SET walked_through = ?1, compacted_through = ?2",
        params![walked_through as i64, compacted_through as i64],
    )?;
    Ok(())
}
