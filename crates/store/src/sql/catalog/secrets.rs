//! The sealed secrets of connectors, of the settings that begun syncs keep, of webhooks, of triggers, and of the server itself.

use async_trait::async_trait;
use inlet_model::secret::{Sealed, SecretOwner, Secrets};
use inlet_model::{ConnectorId, SyncId, WebhookId};

use super::syncs::kept_settings;
use super::{SqlCatalog, triggers};
use crate::StoreResult;
use crate::catalog::secrets::MASKING_KEY;
use crate::catalog::{HeldSecrets, SealedSecrets, SecretHolder};
use crate::sql::catalog::Trouble;
use crate::sql::{Dialect, Json, Session, Text, params};

#[async_trait]
impl SealedSecrets for SqlCatalog {
    async fn secret_list(&self, after: Option<SecretHolder>, limit: usize) -> StoreResult<Vec<HeldSecrets>> {
        self.read_rows("list the secrets", move |db| list(db, after, limit)).await
    }

    async fn secret_replace(&self, changes: Vec<(HeldSecrets, Secrets)>) -> StoreResult<usize> {
        self.write("replace secrets", move |tx| {
            let mut replaced = 0;
            for (before, after) in &changes {
                replaced += usize::from(replace(tx, before, after.clone())?);
            }
            Ok(replaced)
        })
        .await
    }

    async fn masking_key(&self) -> StoreResult<Option<Sealed>> {
        self.read_row("read the masking key", masking_key).await
    }

    async fn masking_key_keep(&self, proposed: Sealed) -> StoreResult<Sealed> {
        self.write("keep the masking key", move |tx| {
            if let Some(kept) = masking_key(tx)? {
                return Ok(kept);
            }
            tx.execute("UPDATE identity SET masking_key = ?1", params![Text(&proposed)])?;
            Ok(proposed.clone())
        })
        .await
    }
}

fn list(db: &dyn Session, after: Option<SecretHolder>, limit: usize) -> Result<Vec<HeldSecrets>, Trouble> {
    let mut held = match after {
        None => of_connectors(db, None, limit)?,
        Some(SecretHolder::Connector(id)) => of_connectors(db, Some(id), limit)?,
        Some(SecretHolder::Sync(id)) => of_syncs(db, Some(id), limit)?,
        Some(SecretHolder::Webhook(id)) => of_webhooks(db, Some(id), limit)?,
        Some(SecretHolder::Trigger(id)) => triggers::held(db, Some(id), rows(limit))?,
        Some(SecretHolder::Server) => return Ok(Vec::new()),
    };
    if matches!(after, None | Some(SecretHolder::Connector(_))) {
        held.extend(of_syncs(db, None, limit - held.len())?);
    }
    if !matches!(after, Some(SecretHolder::Webhook(_) | SecretHolder::Trigger(_))) {
        held.extend(of_webhooks(db, None, limit - held.len())?);
    }
    if !matches!(after, Some(SecretHolder::Trigger(_))) {
        held.extend(triggers::held(db, None, rows(limit - held.len()))?);
    }
    if held.len() < limit {
        held.extend(of_server(db)?);
    }
    Ok(held)
}

fn of_connectors(
    db: &dyn Session,
    after: Option<ConnectorId>,
    limit: usize,
) -> Result<Vec<HeldSecrets>, Trouble> {
    let rows = db.rows(
        "SELECT id, secrets FROM connectors WHERE secrets <> '{}' AND id > ?1 ORDER BY id LIMIT ?2",
        params![after.map(|id| id.to_string()).unwrap_or_default(), rows(limit)],
        |columns| {
            let id: ConnectorId = columns.text()?;
            Ok(HeldSecrets {
                holder: SecretHolder::Connector(id),
                owner: id.into(),
                secrets: columns.json()?,
            })
        },
    )?;
    Ok(rows)
}

/// Only a sync that is active keeps settings.
fn of_syncs(db: &dyn Session, after: Option<SyncId>, limit: usize) -> Result<Vec<HeldSecrets>, Trouble> {
    let secrets = match db.dialect() {
        Dialect::Sqlite => "json_extract(claimed, '$.secrets')",
        Dialect::Postgres => "(claimed::json -> 'secrets')::text",
    };
    Ok(db.rows(
        &format!(
            "SELECT id, connector_id, {secrets} FROM syncs
             WHERE status IN ('running', 'waiting', 'needs_approval', 'cancelling')
                 AND {secrets} <> '{{}}' AND id > ?1 ORDER BY id LIMIT ?2"
        ),
        params![after.map(|id| id.to_string()).unwrap_or_default(), rows(limit)],
        |columns| {
            Ok(HeldSecrets {
                holder: SecretHolder::Sync(columns.text()?),
                owner: columns.text::<ConnectorId>()?.into(),
                secrets: columns.json()?,
            })
        },
    )?)
}

fn of_webhooks(
    db: &dyn Session,
    after: Option<WebhookId>,
    limit: usize,
) -> Result<Vec<HeldSecrets>, Trouble> {
    let rows = db.rows(
        "SELECT id, secrets FROM webhooks WHERE deleted_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2",
        params![after.map(|id| id.to_string()).unwrap_or_default(), rows(limit)],
        |columns| {
            let id: WebhookId = columns.text()?;
            Ok(HeldSecrets { holder: SecretHolder::Webhook(id), owner: id.into(), secrets: columns.json()? })
        },
    )?;
    Ok(rows)
}

fn of_server(db: &dyn Session) -> Result<Option<HeldSecrets>, Trouble> {
    let held = |sealed| HeldSecrets {
        holder: SecretHolder::Server,
        owner: SecretOwner::Server,
        secrets: Secrets::from([(MASKING_KEY.to_owned(), sealed)]),
    };
    Ok(masking_key(db)?.map(held))
}

fn masking_key(db: &dyn Session) -> Result<Option<Sealed>, Trouble> {
    Ok(db.row_if_any(
        "SELECT masking_key FROM identity WHERE masking_key IS NOT NULL",
        params![],
        |columns| columns.text(),
    )?)
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn replace(tx: &dyn Session, before: &HeldSecrets, after: Secrets) -> Result<bool, Trouble> {
    match before.holder {
        SecretHolder::Connector(id) => {
            let replaced = tx.execute(
                "UPDATE connectors SET secrets = ?3 WHERE id = ?1 AND secrets = ?2",
                params![Text(id), Json(&before.secrets), Json(after)],
            )?;
            Ok(replaced == 1)
        }
        SecretHolder::Webhook(id) => {
            let replaced = tx.execute(
                "UPDATE webhooks SET secrets = ?3 WHERE id = ?1 AND secrets = ?2",
                params![Text(id), Json(&before.secrets), Json(after)],
            )?;
            Ok(replaced == 1)
        }
        SecretHolder::Sync(id) => kept_settings::replace_secrets(tx, id, &before.secrets, after),
        SecretHolder::Trigger(id) => triggers::replace_secrets(tx, id, &before.secrets, after),
        SecretHolder::Server => {
            let (before, after) = (before.secrets.get(MASKING_KEY), after.get(MASKING_KEY));
            let replaced = tx.execute(
                "UPDATE identity SET masking_key = ?2 WHERE masking_key = ?1",
                params![before.map(Text), after.map(Text)],
            )?;
            Ok(replaced == 1)
        }
    }
}
