//! A space, as the API shows it.

use inlet_model::{SpaceId, Timestamp};
use inlet_store::catalog::Space;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A space.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Space")]
pub(crate) struct SpaceView {
    /// Its id.
    id: SpaceId,
    /// Its name, for people.
    name: String,
    /// When it was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
}

impl SpaceView {
    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({"id": "sales", "name": "Sales", "created_at": "2026-01-01T07:00:00.000Z", "updated_at": "2026-01-01T07:00:00.000Z"})
    }
}

impl From<Space> for SpaceView {
    fn from(space: Space) -> Self {
        let Space { id, name, created_at, updated_at } = space;
        Self { id, name, created_at, updated_at }
    }
}
