//! API keys and the hashes of their secrets.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use inlet_model::{KeyId, SpaceId, Timestamp};

use super::audit::Write;
use super::page::Listing;
use super::{SqlCatalog, idempotency, spaces};
use crate::StoreResult;
use crate::catalog::{
    Action, ApiKey, Effect, Idempotent, KEY_SECRETS_MAX, KeyChange, KeyHash, KeyMatch, Keys, Page, PageQuery,
    RotateConflict, Target,
};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlResult, Text, params};

const COLUMNS: &str =
    "k.id, k.name, k.role, k.space_id, k.created_at, k.created_by, k.expires_at, k.last_used_at";

#[async_trait]
impl Keys for SqlCatalog {
    async fn key_by_hash(&self, hash: KeyHash) -> StoreResult<Option<KeyMatch>> {
        self.read_row("find a key", move |db| by_hash(db, hash)).await
    }

    fn key_epoch(&self) -> u64 {
        self.key_epoch.load(Ordering::Acquire)
    }

    async fn key_list(&self, space_id: Option<&SpaceId>, query: PageQuery) -> StoreResult<Page<ApiKey>> {
        let space_id = space_id.cloned();
        self.read_rows("list the keys", move |db| list(db, space_id.as_ref(), query)).await
    }

    async fn key_get(&self, id: KeyId) -> StoreResult<Option<ApiKey>> {
        self.read_row("get a key", move |db| get(db, id)).await
    }

    async fn key_create_first(&self, key: ApiKey, hash: KeyHash) -> StoreResult<bool> {
        self.write("create the first key", move |tx| {
            let any: bool =
                tx.row("SELECT EXISTS (SELECT 1 FROM keys)", params![], |columns| columns.plain())?;
            if !any {
                insert(tx, &key, hash)?;
            }
            Ok(!any)
        })
        .await
    }

    async fn key_create(
        &self,
        key: ApiKey,
        hash: KeyHash,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<()>> {
        self.write("create a key", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || create(tx, &key, hash))
        })
        .await
    }

    async fn key_update(&self, id: KeyId, change: KeyChange) -> StoreResult<Option<ApiKey>> {
        self.write_keys("update a key", move |tx| update(tx, id, change.clone())).await
    }

    async fn key_rotate(
        &self,
        id: KeyId,
        hash: KeyHash,
        old_end_at: Timestamp,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<RotateConflict>> {
        self.write_keys("rotate a key", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || rotate(tx, id, hash, old_end_at, now))
        })
        .await
    }

    async fn key_delete(&self, id: KeyId) -> StoreResult<bool> {
        self.write_keys("delete a key", move |tx| delete(tx, id)).await
    }

    async fn key_used(&self, uses: &[(KeyId, Timestamp)]) -> StoreResult<()> {
        let uses = uses.to_vec();
        self.write("note the uses of keys", move |tx| {
            for (id, at) in &uses {
                tx.execute(
                    "UPDATE keys SET last_used_at = CASE WHEN last_used_at > ?2 THEN last_used_at
                         ELSE ?2 END WHERE id = ?1",
                    params![Text(id), at.as_micros()],
                )?;
            }
            Ok(())
        })
        .await
    }
}

impl SqlCatalog {
    /// Changes something that may decide which keys are found.
    ///
    /// Should the caller go away before it is told, the epoch stays, and what is remembered of keys grows old by itself.
    pub(super) async fn write_keys<T, F>(&self, operation: &'static str, change: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Fn(&Write<'_>) -> Result<T, Trouble> + Send + 'static,
    {
        let outcome = self.write(operation, change).await;
        self.key_epoch.fetch_add(1, Ordering::Release);
        outcome
    }
}

/// Deletes the keys that are bound to a space.
pub(super) fn delete_all_of(tx: &dyn Session, space_id: &SpaceId) -> Result<(), Trouble> {
    tx.execute(
        "DELETE FROM key_secrets WHERE key_id IN (SELECT id FROM keys WHERE space_id = ?1)",
        params![space_id.as_str()],
    )?;
    tx.execute("DELETE FROM keys WHERE space_id = ?1", params![space_id.as_str()])?;
    Ok(())
}

fn by_hash(db: &dyn Session, hash: KeyHash) -> Result<Option<KeyMatch>, Trouble> {
    Ok(db.row_if_any(
        &format!(
            "SELECT {COLUMNS}, s.ends_at FROM key_secrets AS s JOIN keys AS k ON k.id = s.key_id
             WHERE s.hash = ?1"
        ),
        params![hash.0],
        |columns| Ok(KeyMatch { key: key_from(columns)?, secret_ends_at: columns.optional_time()? }),
    )?)
}

fn get(db: &dyn Session, id: KeyId) -> Result<Option<ApiKey>, Trouble> {
    Ok(db.row_if_any(
        &format!("SELECT {COLUMNS} FROM keys AS k WHERE k.id = ?1"),
        params![Text(id)],
        key_from,
    )?)
}

