//! A space, as the API shows it.

use inlet_model::{SpaceId, Timestamp};
use inlet_store::catalog::Space;
use serde::Serialize;

/// A space.
#[derive(Debug, Serialize)]
pub(crate) struct SpaceView {
    id: SpaceId,
    name: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Space> for SpaceView {
    fn from(space: Space) -> Self {
        let Space { id, name, created_at, updated_at } = space;
        Self { id, name, created_at, updated_at }
    }
}
