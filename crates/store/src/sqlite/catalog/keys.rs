//! API keys.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};

use super::SqliteCatalog;
use super::row::{Columns, Text};
use crate::StoreResult;
use crate::catalog::{ApiKey, KeyHash, Keys};

#[async_trait]
impl Keys for SqliteCatalog {
    async fn key_by_hash(&self, hash: KeyHash) -> StoreResult<Option<ApiKey>> {
        self.read_row("find a key", |db| {
            let mut statement =
                db.prepare_cached("SELECT id, name, hash, created_at FROM keys WHERE hash = ?1")?;
            Ok(statement.query_row([hash.0], key_from).optional()?)
        })
        .await
    }

    async fn key_create_first(&self, key: ApiKey) -> StoreResult<bool> {
        self.write("create the first key", move |tx| {
            let made = tx.execute(
                "INSERT INTO keys (id, name, hash, created_at)
                 SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM keys)",
                params![Text(key.id), key.name, key.hash.0, key.created_at.as_micros()],
            )?;
            Ok(made == 1)
        })
        .await
    }
}

fn key_from(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let mut columns = Columns::of(row);
    Ok(ApiKey {
        id: columns.text()?,
        name: columns.plain()?,
        hash: KeyHash(columns.plain()?),
        created_at: columns.time()?,
    })
}
