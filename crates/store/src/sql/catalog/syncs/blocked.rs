//! Which queued syncs wait for their connector: it is paused, or has another sync that has not ended.
//!
//! It stands beside the sync, so that a claim need not go through all of them to find one that can be begun. Whatever pauses or resumes a
//! connector, or ends a sync of it, [settles](settle) it anew in the same transaction.

use inlet_model::ConnectorId;

use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// A revert is what its connector was paused by.
const SETTLE: &str = "UPDATE syncs SET blocked = CASE
         WHEN EXISTS (SELECT 1 FROM syncs AS a WHERE a.connector_id = ?1
             AND a.status IN ('running', 'waiting', 'needs_approval', 'cancelling')) THEN 1
         WHEN reverts IS NULL AND EXISTS (SELECT 1 FROM connectors WHERE id = ?1 AND status <> 'active') THEN 1
         ELSE 0 END
     WHERE connector_id = ?1 AND status = 'queued'";

/// Says of the connector's queued sync, if there is one, whether it waits for it.
pub(in super::super) fn settle(tx: &dyn Session, connector_id: ConnectorId) -> Result<(), Trouble> {
    tx.execute(SETTLE, params![Text(connector_id)])?;
    Ok(())
}
