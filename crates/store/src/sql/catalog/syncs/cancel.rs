//! Cancelling: on request, or because the connector goes.

use inlet_model::sync::{MoveCause, SyncStatus};
use inlet_model::{ConnectorId, SyncId, Timestamp};

use super::super::audit::Write;
use super::moves::{Step, advance};
use super::{approve, sync_row};
use crate::catalog::{Action, CancelEffect, Sync, Target};
use crate::sql::Session;
use crate::sql::catalog::Trouble;

/// Cancels the sync of that id, or without one whatever of the connector is active, else queued.
pub(super) fn cancel(
    tx: &Write<'_>,
    connector_id: ConnectorId,
    id: Option<SyncId>,
    now: Timestamp,
) -> Result<CancelEffect, Trouble> {
    let found = match id {
        Some(id) => sync_row::get(tx, id)?.filter(|sync| sync.connector_id == connector_id),
        None => sync_row::unfinished(tx, connector_id)?,
    };
    let Some(mut sync) = found else { return Ok(CancelEffect::None) };
    cancel_one(tx, &mut sync, MoveCause::CancelRequested, now)?;
    Ok(match sync.status {
        SyncStatus::Cancelling => CancelEffect::Cancelling(sync),
        SyncStatus::Cancelled => CancelEffect::Cancelled(sync),
        _ => CancelEffect::AlreadyFinished(sync),
    })
}

/// Cancels the sync that holds the connector, and the one that waits for it, for another to take their place.
pub(super) fn replace_all(tx: &Write<'_>, connector_id: ConnectorId, now: Timestamp) -> Result<(), Trouble> {
    let mut unfinished = unfinished(tx, connector_id)?;
    unfinished.iter_mut().try_for_each(|sync| cancel_one(tx, sync, MoveCause::Replaced, now))
}

/// Cancels a sync, and says in the audit log if that changed anything.
fn cancel_one(tx: &Write<'_>, sync: &mut Sync, cause: MoveCause, now: Timestamp) -> Result<(), Trouble> {
    let before = sync.status;
    want_cancelled(tx, sync, cause, now)?;
    if sync.status != before {
        tx.audit(Action::SyncCancel, Target::sync(sync))?;
    }
    Ok(())
}

fn unfinished(tx: &dyn Session, connector_id: ConnectorId) -> Result<Vec<Sync>, Trouble> {
    let unfinished = [sync_row::active(tx, connector_id)?, sync_row::queued(tx, connector_id)?];
    Ok(unfinished.into_iter().flatten().collect())
}

/// Cancels what a connector that goes has not ended. Gives its syncs as they are now: one that held it, one that was queued.
pub(in super::super) fn want_cancelled_of(
    tx: &dyn Session,
    connector_id: ConnectorId,
    now: Timestamp,
) -> Result<Vec<Sync>, Trouble> {
    let mut unfinished = unfinished(tx, connector_id)?;
    unfinished.iter_mut().try_for_each(|sync| want_cancelled(tx, sync, MoveCause::ConnectorDeleted, now))?;
    Ok(unfinished)
}

/// Moves a sync that has not ended towards its end. One that a worker holds is for the worker to end.
fn want_cancelled(
    tx: &dyn Session,
    sync: &mut Sync,
    cause: MoveCause,
    now: Timestamp,
) -> Result<(), Trouble> {
    let to = match sync.status {
        SyncStatus::Running => SyncStatus::Cancelling,
        SyncStatus::NeedsApproval => {
            approve::give_up(tx, sync, now)?;
            SyncStatus::Cancelled
        }
        SyncStatus::Queued | SyncStatus::Waiting => {
            sync.finished_at = Some(now);
            sync.stop_waiting();
            SyncStatus::Cancelled
        }
        SyncStatus::Cancelling | SyncStatus::Succeeded | SyncStatus::Failed | SyncStatus::Cancelled => {
            return Ok(());
        }
    };
    advance(tx, sync, Step::new(to, cause), now)
}
