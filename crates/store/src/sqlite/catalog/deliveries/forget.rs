//! Forgetting deliveries that are old, or whose webhook is deleted, a bounded number at a time.

use inlet_model::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::super::error::Trouble;

/// Forgets up to `limit` of the old ones, and as many of one deleted webhook, which goes when it has none left.
pub(super) fn forget(tx: &Transaction<'_>, before: Timestamp, limit: usize) -> Result<usize, Trouble> {
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let old = tx
        .prepare_cached(
            "DELETE FROM deliveries WHERE number IN
             (SELECT number FROM deliveries WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)",
        )?
        .execute(params![before.as_micros(), rows])?;
    Ok(old.max(forget_deleted(tx, rows)?))
}

/// A webhook that went counts as a full step: another may follow.
fn forget_deleted(tx: &Transaction<'_>, limit: i64) -> Result<usize, Trouble> {
    let mut deleted = tx
        .prepare_cached("SELECT id FROM webhooks WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1")?;
    let Some(id) = deleted.query_row([], |row| row.get::<_, String>(0)).optional()? else { return Ok(0) };
    tx.prepare_cached(
        "DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries WHERE webhook_id = ?1 LIMIT ?2)",
    )?
    .execute(params![id, limit])?;
    tx.prepare_cached(
        "DELETE FROM webhooks WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE webhook_id = ?1)",
    )?
    .execute([&id])?;
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}
