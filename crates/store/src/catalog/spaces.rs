//! Spaces.

use async_trait::async_trait;
use inlet_model::{SpaceId, Timestamp};

use super::{Effect, Idempotent, NameFilter, Page, PageQuery};
use crate::StoreResult;

/// A space: holds collections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Its id.
    pub id: SpaceId,
    /// Its name, for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What came of a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteEffect {
    /// It is gone; what must follow is queued as [`Task`](super::Task)s.
    Deleted,
    /// It still holds something, and `cascade` was not said.
    NotEmpty,
    /// It was not there.
    Absent,
}

/// The spaces of the catalog.
#[async_trait]
pub trait Spaces {
    /// A page of the spaces that fit.
    async fn space_list(&self, filter: NameFilter, query: PageQuery) -> StoreResult<Page<Space>>;
    /// The space of that id.
    async fn space_get(&self, id: &SpaceId) -> StoreResult<Option<Space>>;
    /// Makes a space; a conflict is the one that has the id.
    async fn space_create(&self, space: Space, idempotent: Option<Idempotent>) -> StoreResult<Effect<Space>>;
    /// Gives a space another name, and shows it as it stands now; `None` if it is not there. With the name that it has it
    /// stays as it is, `updated_at` too.
    async fn space_rename(&self, id: &SpaceId, name: &str, now: Timestamp) -> StoreResult<Option<Space>>;
    /// Deletes a space and the keys that are bound to it; with `cascade`, all it holds, as
    /// [`collection_delete`](super::Collections::collection_delete) does.
    async fn space_delete(&self, id: &SpaceId, cascade: bool, now: Timestamp) -> StoreResult<DeleteEffect>;
}
