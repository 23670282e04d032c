//! Spaces.

use async_trait::async_trait;
use inlet_model::{SpaceId, Timestamp};

use super::audit::Write;
use super::page::Listing;
use super::{SqlCatalog, deletes, idempotency};
use crate::StoreResult;
use crate::catalog::{
    Action, DeleteEffect, Effect, Idempotent, NameFilter, Page, PageQuery, Space, Spaces, Target,
};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlResult, params};

pub(crate) const SELECT: &str = "SELECT id, name, created_at, updated_at FROM spaces";

#[async_trait]
impl Spaces for SqlCatalog {
    async fn space_list(&self, filter: NameFilter, query: PageQuery) -> StoreResult<Page<Space>> {
        self.read_rows("list the spaces", move |db| {
            let place = |space: &Space| (space.created_at, space.id.to_string());
            Ok(listing(filter, query).read(db, SELECT, space_from, place)?)
        })
        .await
    }

    async fn space_get(&self, id: &SpaceId) -> StoreResult<Option<Space>> {
        let id = id.clone();
        self.read_row("get a space", move |db| get(db, &id)).await
    }

    async fn space_create(&self, space: Space, idempotent: Option<Idempotent>) -> StoreResult<Effect<Space>> {
        self.write("create a space", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || create(tx, &space))
        })
        .await
    }

    async fn space_rename(&self, id: &SpaceId, name: &str, now: Timestamp) -> StoreResult<Option<Space>> {
        let (id, name) = (id.clone(), name.to_owned());
        self.write("rename a space", move |tx| {
            let renamed = tx.execute(
                "UPDATE spaces SET name = ?2, updated_at = ?3 WHERE id = ?1 AND name <> ?2",
                params![id.as_str(), name, now.as_micros()],
            )?;
            if renamed > 0 {
                tx.audit_fields(Action::SpaceUpdate, Target::space(&id), vec!["/name".to_owned()])?;
            }
            get(tx, &id)
        })
        .await
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

pub(super) fn get(db: &dyn Session, id: &SpaceId) -> Result<Option<Space>, Trouble> {
    Ok(db.row_if_any(&format!("{SELECT} WHERE id = ?1"), params![id.as_str()], space_from)?)
}

pub(crate) fn listing(filter: NameFilter, query: PageQuery) -> Listing {
    Listing::of(query).only_if("name = ?", filter.name).created(filter.created)
}

/// Makes the space, or finds the one that has its id.
fn create(tx: &Write<'_>, space: &Space) -> Result<Option<Space>, Trouble> {
    if let Some(taken) = get(tx, &space.id)? {
        return Ok(Some(taken));
    }
    tx.execute(
        "INSERT INTO spaces (id, name, created_at, updated_at) VALUES (?1, ?2, ?3, ?4)",
        params![space.id.as_str(), space.name, space.created_at.as_micros(), space.updated_at.as_micros(),],
    )?;
    tx.audit(Action::SpaceCreate, Target::space(&space.id))?;
    Ok(None)
}

fn space_from(columns: &mut Columns<'_>) -> SqlResult<Space> {
    Ok(Space {
        id: columns.text()?,
        name: columns.plain()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}
