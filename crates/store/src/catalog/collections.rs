//! Collections.

use async_trait::async_trait;
use inlet_model::{CollectionId, SpaceId, StoreId, Timestamp};

use super::{DeleteEffect, Effect, Idempotent, NameFilter, Page, PageQuery};
use crate::StoreResult;

/// A collection: holds data. Its id is unique within its space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Its space.
    pub space_id: SpaceId,
    /// Its id.
    pub id: CollectionId,
    /// Its name, for people.
    pub name: String,
    /// The store that holds its data; new for each collection ever made.
    pub store_id: StoreId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The collections of the catalog.
#[async_trait]
pub trait Collections {
    /// A page of a space's collections, those that fit; `None` if there is no such space.
    async fn collection_list(
        &self,
        space_id: &SpaceId,
        filter: NameFilter,
        query: PageQuery,
    ) -> StoreResult<Option<Page<Collection>>>;
    /// The collection of that id.
    async fn collection_get(&self, space_id: &SpaceId, id: &CollectionId) -> StoreResult<Option<Collection>>;
    /// Makes a collection; a conflict is the one that has the id, or `None` if there is no such space.
    async fn collection_create(
        &self,
        collection: Collection,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Collection>>>;
    /// Gives a collection another name, and shows it as it stands now; `None` if it is not there. With the name that it has
    /// it stays as it is, `updated_at` too.
    async fn collection_rename(
        &self,
        space_id: &SpaceId,
        id: &CollectionId,
        name: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Collection>>;
    /// Deletes a collection. If it has connectors (or, with `has_records`, records) only with `cascade`: then its
    /// connectors go, their syncs are wanted cancelled, and removing its store is queued, which
    /// takes the place of everything else that was queued for the store.
    async fn collection_delete(
        &self,
        space_id: &SpaceId,
        id: &CollectionId,
        cascade: bool,
        has_records: bool,
        now: Timestamp,
    ) -> StoreResult<DeleteEffect>;
    /// The stores that collections own; every other may be removed.
    async fn collection_stores(&self) -> StoreResult<Vec<StoreId>>;
}
