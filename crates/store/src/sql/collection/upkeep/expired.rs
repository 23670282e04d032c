//! The entries that are past the history and still lie in their blocks. No reader of the feed sees them.

use super::super::blocks;
use super::super::error::Outcome;
use crate::sql::{Bound, Session, params, rows};

/// Notes `changes`, in order, of which none is noted yet.
pub(super) fn note(connection: &dyn Session, changes: &[u64]) -> Outcome<()> {
    let new: Vec<_> = changes.iter().map(|change| vec![Bound::Integer(*change as i64)]).collect();
    rows::insert(connection, "store_expired (store, change)", &new, "")?;
    blocks::count_expired(connection, changes)
}

/// Those from `first` to `last`, in order.
pub(in super::super) fn between(connection: &dyn Session, first: u64, last: u64) -> Outcome<Vec<u64>> {
    Ok(connection.rows(
        "SELECT change FROM store_expired WHERE store = ?0 AND change BETWEEN ?1 AND ?2 ORDER BY change",
        params![first as i64, last as i64],
        |columns| columns.unsigned(),
    )?)
}

/// Forgets those from `first` to `last`, which lie in no block any more.
pub(super) fn forget(connection: &dyn Session, first: u64, last: u64) -> Outcome<()> {
    connection.execute(
        "DELETE FROM store_expired WHERE store = ?0 AND change BETWEEN ?1 AND ?2",
        params![first as i64, last as i64],
    )?;
    Ok(())
}
