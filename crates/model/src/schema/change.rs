//! How schemas differ, and how records differ from a schema.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Schema, Types};

/// How fields differ.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldChanges {
    /// Fields that were not there.
    pub new: Vec<String>,
    /// Fields that are not there any more.
    pub gone: Vec<String>,
    /// Fields whose values are of other types.
    pub changed: Vec<FieldChange>,
}

/// A field whose values are of other types.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldChange {
    /// The field.
    pub name: String,
    /// The types of its values before, as JSON calls them.
    pub before: Types,
    /// The types after.
    pub after: Types,
}

impl Schema {
    /// How it differs from what was before. A field that was always null may be anything.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> FieldChanges {
        let only_in = |one: &Self, other: &Self| {
            one.0.keys().filter(|name| !other.0.contains_key(*name)).cloned().collect()
        };
        let changed = self.0.iter().filter_map(|(name, after)| {
            let known = before.get(name).filter(|known| !known.is_empty() && !known.is_superset(*after))?;
            Some(FieldChange { name: name.clone(), before: known, after: *after })
        });
        FieldChanges { new: only_in(self, before), gone: only_in(before, self), changed: changed.collect() }
    }
}

/// What a record has that its stream's schema has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The field; of a very long name the start.
    pub field: String,
    /// What its value is.
    pub found: &'static str,
    /// The types of the values it had; `None` if it is not known.
    pub known: Option<Types>,
}

impl fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, found, known } = self;
        match known {
            None => write!(formatter, "the field `{field}` is new"),
            Some(types) => {
                let types: Vec<&str> = types.names().collect();
                write!(formatter, "the field `{field}` is {found} here, and was {}", types.join(" or "))
            }
        }
    }
}
