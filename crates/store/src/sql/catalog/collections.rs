//! Collections.

use async_trait::async_trait;
use inlet_model::{CollectionId, SpaceId, StoreId, Timestamp};

use super::audit::Write;
use super::page::Listing;
use super::{SqlCatalog, deletes, idempotency, spaces};
use crate::StoreResult;
use crate::catalog::{
    Action, Collection, Collections, DeleteEffect, Effect, Idempotent, NameFilter, Page, PageQuery, Target,
};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlResult, Text, params};

pub(crate) const SELECT: &str =
    "SELECT space_id, id, name, store_id, created_at, updated_at FROM collections";

#[async_trait]
impl Collections for SqlCatalog {
    async fn collection_list(
        &self,
        space_id: &SpaceId,
        filter: NameFilter,
        query: PageQuery,
    ) -> StoreResult<Option<Page<Collection>>> {
        let space_id = space_id.clone();
        self.read_rows("list the collections", move |db| {
            let place = |collection: &Collection| (collection.created_at, collection.id.to_string());
            let page = listing(&space_id, filter, query).read(db, SELECT, collection_from, place)?;
            // Only an empty page leaves open whether there is such a space.
            let exists = !page.items.is_empty() || spaces::get(db, &space_id)?.is_some();
            Ok(exists.then_some(page))
        })
        .await
    }

    async fn collection_get(&self, space_id: &SpaceId, id: &CollectionId) -> StoreResult<Option<Collection>> {
        let (space_id, id) = (space_id.clone(), id.clone());
        self.read_row("get a collection", move |db| get(db, &space_id, &id)).await
    }

    async fn collection_create(
        &self,
        collection: Collection,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Collection>>> {
        self.write("create a collection", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || create(tx, &collection))
        })
        .await
    }

    async fn collection_rename(
        &self,
        space_id: &SpaceId,
        id: &CollectionId,
        name: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Collection>> {
        let (space_id, id, name) = (space_id.clone(), id.clone(), name.to_owned());
        self.write("rename a collection", move |tx| {
            let renamed = tx.execute(
                "UPDATE collections SET name = ?3, updated_at = ?4
                     WHERE space_id = ?1 AND id = ?2 AND name <> ?3",
                params![space_id.as_str(), id.as_str(), name, now.as_micros()],
            )?;
            if renamed > 0 {
                let target = Target::collection(&space_id, &id);
                tx.audit_fields(Action::CollectionUpdate, target, vec!["/name".to_owned()])?;
            }
            get(tx, &space_id, &id)
        })
        .await
    }

    async fn collection_delete(
        &self,
        space_id: &SpaceId,
        id: &CollectionId,
        cascade: bool,
        has_records: bool,
        now: Timestamp,
    ) -> StoreResult<DeleteEffect> {
        let (space_id, id) = (space_id.clone(), id.clone());
        self.write("delete a collection", move |tx| {
            let effect = deletes::collection(tx, &space_id, &id, cascade, has_records, now)?;
            if effect == DeleteEffect::Deleted {
                tx.audit(Action::CollectionDelete, Target::collection(&space_id, &id))?;
            }
            Ok(effect)
        })
        .await
    }

    async fn collection_stores(&self) -> StoreResult<Vec<StoreId>> {
        self.read_rows("list the stores", |db| {
            Ok(db.rows("SELECT store_id FROM collections", params![], |columns| columns.text())?)
        })
        .await
    }
}

pub(super) fn get(
    db: &dyn Session,
    space_id: &SpaceId,
    id: &CollectionId,
) -> Result<Option<Collection>, Trouble> {
    Ok(db.row_if_any(
        &format!("{SELECT} WHERE space_id = ?1 AND id = ?2"),
        params![space_id.as_str(), id.as_str()],
        collection_from,
    )?)
}

/// The collection that has that store.
pub(super) fn of_store(db: &dyn Session, store_id: StoreId) -> Result<Option<Collection>, Trouble> {
    Ok(db.row_if_any(&format!("{SELECT} WHERE store_id = ?1"), params![Text(store_id)], collection_from)?)
}

pub(crate) fn listing(space_id: &SpaceId, filter: NameFilter, query: PageQuery) -> Listing {
    Listing::of(query)
        .only("space_id = ?", space_id.to_string())
        .only_if("name = ?", filter.name)
        .created(filter.created)
}

/// Makes the collection, or finds what is in its way: the one that has its id, or that there is no such space.
fn create(tx: &Write<'_>, collection: &Collection) -> Result<Option<Option<Collection>>, Trouble> {
    if spaces::get(tx, &collection.space_id)?.is_none() {
        return Ok(Some(None));
    }
    if let Some(taken) = get(tx, &collection.space_id, &collection.id)? {
        return Ok(Some(Some(taken)));
    }
    tx.execute(
        "INSERT INTO collections (space_id, id, name, store_id, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            collection.space_id.as_str(),
            collection.id.as_str(),
            collection.name,
            Text(collection.store_id),
            collection.created_at.as_micros(),
            collection.updated_at.as_micros(),
        ],
    )?;
    tx.audit(Action::CollectionCreate, Target::collection(&collection.space_id, &collection.id))?;
    Ok(None)
}

fn collection_from(columns: &mut Columns<'_>) -> SqlResult<Collection> {
    Ok(Collection {
        space_id: columns.text()?,
        id: columns.text()?,
        name: columns.plain()?,
        store_id: columns.text()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}
