//! The sealed secrets of connectors, of the settings that begun syncs keep, of webhooks, of triggers, and of the server itself.

use async_trait::async_trait;
use inlet_model::secret::{Sealed, SecretOwner, Secrets};
use inlet_model::{ConnectorId, SyncId, WebhookId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::error::Trouble;
use super::row::{Columns, Json, Text};
use super::syncs::kept_settings;
use super::{SqliteCatalog, triggers};
use crate::StoreResult;
use crate::catalog::secrets::MASKING_KEY;
use crate::catalog::{HeldSecrets, SealedSecrets, SecretHolder};

#[async_trait]
impl SealedSecrets for SqliteCatalog {
    async fn secret_list(&self, after: Option<SecretHolder>, limit: usize) -> StoreResult<Vec<HeldSecrets>> {
        self.read_rows("list the secrets", move |db| list(db, after, limit)).await
    }

    async fn secret_replace(&self, changes: Vec<(HeldSecrets, Secrets)>) -> StoreResult<usize> {
        self.write("replace secrets", move |tx| {
            let mut replaced = 0;
            for (before, after) in changes {
                replaced += usize::from(replace(tx, &before, after)?);
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
            tx.prepare_cached("UPDATE identity SET masking_key = ?1")?.execute([Text(&proposed)])?;
            Ok(proposed)
        })
        .await
    }
}

fn list(db: &Connection, after: Option<SecretHolder>, limit: usize) -> Result<Vec<HeldSecrets>, Trouble> {
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
    db: &Connection,
    after: Option<ConnectorId>,
    limit: usize,
) -> Result<Vec<HeldSecrets>, Trouble> {
    let mut statement = db.prepare_cached(
        "SELECT id, secrets FROM connectors WHERE secrets <> '{}' AND id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map(
        params![after.map(|id| id.to_string()).unwrap_or_default(), rows(limit)],
        |row| {
            let mut columns = Columns::of(row);
            let id: ConnectorId = columns.text()?;
            Ok(HeldSecrets {
                holder: SecretHolder::Connector(id),
                owner: id.into(),
                secrets: columns.json()?,
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Only a sync that is active keeps settings.
fn of_syncs(db: &Connection, after: Option<SyncId>, limit: usize) -> Result<Vec<HeldSecrets>, Trouble> {
    let mut statement = db.prepare_cached(
        "SELECT id, connector_id, json_extract(claimed, '$.secrets') FROM syncs
         WHERE status IN ('running', 'waiting', 'needs_approval', 'cancelling')
             AND json_extract(claimed, '$.secrets') <> '{}' AND id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map(
        params![after.map(|id| id.to_string()).unwrap_or_default(), rows(limit)],
        |row| {
            let mut columns = Columns::of(row);
            Ok(HeldSecrets {
                holder: SecretHolder::Sync(columns.text()?),
                owner: columns.text::<ConnectorId>()?.into(),
                secrets: columns.json()?,
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn of_webhooks(db: &Connection, after: Option<WebhookId>, limit: usize) -> Result<Vec<HeldSecrets>, Trouble> {
    let mut statement = db.prepare_cached(
        "SELECT id, secrets FROM webhooks WHERE deleted_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map(
        params![after.map(|id| id.to_string()).unwrap_or_default(), rows(limit)],
        |row| {
            let mut columns = Columns::of(row);
            let id: WebhookId = columns.text()?;
            Ok(HeldSecrets { holder: SecretHolder::Webhook(id), owner: id.into(), secrets: columns.json()? })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn of_server(db: &Connection) -> Result<Option<HeldSecrets>, Trouble> {
    let held = |sealed| HeldSecrets {
        holder: SecretHolder::Server,
        owner: SecretOwner::Server,
        secrets: Secrets::from([(MASKING_KEY.to_owned(), sealed)]),
    };
    Ok(masking_key(db)?.map(held))
}

fn masking_key(db: &Connection) -> Result<Option<Sealed>, Trouble> {
    let mut statement =
        db.prepare_cached("SELECT masking_key FROM identity WHERE masking_key IS NOT NULL")?;
    Ok(statement.query_row([], |row| Columns::of(row).text()).optional()?)
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn replace(tx: &Transaction<'_>, before: &HeldSecrets, after: Secrets) -> Result<bool, Trouble> {
    match before.holder {
        SecretHolder::Connector(id) => {
            let replaced = tx
                .prepare_cached("UPDATE connectors SET secrets = ?3 WHERE id = ?1 AND secrets = ?2")?
                .execute(params![Text(id), Json(&before.secrets), Json(after)])?;
            Ok(replaced == 1)
        }
        SecretHolder::Webhook(id) => {
            let replaced = tx
                .prepare_cached("UPDATE webhooks SET secrets = ?3 WHERE id = ?1 AND secrets = ?2")?
                .execute(params![Text(id), Json(&before.secrets), Json(after)])?;
            Ok(replaced == 1)
        }
        SecretHolder::Sync(id) => kept_settings::replace_secrets(tx, id, &before.secrets, after),
        SecretHolder::Trigger(id) => triggers::replace_secrets(tx, id, &before.secrets, after),
        SecretHolder::Server => {
            let (before, after) = (before.secrets.get(MASKING_KEY), after.get(MASKING_KEY));
            let replaced = tx
                .prepare_cached("UPDATE identity SET masking_key = ?2 WHERE masking_key = ?1")?
                .execute(params![before.map(Text), after.map(Text)])?;
            Ok(replaced == 1)
        }
    }
}
