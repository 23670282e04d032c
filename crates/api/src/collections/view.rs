//! A collection, as the API shows it.

use inlet_model::{CollectionId, SpaceId, Timestamp};
use inlet_store::catalog::Collection;
use inlet_store::collection::Stats;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::Api;
use crate::problem::Problem;

/// A collection in numbers that holds nothing yet.
const EMPTY: Stats = Stats { records: 0, bytes: 0, last_change: 0 };

/// A collection, with what it holds in numbers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Collection")]
pub(crate) struct CollectionView {
    /// Its id, unique within its space.
    id: CollectionId,
    /// Its space.
    space_id: SpaceId,
    /// Its name, for people.
    name: String,
    /// The records it holds now.
    records: u64,
    /// Their size on disk, history included.
    bytes: u64,
    /// The number of its last change; 0 before the first.
    last_change: u64,
    /// Whether records are being removed on request.
    removing: bool,
    /// When it was made.
    created_at: Timestamp,
    /// When its settings were last changed.
    updated_at: Timestamp,
}

impl CollectionView {
    fn new(collection: Collection, stats: Stats, removing: bool) -> Self {
        let Collection { space_id, id, name, store_id: _, created_at, updated_at } = collection;
        let Stats { records, bytes, last_change } = stats;
        Self { id, space_id, name, records, bytes, last_change, removing, created_at, updated_at }
    }

    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({
            "id": "orders", "space_id": "default", "name": "Orders", "records": 1458, "bytes": 180_224, "last_change": 1458,
            "removing": false,
            "created_at": "2026-01-01T07:00:00.000Z", "updated_at": "2026-01-01T07:00:00.000Z",
        })
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
