//! The settings of a connector that a begun sync keeps, whatever becomes of the connector's.

use inlet_model::policy::ConnectorPolicy;
use inlet_model::secret::{SealedConfig, Secrets};
use inlet_model::stream::StreamSettings;
use inlet_model::{SyncId, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::error::Trouble;
use super::super::row::{Columns, Json, Text};
use crate::catalog::Connector;

#[derive(Serialize, Deserialize)]
struct KeptSettings {
    name: String,
    config: Value,
    #[serde(default)]
    secrets: Secrets,
    streams: Option<Vec<StreamSettings>>,
    #[serde(default)]
    policy: ConnectorPolicy,
    version: u64,
    updated_at_micros: i64,
}

/// Keeps the connector's settings for a sync that begins.
pub(super) fn keep(tx: &Transaction<'_>, id: SyncId, connector: &Connector) -> Result<(), Trouble> {
    let kept = KeptSettings {
        name: connector.name.clone(),
        config: connector.config.open().clone(),
        secrets: connector.config.secrets().clone(),
        streams: connector.streams.clone(),
        policy: connector.policy,
        version: connector.version,
        updated_at_micros: connector.updated_at.as_micros(),
    };
    store(tx, id, &kept)
}

/// The connector with the settings that the sync has kept.
pub(super) fn applied(tx: &Transaction<'_>, id: SyncId, connector: Connector) -> Result<Connector, Trouble> {
    let kept = load(tx, id)?.ok_or(Trouble::Broken("a begun sync keeps its settings"))?;
    Ok(Connector {
        name: kept.name,
        config: SealedConfig::new(kept.config, kept.secrets),
        streams: kept.streams,
        policy: kept.policy,
        version: kept.version,
        updated_at: Timestamp::from_micros(kept.updated_at_micros),
        ..connector
    })
}

/// Replaces the secrets that a begun sync keeps, if they are still those.
pub(in super::super) fn replace_secrets(
    tx: &Transaction<'_>,
    id: SyncId,
    before: &Secrets,
    after: Secrets,
) -> Result<bool, Trouble> {
    let Some(kept) = load(tx, id)?.filter(|kept| kept.secrets == *before) else { return Ok(false) };
    store(tx, id, &KeptSettings { secrets: after, ..kept })?;
    Ok(true)
}

fn store(tx: &Transaction<'_>, id: SyncId, kept: &KeptSettings) -> Result<(), Trouble> {
    tx.prepare_cached("UPDATE syncs SET claimed = ?2 WHERE id = ?1")?
        .execute(params![Text(id), Json(kept)])?;
    Ok(())
}

fn load(tx: &Transaction<'_>, id: SyncId) -> Result<Option<KeptSettings>, Trouble> {
    let mut statement = tx.prepare_cached("SELECT claimed FROM syncs WHERE id = ?1")?;
    let kept: Option<Option<KeptSettings>> =
        statement.query_row([Text(id)], |row| Columns::of(row).optional_json()).optional()?;
    Ok(kept.flatten())
}
