//! Deletes: what goes with a space, a collection, a connector.
//!
//! A deleted connector is hidden at once, and its config forgotten. Its row and those of its syncs stay for a day, and as
//! long as a sync of it has not ended, so that whoever watches that sync sees how it ends; then they go in passing.

use std::time::Duration;

use inlet_model::sync::SyncStatus;
use inlet_model::{CollectionId, ConnectorId, SpaceId, Timestamp};

use super::{collections, keys, purges, spaces, syncs, tasks, triggers, webhooks};
use crate::catalog::{Connector, DeleteEffect, DeletedConnector, Remains, Sync, TaskKind};
use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// How long the rows of a deleted connector are kept at least.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Syncs of deleted connectors that one write removes at most.
const FORGOTTEN_PER_WRITE: u32 = 200;

/// Deletes a space with its webhooks and the keys bound to it; with `cascade` all it holds.
pub(super) fn space(
    tx: &dyn Session,
    id: &SpaceId,
    cascade: bool,
    now: Timestamp,
) -> Result<DeleteEffect, Trouble> {
    if spaces::get(tx, id)?.is_none() {
        return Ok(DeleteEffect::Absent);
    }
    let held = collections_of(tx, id)?;
    if !held.is_empty() && !cascade {
        return Ok(DeleteEffect::NotEmpty);
    }
    for collection_id in held {
        collection(tx, id, &collection_id, true, false, now)?;
    }
    keys::delete_all_of(tx, id)?;
    webhooks::hide_all_of_space(tx, id, now)?;
    tx.execute("DELETE FROM spaces WHERE id = ?1", params![id.as_str()])?;
    Ok(DeleteEffect::Deleted)
}

/// Deletes a collection; with `cascade` also if it has connectors or records.
pub(super) fn collection(
    tx: &dyn Session,
    space_id: &SpaceId,
    id: &CollectionId,
    cascade: bool,
    has_records: bool,
    now: Timestamp,
) -> Result<DeleteEffect, Trouble> {
    let Some(collection) = collections::get(tx, space_id, id)? else {
        return Ok(DeleteEffect::Absent);
    };
    let held = connectors_of(tx, space_id, id)?;
    if !cascade && (has_records || !held.is_empty()) {
        return Ok(DeleteEffect::NotEmpty);
    }
    held.into_iter().try_for_each(|connector_id| hide(tx, connector_id, now).map(|_| ()))?;
    webhooks::hide_all_of_collection(tx, space_id, id, now)?;
    tx.execute(
        "DELETE FROM collections WHERE space_id = ?1 AND id = ?2",
        params![space_id.as_str(), id.as_str()],
    )?;
    tasks::drop_all_of(tx, collection.store_id)?;
    purges::drop_all_of(tx, collection.store_id)?;
    syncs::drop_discards_of(tx, collection.store_id)?;
    tasks::queue(tx, TaskKind::RemoveStore { store_id: collection.store_id })?;
    forget_some(tx, now)?;
    Ok(DeleteEffect::Deleted)
}

/// Hides a connector that is there, wants its syncs cancelled and queues closing it in its store, and the purge of its
/// records if they are not to stay.
pub(super) fn connector(
    tx: &dyn Session,
    connector: &Connector,
    remains: Remains,
    now: Timestamp,
) -> Result<DeletedConnector, Trouble> {
    let syncs = hide(tx, connector.id, now)?;
    forget_some(tx, now)?;
    if remains == Remains::Purged {
        purges::queue_one(tx, connector.store_id, connector.id, None)?;
    }
    let (store_id, connector_id) = (connector.store_id, connector.id);
    let task = tasks::queue(tx, TaskKind::CloseConnector { store_id, connector_id })?;
    let id_of = |status| syncs.iter().find(|sync| sync.status == status).map(|sync| sync.id);
    let (cancelling, cancelled) = (id_of(SyncStatus::Cancelling), id_of(SyncStatus::Cancelled));
    Ok(DeletedConnector { task, cancelling, cancelled })
}

/// Hides a connector with its webhooks, cancels what it has not ended, and forgets its settings, which may hold secrets. Gives
/// what it had not ended.
fn hide(tx: &dyn Session, id: ConnectorId, now: Timestamp) -> Result<Vec<Sync>, Trouble> {
    let unfinished = syncs::want_cancelled_of(tx, id, now)?;
    // Only a sync that is active keeps settings.
    tx.execute(
        "UPDATE syncs SET claimed = NULL WHERE connector_id = ?1
         AND status IN ('running', 'waiting', 'needs_approval', 'cancelling')",
        params![Text(id)],
    )?;
    tx.execute(
        "UPDATE connectors SET deleted_at = ?2, config = '{}', secrets = '{}', streams = NULL,
                               next_sync_at = NULL, follows = NULL, notice = NULL WHERE id = ?1",
        params![Text(id), now.as_micros()],
    )?;
    webhooks::hide_all_of_connector(tx, id, now)?;
    triggers::forget(tx, id)?;
    Ok(unfinished)
}

/// Removes some of what is left of connectors that were deleted long ago.
pub(super) fn forget_some(tx: &dyn Session, now: Timestamp) -> Result<(), Trouble> {
    let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
    let before = now.as_micros().saturating_sub(kept);
    let Some(id) = tx.row_if_any(
        "SELECT id FROM connectors WHERE deleted_at IS NOT NULL AND deleted_at < ?1
         AND NOT EXISTS (SELECT 1 FROM syncs WHERE connector_id = connectors.id AND status = 'queued')
         AND NOT EXISTS (SELECT 1 FROM syncs WHERE connector_id = connectors.id
                         AND status IN ('running', 'waiting', 'needs_approval', 'cancelling'))
         ORDER BY deleted_at LIMIT 1",
        params![before],
        |columns| columns.plain::<String>(),
    )?
    else {
        return Ok(());
    };
    let removed = tx.execute(
        "DELETE FROM syncs WHERE id IN
             (SELECT id FROM syncs WHERE connector_id = ?1 ORDER BY created_at LIMIT ?2)",
        params![id, FORGOTTEN_PER_WRITE],
    )?;
    if removed < FORGOTTEN_PER_WRITE as usize {
        tx.execute("DELETE FROM connectors WHERE id = ?1", params![id])?;
    }
    Ok(())
}

fn collections_of(tx: &dyn Session, space_id: &SpaceId) -> Result<Vec<CollectionId>, Trouble> {
    let rows =
        tx.rows("SELECT id FROM collections WHERE space_id = ?1", params![space_id.as_str()], |columns| {
            columns.text()
        })?;
    Ok(rows)
}

fn connectors_of(
    tx: &dyn Session,
    space_id: &SpaceId,
    id: &CollectionId,
) -> Result<Vec<ConnectorId>, Trouble> {
    Ok(tx.rows(
        "SELECT id FROM connectors WHERE space_id = ?1 AND collection_id = ?2 AND deleted_at IS NULL",
        params![space_id.as_str(), id.as_str()],
        |columns| columns.text(),
    )?)
}
