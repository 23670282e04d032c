//! How long a node keeps its syncs.

use inlet_model::{NodeId, SyncId, Timestamp};

use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// Prolongs what the node has, and names it.
pub(in super::super) fn renew(
    tx: &dyn Session,
    node: NodeId,
    until: Timestamp,
) -> Result<Vec<SyncId>, Trouble> {
    Ok(tx.rows(
        "UPDATE syncs SET lease_until = ?2 WHERE status IN ('running', 'cancelling') AND node = ?1
         RETURNING id",
        params![Text(node), until.as_micros()],
        |columns| columns.text(),
    )?)
}

/// Gives back what the node has: its lease has been over for as long as one can be.
pub(in super::super) fn release(tx: &dyn Session, node: NodeId) -> Result<(), Trouble> {
    tx.execute(
        "UPDATE syncs SET node = NULL, lease_until = 0 WHERE status IN ('running', 'cancelling') AND
         node = ?1",
        params![Text(node)],
    )?;
    Ok(())
}

/// The same for one of them.
pub(super) fn give_back(tx: &dyn Session, id: SyncId, node: NodeId) -> Result<(), Trouble> {
    tx.execute(
        "UPDATE syncs SET node = NULL, lease_until = 0 WHERE id = ?1 AND node = ?2 AND
         status IN ('running', 'cancelling')",
        params![Text(id), Text(node)],
    )?;
    Ok(())
}
