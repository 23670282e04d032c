//! Syncs that ask before they delete.

use inlet_model::approval::Approval;
use inlet_model::sync::{MoveCause, SyncStatus};
use inlet_model::{ConnectorId, StoreId, SyncId, Timestamp};

use super::super::audit::Write;
use super::claim::is_current;
use super::moves::{Step, advance};
use super::sync_row;
use crate::catalog::{Action, Discard, Sync, Target};
use crate::collection::{Fence, Run};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlResult, Text, params};

/// Lets a running sync ask, if it is still the claim's.
pub(super) fn ask(
    tx: &dyn Session,
    run: Run,
    fence: Fence,
    approval: Approval,
    now: Timestamp,
) -> Result<Option<Sync>, Trouble> {
    let Some(mut sync) = sync_row::get(tx, run.sync_id)? else { return Ok(None) };
    if sync.status != SyncStatus::Running || !is_current(tx, sync.connector_id, fence)? {
        return Ok(Some(sync));
    }
    sync.counts = run.counts;
    sync.streams = run.streams;
    sync.last_progress_at = Some(run.last_progress_at);
    sync.approval = Some(approval);
    advance(tx, &mut sync, Step::new(SyncStatus::NeedsApproval, MoveCause::LargeDelete), now)?;
    Ok(Some(sync))
}

/// Lets a sync that asks go on: it is nobody's, and whoever claims next has it. What is in the way is the sync in another
/// state, or that there is none.
pub(super) fn approve(
    tx: &Write<'_>,
    connector_id: ConnectorId,
    id: SyncId,
    now: Timestamp,
) -> Result<Option<Option<Sync>>, Trouble> {
    let mut sync = match that_asks(tx, connector_id, id)? {
        Ok(sync) => sync,
        Err(other) => return Ok(Some(other)),
    };
    let approval = sync.approval.as_mut().ok_or(Trouble::Broken("a sync that asks says what"))?;
    approval.approved = true;
    advance(tx, &mut sync, Step::new(SyncStatus::Running, MoveCause::Approved), now)?;
    tx.execute("UPDATE syncs SET node = NULL, lease_until = 0 WHERE id = ?1", params![Text(id)])?;
    tx.audit(Action::SyncApprove, Target::sync(&sync))?;
    Ok(None)
}

/// Ends a sync that asks. What is in the way is as of [`approve`].
pub(super) fn discard(
    tx: &Write<'_>,
    connector_id: ConnectorId,
    id: SyncId,
    now: Timestamp,
) -> Result<Option<Option<Sync>>, Trouble> {
    let mut sync = match that_asks(tx, connector_id, id)? {
        Ok(sync) => sync,
        Err(other) => return Ok(Some(other)),
    };
    give_up(tx, &mut sync, now)?;
    advance(tx, &mut sync, Step::new(SyncStatus::Cancelled, MoveCause::Discarded), now)?;
    tx.audit(Action::SyncDiscard, Target::sync(&sync))?;
    Ok(None)
}

fn that_asks(
    tx: &dyn Session,
    connector_id: ConnectorId,
    id: SyncId,
) -> Result<Result<Sync, Option<Sync>>, Trouble> {
    let found = sync_row::get(tx, id)?.filter(|sync| sync.connector_id == connector_id);
    Ok(match found {
        Some(sync) if sync.status == SyncStatus::NeedsApproval => Ok(sync),
        other => Err(other),
    })
}

/// Prepares the end of a sync that asks: its streams that were to be swept are not complete, and what it would have deleted is
/// to be taken back.
pub(super) fn give_up(tx: &dyn Session, sync: &mut Sync, now: Timestamp) -> Result<(), Trouble> {
    sync.finished_at = Some(now);
    let asked = sync.approval.iter().flat_map(|approval| &approval.deletes.streams);
    for name in asked.map(|stream| &stream.name) {
        sync.streams.iter_mut().filter(|stream| stream.name == *name).for_each(|stream| stream.give_up(None));
    }
    tx.execute(
        "INSERT INTO discards (sync_id, connector_id, store_id) VALUES (?1, ?2, ?3)",
        params![Text(sync.id), Text(sync.connector_id), Text(sync.store_id)],
    )?;
    Ok(())
}

/// Forgets what was approved, if the sync is still the claim's.
pub(super) fn spent(tx: &dyn Session, id: SyncId, fence: Fence) -> Result<(), Trouble> {
    let Some(sync) = sync_row::get(tx, id)? else { return Ok(()) };
    if is_current(tx, sync.connector_id, fence)? {
        sync_row::save(tx, &Sync { approval: None, ..sync })?;
    }
    Ok(())
}

/// What the stores still have to take back.
pub(super) fn discards(db: &dyn Session, limit: usize) -> Result<Vec<Discard>, Trouble> {
    Ok(db.rows(
        "SELECT sync_id, connector_id, store_id FROM discards ORDER BY sync_id LIMIT ?1",
        params![i64::try_from(limit).unwrap_or(i64::MAX)],
        discard_from,
    )?)
}

/// Forgets what a store has taken back.
pub(super) fn discard_done(tx: &dyn Session, id: SyncId) -> Result<(), Trouble> {
    tx.execute("DELETE FROM discards WHERE sync_id = ?1", params![Text(id)])?;
    Ok(())
}

/// Forgets what a store that goes as a whole would have taken back.
pub(in super::super) fn drop_discards_of(tx: &dyn Session, store_id: StoreId) -> Result<(), Trouble> {
    tx.execute("DELETE FROM discards WHERE store_id = ?1", params![Text(store_id)])?;
    Ok(())
}

fn discard_from(columns: &mut Columns<'_>) -> SqlResult<Discard> {
    Ok(Discard { sync_id: columns.text()?, connector_id: columns.text()?, store_id: columns.text()? })
}
