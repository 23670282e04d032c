//! Giving syncs to a worker.

use inlet_model::secret::{SealedConfig, Secrets};
use inlet_model::stream::StreamSettings;
use inlet_model::sync::SyncStatus;
use inlet_model::{ConnectorId, SyncId, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::connectors;
use super::super::error::Trouble;
use super::super::row::{Columns, Json, Text};
use super::sync_row;
use crate::catalog::{Claim, Connector, Sync};
use crate::collection::Fence;

/// The settings of a connector that a begun sync keeps, whatever becomes of the connector's.
#[derive(Serialize, Deserialize)]
struct KeptSettings {
    name: String,
    config: Value,
    #[serde(default)]
    secrets: Secrets,
    streams: Option<Vec<StreamSettings>>,
    version: u64,
    updated_at_micros: i64,
}

/// Begins the sync that was queued first among those whose connector is free.
pub(super) fn claim(tx: &Transaction<'_>, now: Timestamp) -> Result<Option<Claim>, Trouble> {
    let next = sync_row::one(
        tx,
        "WHERE s.status = 'queued' AND c.status = 'active' AND NOT EXISTS (
             SELECT 1 FROM syncs AS a WHERE a.connector_id = s.connector_id
                 AND a.status IN ('running', 'waiting', 'needs_approval', 'cancelling'))
             AND NOT EXISTS (SELECT 1 FROM purges AS p WHERE p.connector_id = s.connector_id)
         ORDER BY s.created_at, s.id LIMIT 1",
        [],
    )?;
    let Some(mut sync) = next else { return Ok(None) };
    sync.status = sync.status.move_to(SyncStatus::Running)?;
    sync.attempt = 1;
    sync.started_at = Some(now);
    sync_row::save(tx, &sync)?;
    let fence = next_fence(tx, sync.connector_id)?;
    let connector = connectors::get(tx, sync.connector_id)?;
    if let Some(connector) = &connector {
        keep_settings(tx, sync.id, connector)?;
    }
    Ok(Some(Claim { sync, connector, fence }))
}

/// Claims again what a process that ended had claimed.
pub(super) fn take_over(tx: &Transaction<'_>) -> Result<Vec<Claim>, Trouble> {
    // The first condition is the index's, the second is what is meant.
    let held = sync_row::all(
        tx,
        "WHERE s.status IN ('running', 'waiting', 'needs_approval', 'cancelling')
             AND s.status IN ('running', 'cancelling') ORDER BY s.created_at, s.id",
        [],
    )?;
    held.into_iter().map(|sync| take_over_one(tx, sync)).collect()
}

fn take_over_one(tx: &Transaction<'_>, mut sync: Sync) -> Result<Claim, Trouble> {
    if sync.status == SyncStatus::Running {
        sync.attempt += 1;
        sync_row::save(tx, &sync)?;
    }
    let fence = next_fence(tx, sync.connector_id)?;
    let connector = match connectors::get(tx, sync.connector_id)? {
        Some(connector) => Some(with_kept_settings(tx, sync.id, connector)?),
        None => None,
    };
    Ok(Claim { sync, connector, fence })
}

fn next_fence(tx: &Transaction<'_>, connector_id: ConnectorId) -> Result<Fence, Trouble> {
    let mut statement =
        tx.prepare_cached("UPDATE connectors SET fence = fence + 1 WHERE id = ?1 RETURNING fence")?;
    let fence = statement.query_row([Text(connector_id)], |row| Columns::of(row).unsigned())?;
    Ok(Fence(fence))
}

fn keep_settings(tx: &Transaction<'_>, id: SyncId, connector: &Connector) -> Result<(), Trouble> {
    let kept = KeptSettings {
        name: connector.name.clone(),
        config: connector.config.open().clone(),
        secrets: connector.config.secrets().clone(),
        streams: connector.streams.clone(),
        version: connector.version,
        updated_at_micros: connector.updated_at.as_micros(),
    };
    tx.prepare_cached("UPDATE syncs SET claimed = ?2 WHERE id = ?1")?
        .execute(params![Text(id), Json(kept)])?;
    Ok(())
}

/// Replaces the secrets that a begun sync keeps, if they are still those.
pub(in super::super) fn replace_kept_secrets(
    tx: &Transaction<'_>,
    id: SyncId,
    before: &Secrets,
    after: Secrets,
) -> Result<bool, Trouble> {
    let mut statement = tx.prepare_cached("SELECT claimed FROM syncs WHERE id = ?1")?;
    let kept: Option<Option<KeptSettings>> =
        statement.query_row([Text(id)], |row| Columns::of(row).optional_json()).optional()?;
    let Some(kept) = kept.flatten().filter(|kept| kept.secrets == *before) else { return Ok(false) };
    tx.prepare_cached("UPDATE syncs SET claimed = ?2 WHERE id = ?1")?
        .execute(params![Text(id), Json(KeptSettings { secrets: after, ..kept })])?;
    Ok(true)
}

fn with_kept_settings(tx: &Transaction<'_>, id: SyncId, connector: Connector) -> Result<Connector, Trouble> {
    let mut statement = tx.prepare_cached("SELECT claimed FROM syncs WHERE id = ?1")?;
    let kept: Option<KeptSettings> =
        statement.query_row([Text(id)], |row| Columns::of(row).optional_json())?;
    let kept = kept.ok_or(Trouble::Broken("a begun sync keeps its settings"))?;
    Ok(Connector {
        name: kept.name,
        config: SealedConfig::new(kept.config, kept.secrets),
        streams: kept.streams,
        version: kept.version,
        updated_at: Timestamp::from_micros(kept.updated_at_micros),
        ..connector
    })
}
