//! A collection, as the API shows it.

use inlet_model::{CollectionId, SpaceId, Timestamp};
use inlet_store::catalog::Collection;
use inlet_store::collection::Stats;
use serde::Serialize;

use crate::app::Api;
use crate::problem::Problem;

/// A collection in numbers that holds nothing yet.
const EMPTY: Stats = Stats { records: 0, bytes: 0, last_change: 0 };

/// A collection.
#[derive(Debug, Serialize)]
pub(crate) struct CollectionView {
    id: CollectionId,
    space_id: SpaceId,
    name: String,
    records: u64,
    bytes: u64,
    last_change: u64,
    /// Whether records are being removed on request.
    removing: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl CollectionView {
    fn new(collection: Collection, stats: Stats, removing: bool) -> Self {
        let Collection { space_id, id, name, store_id: _, created_at, updated_at } = collection;
        let Stats { records, bytes, last_change } = stats;
        Self { id, space_id, name, records, bytes, last_change, removing, created_at, updated_at }
    }

    /// A collection that was just made.
    pub(crate) fn empty(collection: Collection) -> Self {
        Self::new(collection, EMPTY, false)
    }

    /// A collection with its present numbers.
    pub(crate) async fn read(api: &Api, collection: Collection) -> Result<Self, Problem> {
        let stats = api.stores.open(collection.store_id).await?.stats().await?;
        let removing = !api.catalog.purge_list_of(collection.store_id).await?.is_empty();
        Ok(Self::new(collection, stats, removing))
    }
}
