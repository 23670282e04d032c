//! Changes: how the collection came to hold what it holds.

use async_trait::async_trait;
use inlet_model::Change;

use crate::StoreResult;

/// A page of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangePage {
    /// Changes in number order. Fewer than asked for, or none, means that for now there are no more.
    Changes(Vec<Change>),
    /// History up to and including this change is gone: the consumer starts again from 0, the present state.
    Expired {
        /// The last change that is gone.
        compacted_through: u64,
    },
}

/// The change feed of a collection.
#[async_trait]
pub trait Changes {
    /// Changes with a number greater than `after`, in order, at most `limit`, stopping once they hold `max_bytes` of data but
    /// giving at least one if there is one. A consumer that goes on from the last number it saw misses nothing and gets nothing
    /// twice. From 0 it gets the present state: replayed, it equals the records.
    async fn changes(&self, after: u64, limit: usize, max_bytes: usize) -> StoreResult<ChangePage>;
}
