//! What a sync asks a person before it deletes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::StreamName;

/// An unusual delete, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LargeDelete {
    /// Records that would go.
    pub records: u64,
    /// Records that these streams have.
    pub of: u64,
    /// The streams of which records would go.
    pub streams: Vec<LargeDeleteOfStream>,
}

/// One stream's part of an unusual delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LargeDeleteOfStream {
    /// The stream.
    pub name: StreamName,
    /// Records of it that would go.
    pub records: u64,
    /// Records that it has.
    pub of: u64,
    /// Those among the ones that would go of which the source is asked first: what it still has stays.
    pub if_absent: u64,
    /// Those among the ones that would go that the source may only have left out: its listing is not certain to be complete.
    pub in_doubt: u64,
}

impl LargeDelete {
    /// The sum of these streams.
    #[must_use]
    pub fn of_streams(streams: Vec<LargeDeleteOfStream>) -> Self {
        let sum = |part: fn(&LargeDeleteOfStream) -> u64| streams.iter().map(part).sum();
        Self { records: sum(|stream| stream.records), of: sum(|stream| stream.of), streams }
    }
}

/// Where the question stands that a sync has asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What it asked about.
    pub deletes: LargeDelete,
    /// Whether it had read its source to the end when it asked: then nothing is left to it but to delete.
    pub after_reading: bool,
    /// Whether a person has approved it.
    pub approved: bool,
}
