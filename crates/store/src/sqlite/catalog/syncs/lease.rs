//! How long a node keeps its syncs.

use inlet_model::{NodeId, SyncId};
use rusqlite::{Transaction, params};

use super::super::error::Trouble;
use super::super::row::{Columns, Text};
use crate::catalog::Lease;

/// Prolongs what the node has, and names it.
pub(super) fn renew(tx: &Transaction<'_>, lease: Lease) -> Result<Vec<SyncId>, Trouble> {
    let mut statement = tx.prepare_cached(
        "UPDATE syncs SET lease_until = ?2 WHERE status IN ('running', 'cancelling') AND node = ?1 RETURNING id",
    )?;
    let rows = statement
        .query_map(params![Text(lease.node), lease.until.as_micros()], |row| Columns::of(row).text())?;
    Ok(rows.collect::<rusqlite::Result<Vec<SyncId>>>()?)
}

/// Gives back what the node has: its lease has been over for as long as one can be.
pub(super) fn release(tx: &Transaction<'_>, node: NodeId) -> Result<(), Trouble> {
    tx.prepare_cached(
        "UPDATE syncs SET node = NULL, lease_until = 0 WHERE status IN ('running', 'cancelling') AND node = ?1",
    )?
    .execute([Text(node)])?;
    Ok(())
}
