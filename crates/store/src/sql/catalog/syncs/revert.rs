//! Asking for a sync to be undone.

use async_trait::async_trait;
use inlet_model::{SyncId, Timestamp};

use super::super::audit::Write;
use super::super::{SqlCatalog, connectors, idempotency};
use super::trigger::in_the_way;
use super::{moves, sync_row};
use crate::StoreResult;
use crate::catalog::{Action, Effect, Idempotent, Notice, OnConflict, RevertConflict, Reverts, Sync, Target};
use crate::sql::catalog::Trouble;
use crate::sql::{Json, Session, Text, params};

#[async_trait]
impl Reverts for SqlCatalog {
    async fn sync_revert(
        &self,
        revert: Sync,
        on_conflict: OnConflict,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<RevertConflict>> {
        self.write("revert a sync", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || begin(tx, &revert, on_conflict))
        })
        .await
    }
}

/// Queues the revert and pauses the connector, or finds what is in the way.
fn begin(tx: &Write<'_>, revert: &Sync, on_conflict: OnConflict) -> Result<Option<RevertConflict>, Trouble> {
    let undone = revert.reverts.ok_or(Trouble::Broken("a revert says what it reverts"))?;
    let connector = connectors::get(tx, revert.connector_id)?.filter(|connector| {
        connector.space_id == revert.space_id
            && connector.collection_id == revert.collection_id
            && connector.store_id == revert.store_id
    });
    if connector.is_none() {
        return Ok(Some(RevertConflict::Absent));
    }
    if let Some(earlier) = revert_of(tx, undone)? {
        return Ok(Some(RevertConflict::Reverted(earlier)));
    }
    if let Some(there) = in_the_way(tx, revert, on_conflict)? {
        return Ok(Some(RevertConflict::Unfinished(there)));
    }
    moves::begin(tx, revert)?;
    tx.audit(Action::SyncRevert, Target { sync_id: Some(undone), ..Target::sync(revert) })?;
    pause(tx, revert, undone)?;
    Ok(None)
}

/// The sync that undoes this one, or has done so.
fn revert_of(db: &dyn Session, undone: SyncId) -> Result<Option<Sync>, Trouble> {
    let condition = "WHERE s.reverts = ?1 AND s.status NOT IN ('failed', 'cancelled') LIMIT 1";
    sync_row::one(db, condition, params![Text(undone)])
}

/// Pauses the connector, if it is not, and says why.
fn pause(tx: &dyn Session, revert: &Sync, undone: SyncId) -> Result<(), Trouble> {
    let now: Timestamp = revert.created_at;
    let notice = Notice {
        code: "connector.paused_by_revert".to_owned(),
        message: format!("{} undoes {undone}; once the source is mended, resume the connector", revert.id),
        at: now,
    };
    tx.execute(
        "UPDATE connectors SET version = version + CASE WHEN status = 'active' THEN 1 ELSE 0 END,
             status = 'paused', notice = ?2, next_sync_at = NULL, updated_at = ?3 WHERE id = ?1",
        params![Text(revert.connector_id), Json(notice), now.as_micros()],
    )?;
    Ok(())
}
