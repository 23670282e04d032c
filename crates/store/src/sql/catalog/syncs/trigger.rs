//! Asking for a sync.

use super::super::audit::Write;
use super::super::connectors;
use super::{cancel, moves, sync_row};
use crate::catalog::{Action, ConnectorStatus, OnConflict, Sync, Target};
use crate::sql::catalog::Trouble;

/// Queues the sync, or finds what is in its way: a sync of the connector that has not ended, or that the connector is not
/// there or paused.
pub(super) fn trigger(
    tx: &Write<'_>,
    sync: &Sync,
    on_conflict: OnConflict,
) -> Result<Option<Option<Sync>>, Trouble> {
    let connector = connectors::get(tx, sync.connector_id)?.filter(|connector| {
        connector.status == ConnectorStatus::Active
            && connector.space_id == sync.space_id
            && connector.collection_id == sync.collection_id
            && connector.store_id == sync.store_id
    });
    if connector.is_none() {
        return Ok(Some(None));
    }
    let in_the_way = in_the_way(tx, sync, on_conflict)?;
    if in_the_way.is_some() {
        return Ok(Some(in_the_way));
    }
    moves::begin(tx, sync)?;
    tx.audit(Action::SyncTrigger, Target::sync(sync))?;
    Ok(None)
}

/// The sync of the connector that is in the way of this one. Where it is to replace them, those there are cancelled.
pub(super) fn in_the_way(
    tx: &Write<'_>,
    sync: &Sync,
    on_conflict: OnConflict,
) -> Result<Option<Sync>, Trouble> {
    match on_conflict {
        OnConflict::Reject => sync_row::unfinished(tx, sync.connector_id),
        OnConflict::Queue => sync_row::queued(tx, sync.connector_id),
        OnConflict::Replace => {
            cancel::replace_all(tx, sync.connector_id, sync.created_at)?;
            Ok(None)
        }
    }
}
