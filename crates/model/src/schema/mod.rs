//! The schema of a stream: the fields that its records have had, and of what types their values were.
//!
//! It is found in the records themselves and not in what a source says of them, so that it holds for every source alike. Only
//! fields at the top count: what is inside of an object or an array is data. A schema grows and does not shrink: that a field
//! does not come any more is no change of it. Null is no type, since any field may be null or left out.

mod change;
mod field_types;
mod observer;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use change::{FieldChange, FieldChanges, Misfit};
pub use field_types::Types;
pub use observer::Observer;

/// The fields of a stream's records, by name, with the types of their values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Schema(pub(crate) BTreeMap<String, Types>);

impl Schema {
    /// So many fields are remembered; records that have others beside them are of no schema.
    pub const MAX_FIELDS: usize = 1_000;

    /// The longest name that is remembered, in bytes.
    pub const MAX_NAME_BYTES: usize = 1_000;

    /// Whether no field is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many fields are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The fields in the order of their names.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Types)> {
        self.0.iter().map(|(name, types)| (name.as_str(), *types))
    }

    /// The types of a field; `None` if it is not known.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Types> {
        self.0.get(name).copied()
    }
}
