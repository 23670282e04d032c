//! What a sync did, in numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counters of a sync, or of one of its streams.
///
/// Always: `read = created + updated + unchanged + rejected`, and the change feed holds
/// `created + updated + deleted` entries of the sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Records the source yielded.
    pub read: u64,
    /// Records that were not there before.
    pub created: u64,
    /// Records whose content differed.
    pub updated: u64,
    /// Records found as they were.
    pub unchanged: u64,
    /// Records removed.
    pub deleted: u64,
    /// Records refused. The first 10,000 of a sync are kept, each with its reason.
    pub rejected: u64,
    /// Bytes of record data read.
    pub bytes: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.rejected += other.rejected;
        self.bytes += other.bytes;
    }
}

impl Counts {
    /// How many changes it made in the collection.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.created + self.updated + self.deleted
    }

    /// Whether the numbers add up as the type promises.
    #[must_use]
    pub fn add_up(&self) -> bool {
        self.read == self.created + self.updated + self.unchanged + self.rejected
    }
}
