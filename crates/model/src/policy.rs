//! What a connector allows its syncs to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a connector allows its syncs to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConnectorPolicy {
    /// A sync that rejects more records than this fails.
    pub max_rejected: u64,
    /// Deletes of more than this wait for a person.
    pub approve_deletes_over: DeleteLimit,
    /// What becomes of records that are not of the schema known so far.
    pub schema: SchemaPolicy,
    /// A connector of which so many syncs in a row have failed is paused; 0: it never is.
    pub pause_after_failures: u32,
}

impl Default for ConnectorPolicy {
    fn default() -> Self {
        Self {
            max_rejected: 1000,
            approve_deletes_over: DeleteLimit::default(),
            schema: SchemaPolicy::default(),
            pause_after_failures: 10,
        }
    }
}

/// A delete is unusual if it takes more than both: this part of a stream, and this many of its records. With 100 percent none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteLimit {
    /// A part of the stream's records, in percent.
    #[schemars(range(max = 100))]
    pub percent: u8,
    /// A number of records.
    pub records: u64,
}

impl Default for DeleteLimit {
    fn default() -> Self {
        Self { percent: 20, records: 100 }
    }
}

impl DeleteLimit {
    /// Whether `deleted` of a stream's `records` are more than this allows.
    #[must_use]
    pub fn is_passed_by(self, deleted: u64, records: u64) -> bool {
        deleted > self.records && u128::from(deleted) * 100 > u128::from(records) * u128::from(self.percent)
    }
}

/// What becomes of records that are not of the schema known so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemaPolicy {
    /// They are taken, and the schema changes with them.
    #[default]
    Evolve,
    /// Their stream fails.
    Freeze,
    /// They are rejected.
    RejectRecord,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_is_unusual_only_if_it_passes_both_limits() {
        let limit = DeleteLimit { percent: 20, records: 100 };
        assert!(!limit.is_passed_by(100, 100), "no more than 100 records");
        assert!(limit.is_passed_by(101, 101));
        assert!(!limit.is_passed_by(200, 1000), "no more than 20 percent");
        assert!(limit.is_passed_by(201, 1000));
        assert!(DeleteLimit { percent: 0, records: 0 }.is_passed_by(1, u64::MAX));
        assert!(!DeleteLimit { percent: 100, records: 0 }.is_passed_by(u64::MAX, u64::MAX));
    }

    #[test]
    fn what_is_not_written_is_the_default() {
        assert_eq!(serde_json::from_str::<ConnectorPolicy>("{}").unwrap(), ConnectorPolicy::default());
    }
}