fn list(db: &dyn Session, space_id: Option<&SpaceId>, query: PageQuery) -> Result<Page<ApiKey>, Trouble> {
    let listing = Listing::of(query)
        .prefixed("k.")
        .only_if("k.space_id = ?", space_id.map(|space_id| space_id.as_str().to_owned()));
    let select = format!("SELECT {COLUMNS} FROM keys AS k");
    Ok(listing.read(db, &select, key_from, |key| (key.created_at, key.id.to_string()))?)
}

/// Makes the key; what may be in the way is that its space is not there.
fn create(tx: &Write<'_>, key: &ApiKey, hash: KeyHash) -> Result<Option<()>, Trouble> {
    if let Some(space_id) = &key.space_id
        && spaces::get(tx, space_id)?.is_none()
    {
        return Ok(Some(()));
    }
    insert(tx, key, hash)?;
    tx.audit(Action::KeyCreate, Target::key(key))?;
    Ok(None)
}

fn insert(tx: &dyn Session, key: &ApiKey, hash: KeyHash) -> Result<(), Trouble> {
    tx.execute(
        "INSERT INTO keys (id, name, role, space_id, created_at, created_by, expires_at, last_used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            Text(key.id),
            key.name,
            key.role.as_str(),
            key.space_id.as_ref().map(SpaceId::as_str),
            key.created_at.as_micros(),
            key.created_by.map(Text),
            key.expires_at.map(Timestamp::as_micros),
            key.last_used_at.map(Timestamp::as_micros),
        ],
    )?;
    add_secret(tx, key.id, hash)
}

fn add_secret(tx: &dyn Session, id: KeyId, hash: KeyHash) -> Result<(), Trouble> {
    tx.execute("INSERT INTO key_secrets (hash, key_id) VALUES (?1, ?2)", params![hash.0, Text(id)])?;
    Ok(())
}

fn update(tx: &Write<'_>, id: KeyId, change: KeyChange) -> Result<Option<ApiKey>, Trouble> {
    let Some(stored) = get(tx, id)? else { return Ok(None) };
    let updated = ApiKey {
        name: change.name.unwrap_or_else(|| stored.name.clone()),
        expires_at: change.expires_at.unwrap_or(stored.expires_at),
        ..stored.clone()
    };
    tx.execute(
        "UPDATE keys SET name = ?2, expires_at = ?3 WHERE id = ?1",
        params![Text(id), updated.name, updated.expires_at.map(Timestamp::as_micros),],
    )?;
    let changed =
        [("/name", updated.name != stored.name), ("/expires_at", updated.expires_at != stored.expires_at)];
    let changed = changed.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field.to_owned());
    tx.audit_fields(Action::KeyUpdate, Target::key(&updated), changed.collect())?;
    Ok(Some(updated))
}

fn rotate(
    tx: &Write<'_>,
    id: KeyId,
    hash: KeyHash,
    old_end_at: Timestamp,
    now: Timestamp,
) -> Result<Option<RotateConflict>, Trouble> {
    let Some(key) = get(tx, id)? else { return Ok(Some(RotateConflict::Absent)) };
    let still_valid: u32 = tx.row(
        "SELECT count(*) FROM key_secrets WHERE key_id = ?1 AND CASE WHEN ends_at < ?2 THEN ends_at
             ELSE ?2 END > ?3",
        params![Text(id), old_end_at.as_micros(), now.as_micros()],
        |columns| columns.plain(),
    )?;
    if still_valid >= KEY_SECRETS_MAX {
        return Ok(Some(RotateConflict::TooManySecrets));
    }
    tx.execute(
        "UPDATE key_secrets SET ends_at = CASE WHEN ends_at < ?2 THEN ends_at ELSE ?2 END WHERE key_id = ?1",
        params![Text(id), old_end_at.as_micros()],
    )?;
    tx.execute(
        "DELETE FROM key_secrets WHERE key_id = ?1 AND ends_at <= ?2",
        params![Text(id), now.as_micros()],
    )?;
    add_secret(tx, id, hash)?;
    tx.audit(Action::KeyRotate, Target::key(&key))?;
    Ok(None)
}

fn delete(tx: &Write<'_>, id: KeyId) -> Result<bool, Trouble> {
    let Some(key) = get(tx, id)? else { return Ok(false) };
    tx.execute("DELETE FROM key_secrets WHERE key_id = ?1", params![Text(id)])?;
    tx.execute("DELETE FROM keys WHERE id = ?1", params![Text(id)])?;
    tx.audit(Action::KeyDelete, Target::key(&key))?;
    Ok(true)
}

fn key_from(columns: &mut Columns<'_>) -> SqlResult<ApiKey> {
    Ok(ApiKey {
        id: columns.text()?,
        name: columns.plain()?,
        role: columns.text()?,
        space_id: columns.optional_text()?,
        created_at: columns.time()?,
        created_by: columns.optional_text()?,
        expires_at: columns.optional_time()?,
        last_used_at: columns.optional_time()?,
    })
}
