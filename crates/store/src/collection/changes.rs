//! Changes: how the collection came to hold what it holds.

use async_trait::async_trait;
use inlet_model::Change;

use crate::StoreResult;

/// A reader's place in the change feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeCursor {
    /// The last change that the reader has behind it; 0 at the beginning.
    pub after: u64,
    /// A reader that began at the beginning got the state that was left then: what had gone up to this change is no loss to it.
    pub floor: u64,
}

impl ChangeCursor {
    /// The beginning: from here a reader gets the present state.
    pub const START: Self = Self { after: 0, floor: 0 };

    /// Behind the change with that number, of which the reader knows everything; for 0, the beginning.
    #[must_use]
    pub fn behind(change: u64) -> Self {
        Self { after: change, floor: change }
    }

    /// Whether a reader here misses nothing, though history up to `compacted_through` is gone.
    #[must_use]
    pub fn is_whole(self, compacted_through: u64) -> bool {
        self == Self::START || compacted_through <= self.after.max(self.floor)
    }
}

/// A page of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangePage {
    /// Some changes.
    Changes {
        /// In number order. Fewer than asked for, or none, means that for now there are no more.
        changes: Vec<Change>,
        /// Where to go on.
        next: ChangeCursor,
    },
    /// History up to and including this change is gone: the consumer starts again from the beginning, the present state.
    Expired {
        /// The last change of which history is gone.
        compacted_through: u64,
    },
}

/// The change feed of a collection.
///
/// A version of a record that another has superseded, and the mark that a record was deleted, leave the feed together with
/// the history they belong to ([`Upkeep`](super::Upkeep)); every other change stays. A consumer takes created and updated
/// alike, as what the record is now.
#[async_trait]
pub trait Changes {
    /// Changes behind `after`, in order, at most `limit`, stopping once they hold `max_bytes` of data but giving at least one if
    /// there is one. A consumer that goes on from each page's `next` misses nothing and gets nothing twice. From the
    /// beginning it gets the present state: replayed, it equals the records.
    ///
    /// [`Expired`](ChangePage::Expired) if something has left the feed that the consumer may have to know: it was never given
    /// that change, and did not begin after it had gone. No delete is ever passed over in silence.
    async fn changes(&self, after: ChangeCursor, limit: usize, max_bytes: usize) -> StoreResult<ChangePage>;
}
