//! Forgetting deliveries that are old, or whose webhook is deleted, a bounded number at a time.

use inlet_model::Timestamp;

use crate::sql::catalog::Trouble;
use crate::sql::{Session, params};

/// Forgets up to `limit` of the old ones, and as many of one deleted webhook, which goes when it has none left.
pub(super) fn forget(tx: &dyn Session, before: Timestamp, limit: usize) -> Result<usize, Trouble> {
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let old = tx.execute(
        "DELETE FROM deliveries WHERE number IN
             (SELECT number FROM deliveries WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)",
        params![before.as_micros(), rows],
    )?;
    Ok(old.max(forget_deleted(tx, rows)?))
}

/// A webhook that went counts as a full step: another may follow.
fn forget_deleted(tx: &dyn Session, limit: i64) -> Result<usize, Trouble> {
    let Some(id) = tx.row_if_any(
        "SELECT id FROM webhooks WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1",
        params![],
        |columns| columns.plain::<String>(),
    )?
    else {
        return Ok(0);
    };
    tx.execute(
        "DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries WHERE webhook_id = ?1
         LIMIT ?2)",
        params![id, limit],
    )?;
    tx.execute(
        "DELETE FROM webhooks WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE webhook_id = ?1)",
        params![&id],
    )?;
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}
