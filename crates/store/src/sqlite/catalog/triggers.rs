//! Connectors that are triggered by signed messages.

use async_trait::async_trait;
use inlet_model::secret::Secrets;
use inlet_model::{ConnectorId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::audit::Write;
use super::error::Trouble;
use super::row::{Columns, Json, Text};
use super::webhooks::row::secrets_of;
use super::{SqliteCatalog, connectors, idempotency};
use crate::StoreResult;
use crate::catalog::{
    Action, Connector, Effect, HeldSecrets, Idempotent, SecretHolder, Target, Trigger, Triggers,
    WebhookSecret, WebhookSecrets,
};

#[async_trait]
impl Triggers for SqliteCatalog {
    async fn trigger_get(&self, connector_id: ConnectorId) -> StoreResult<Option<Trigger>> {
        self.read_row("get a trigger", |db| {
            let Some(secrets) = secrets(db, connector_id)? else { return Ok(None) };
            let connector = connectors::get(db, connector_id)?;
            Ok(connector.map(|connector| Trigger { connector, secrets }))
        })
        .await
    }

    async fn trigger_set(
        &self,
        connector: &Connector,
        secret: WebhookSecret,
        old_ends_at: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<()>> {
        let connector = connector.clone();
        self.write("set a trigger", move |tx| {
            idempotency::once(tx, idempotent, || set(tx, &connector, secret, old_ends_at))
        })
        .await
    }

    async fn trigger_delete(&self, connector: &Connector) -> StoreResult<bool> {
        let connector = connector.clone();
        self.write("delete a trigger", move |tx| {
            let had_one = forget(tx, connector.id)?;
            if had_one {
                tx.audit(Action::TriggerDelete, target(&connector))?;
            }
            Ok(had_one)
        })
        .await
    }
}

fn set(
    tx: &Write<'_>,
    connector: &Connector,
    secret: WebhookSecret,
    old_ends_at: Timestamp,
) -> Result<Option<()>, Trouble> {
    let found = connectors::get(tx, connector.id)?;
    if found.is_none_or(|found| found.collection_id != connector.collection_id) {
        return Ok(Some(()));
    }
    let previous = secrets(tx, connector.id)?.map(|before| (before.current, old_ends_at));
    let secrets = WebhookSecrets { current: secret, previous };
    tx.prepare_cached(
        "INSERT OR REPLACE INTO triggers (connector_id, secrets, current_secret, previous_secret_ends_at)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        Text(connector.id),
        Json(secrets.by_place()),
        secrets.current.pointer,
        secrets.previous.map(|(_, ends_at)| ends_at.as_micros()),
    ])?;
    tx.audit(Action::TriggerSet, target(connector))?;
    Ok(None)
}

fn secrets(db: &Connection, connector_id: ConnectorId) -> Result<Option<WebhookSecrets>, Trouble> {
    let mut statement = db.prepare_cached(
        "SELECT secrets, current_secret, previous_secret_ends_at FROM triggers WHERE connector_id = ?1",
    )?;
    let found = statement.query_row([Text(connector_id)], |row| {
        let mut columns = Columns::of(row);
        secrets_of(columns.json()?, columns.plain()?, columns.optional_time()?)
    });
    Ok(found.optional()?)
}

/// Forgets the trigger of a connector; whether it had one.
pub(super) fn forget(tx: &Transaction<'_>, connector_id: ConnectorId) -> Result<bool, Trouble> {
    let forgotten =
        tx.prepare_cached("DELETE FROM triggers WHERE connector_id = ?1")?.execute([Text(connector_id)])?;
    Ok(forgotten == 1)
}

/// Those who have secrets, in the order of their ids.
pub(super) fn held(
    db: &Connection,
    after: Option<ConnectorId>,
    limit: i64,
) -> Result<Vec<HeldSecrets>, Trouble> {
    let mut statement = db.prepare_cached(
        "SELECT connector_id, secrets FROM triggers WHERE connector_id > ?1 ORDER BY connector_id LIMIT ?2",
    )?;
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = statement.query_map(params![after, limit], |row| {
        let mut columns = Columns::of(row);
        let id: ConnectorId = columns.text()?;
        Ok(HeldSecrets { holder: SecretHolder::Trigger(id), owner: id.into(), secrets: columns.json()? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Gives a trigger that still has these secrets others; whether it had.
pub(super) fn replace_secrets(
    tx: &Transaction<'_>,
    connector_id: ConnectorId,
    before: &Secrets,
    after: Secrets,
) -> Result<bool, Trouble> {
    let replaced = tx
        .prepare_cached("UPDATE triggers SET secrets = ?3 WHERE connector_id = ?1 AND secrets = ?2")?
        .execute(params![Text(connector_id), Json(before), Json(after)])?;
    Ok(replaced == 1)
}

fn target(connector: &Connector) -> Target {
    Target::connector(&connector.space_id, &connector.collection_id, connector.id)
}
