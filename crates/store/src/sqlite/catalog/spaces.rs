//! Spaces.

use async_trait::async_trait;
use inlet_model::{SpaceId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit::Write;
use super::error::Trouble;
use super::page::Keyset;
use super::row::Columns;
use super::{SqliteCatalog, deletes, idempotency};
use crate::StoreResult;
use crate::catalog::{Action, DeleteEffect, Effect, Idempotent, Page, PageQuery, Space, Spaces, Target};

#[async_trait]
impl Spaces for SqliteCatalog {
    async fn space_list(&self, query: PageQuery) -> StoreResult<Page<Space>> {
        self.read_rows("list the spaces", move |db| list(db, query)).await
    }

    async fn space_get(&self, id: &SpaceId) -> StoreResult<Option<Space>> {
        self.read_row("get a space", |db| get(db, id)).await
    }

    async fn space_create(&self, space: Space, idempotent: Option<Idempotent>) -> StoreResult<Effect<Space>> {
        self.write("create a space", move |tx| idempotency::once(tx, idempotent, || create(tx, &space))).await
    }

    async fn space_delete(&self, id: &SpaceId, cascade: bool, now: Timestamp) -> StoreResult<DeleteEffect> {
        let id = id.clone();
        self.write_keys("delete a space", move |tx| {
            let effect = deletes::space(tx, &id, cascade, now)?;
            if effect == DeleteEffect::Deleted {
                tx.audit(Action::SpaceDelete, Target::space(&id))?;
            }
            Ok(effect)
        })
        .await
    }
}

pub(super) fn get(db: &Connection, id: &SpaceId) -> Result<Option<Space>, Trouble> {
    let mut statement =
        db.prepare_cached("SELECT id, name, created_at, updated_at FROM spaces WHERE id = ?1")?;
    Ok(statement.query_row([id.as_str()], space_from).optional()?)
}

fn list(db: &Connection, query: PageQuery) -> Result<Page<Space>, Trouble> {
    let keyset = Keyset::of(query);
    let mut statement = db.prepare_cached(
        "SELECT id, name, created_at, updated_at FROM spaces WHERE (created_at, id) < (?1, ?2)
         ORDER BY created_at DESC, id DESC LIMIT ?3",
    )?;
    let rows = statement.query_map(params![keyset.created_at(), keyset.id(), keyset.rows()], space_from)?;
    Ok(keyset.page(rows, |space| (space.created_at, space.id.to_string()))?)
}

/// Makes the space, or finds the one that has its id.
fn create(tx: &Write<'_>, space: &Space) -> Result<Option<Space>, Trouble> {
    if let Some(taken) = get(tx, &space.id)? {
        return Ok(Some(taken));
    }
    tx.prepare_cached("INSERT INTO spaces (id, name, created_at, updated_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            space.id.as_str(),
            space.name,
            space.created_at.as_micros(),
            space.updated_at.as_micros(),
        ])?;
    tx.audit(Action::SpaceCreate, Target::space(&space.id))?;
    Ok(None)
}

fn space_from(row: &Row<'_>) -> rusqlite::Result<Space> {
    let mut columns = Columns::of(row);
    Ok(Space {
        id: columns.text()?,
        name: columns.plain()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}
