//! What a dry run has found that a sync would do.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::approval::LargeDelete;
use crate::schema::FieldChanges;
use crate::{Counts, StreamName};

/// What a sync would do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Preview {
    /// What it would ask about before it deletes; `null` if it would not ask.
    pub asks_about: Option<LargeDelete>,
    /// What it would do to each stream.
    pub streams: Vec<StreamPreview>,
}

/// What a sync would do to a stream.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StreamPreview {
    /// The stream.
    pub name: StreamName,
    /// How many records it would create, update, delete, and so on.
    pub counts: Counts,
    /// Whether the counts are certain. Of very many new and changed records, one that comes twice may be counted twice.
    pub exact: bool,
    /// Some of the records that would change, whole.
    pub samples: Vec<SamplePreview>,
    /// Some of the records that would be rejected.
    pub rejected: Vec<RejectedPreview>,
    /// How the fields of the first records differ from those of records that are there, by comparison of samples.
    pub fields: FieldChanges,
}

/// A record that would change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SamplePreview {
    /// Its key.
    #[schemars(with = "Value")]
    pub key: Box<RawValue>,
    /// What it is now; `null` if it would be created.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub before: Option<Box<RawValue>>,
    /// What it would be; `null` if it would be deleted.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub after: Option<Box<RawValue>>,
}

/// A record that would be rejected.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RejectedPreview {
    /// Where it stands in the source.
    pub position: u64,
    /// Stable and dotted.
    pub code: String,
    /// A sentence a person can act on.
    pub reason: String,
    /// The start of the record.
    pub sample: String,
}
