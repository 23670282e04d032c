//! The settings of a connector that a begun sync keeps, whatever becomes of the connector's.

use inlet_model::policy::ConnectorPolicy;
use inlet_model::secret::{SealedConfig, Secrets};
use inlet_model::stream::StreamSettings;
use inlet_model::{SyncId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::Connector;
use crate::sql::catalog::Trouble;
use crate::sql::{Json, Session, Text, params};

/// As they are stored.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptSettings {
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

impl KeptSettings {
    /// What a sync of the connector that begins now keeps.
    pub(super) fn of(connector: &Connector) -> Self {
        Self {
            name: connector.name.clone(),
            config: connector.config.open().clone(),
            secrets: connector.config.secrets().clone(),
            streams: connector.streams.clone(),
            policy: connector.policy,
            version: connector.version,
            updated_at_micros: connector.updated_at.as_micros(),
        }
    }
}

/// The connector with the settings that the sync has kept.
pub(super) fn applied(tx: &dyn Session, id: SyncId, connector: Connector) -> Result<Connector, Trouble> {
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
    tx: &dyn Session,
    id: SyncId,
    before: &Secrets,
    after: Secrets,
) -> Result<bool, Trouble> {
    let Some(kept) = load(tx, id)?.filter(|kept| kept.secrets == *before) else { return Ok(false) };
    store(tx, id, &KeptSettings { secrets: after, ..kept })?;
    Ok(true)
}

fn store(tx: &dyn Session, id: SyncId, kept: &KeptSettings) -> Result<(), Trouble> {
    tx.execute("UPDATE syncs SET claimed = ?2 WHERE id = ?1", params![Text(id), Json(kept)])?;
    Ok(())
}

fn load(tx: &dyn Session, id: SyncId) -> Result<Option<KeptSettings>, Trouble> {
    let kept: Option<Option<KeptSettings>> =
        tx.row_if_any("SELECT claimed FROM syncs WHERE id = ?1", params![Text(id)], |columns| {
            columns.optional_json()
        })?;
    Ok(kept.flatten())
}
