//! Connectors that are triggered by signed messages.

use async_trait::async_trait;
use inlet_model::secret::Secrets;
use inlet_model::{ConnectorId, Timestamp};

use super::audit::Write;
use super::webhooks::row::secrets_of;
use super::{SqlCatalog, connectors, idempotency};
use crate::StoreResult;
use crate::catalog::{
    Action, Connector, Effect, HeldSecrets, Idempotent, SecretHolder, Target, Trigger, Triggers,
    WebhookSecret, WebhookSecrets,
};
use crate::sql::catalog::Trouble;
use crate::sql::{Json, Session, Text, params};

#[async_trait]
impl Triggers for SqlCatalog {
    async fn trigger_get(&self, connector_id: ConnectorId) -> StoreResult<Option<Trigger>> {
        self.read_row("get a trigger", move |db| {
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
            idempotency::once(tx, idempotent.as_ref(), || set(tx, &connector, secret.clone(), old_ends_at))
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
    tx.execute(
        "INSERT INTO triggers (connector_id, secrets, current_secret, previous_secret_ends_at)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (connector_id) DO UPDATE SET secrets = excluded.secrets,
             current_secret = excluded.current_secret,
             previous_secret_ends_at = excluded.previous_secret_ends_at",
        params![
            Text(connector.id),
            Json(secrets.by_place()),
            secrets.current.pointer,
            secrets.previous.map(|(_, ends_at)| ends_at.as_micros()),
        ],
    )?;
    tx.audit(Action::TriggerSet, target(connector))?;
    Ok(None)
}

fn secrets(db: &dyn Session, connector_id: ConnectorId) -> Result<Option<WebhookSecrets>, Trouble> {
    Ok(db.row_if_any(
        "SELECT secrets, current_secret, previous_secret_ends_at FROM triggers WHERE connector_id = ?1",
        params![Text(connector_id)],
        |columns| secrets_of(columns.json()?, columns.plain()?, columns.optional_time()?),
    )?)
}

/// Forgets the trigger of a connector; whether it had one.
pub(super) fn forget(tx: &dyn Session, connector_id: ConnectorId) -> Result<bool, Trouble> {
    let forgotten =
        tx.execute("DELETE FROM triggers WHERE connector_id = ?1", params![Text(connector_id)])?;
    Ok(forgotten == 1)
}

/// Those who have secrets, in the order of their ids.
pub(super) fn held(
    db: &dyn Session,
    after: Option<ConnectorId>,
    limit: i64,
) -> Result<Vec<HeldSecrets>, Trouble> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = db.rows(
        "SELECT connector_id, secrets FROM triggers WHERE connector_id > ?1 ORDER BY connector_id LIMIT ?2",
        params![after, limit],
        |columns| {
            let id: ConnectorId = columns.text()?;
            Ok(HeldSecrets { holder: SecretHolder::Trigger(id), owner: id.into(), secrets: columns.json()? })
        },
    )?;
    Ok(rows)
}

/// Gives a trigger that still has these secrets others; whether it had.
pub(super) fn replace_secrets(
    tx: &dyn Session,
    connector_id: ConnectorId,
    before: &Secrets,
    after: Secrets,
) -> Result<bool, Trouble> {
    let replaced = tx.execute(
        "UPDATE triggers SET secrets = ?3 WHERE connector_id = ?1 AND secrets = ?2",
        params![Text(connector_id), Json(before), Json(after)],
    )?;
    Ok(replaced == 1)
}

fn target(connector: &Connector) -> Target {
    Target::connector(&connector.space_id, &connector.collection_id, connector.id)
}
