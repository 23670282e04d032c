//! The types that the values of a field have had.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::ValueKind;

/// The types of a field's values, as JSON calls them: none of a field that was always null.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Types(u8);

/// In the order in which they are shown.
const NAMED: [(ValueKind, &str); 6] = [
    (ValueKind::Boolean, "boolean"),
    (ValueKind::Integer, "integer"),
    (ValueKind::Number, "number"),
    (ValueKind::String, "string"),
    (ValueKind::Array, "array"),
    (ValueKind::Object, "object"),
];

/// Null has no bit, since any field may be null.
const fn bit(kind: ValueKind) -> u8 {
    match kind {
        ValueKind::Null => 0,
        ValueKind::Boolean => 1,
        ValueKind::Integer => 2,
        ValueKind::Number => 4,
        ValueKind::String => 8,
        ValueKind::Array => 16,
        ValueKind::Object => 32,
    }
}

/// What values of these types may be: where there are numbers, an integer is one.
const fn widened(bits: u8) -> u8 {
    if bits & bit(ValueKind::Number) == 0 { bits } else { bits | bit(ValueKind::Integer) }
}

impl Types {
    /// Whether no value but null has been seen.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a value of this kind is none of another type.
    #[inline]
    #[must_use]
    pub fn covers(self, kind: ValueKind) -> bool {
        bit(kind) & !self.0 == 0
    }

    /// The types, and that of one more value.
    #[must_use]
    pub fn with(self, kind: ValueKind) -> Self {
        Self(widened(self.0 | bit(kind)))
    }

    /// The types of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(widened(self.0 | other.0))
    }

    /// Whether every value of `other` types is of these.
    #[must_use]
    pub fn is_superset(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Their names: of numbers and integers only that of numbers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let has_numbers = self.0 & bit(ValueKind::Number) != 0;
        let shown = move |kind| bit(kind) & self.0 != 0 && !(has_numbers && kind == ValueKind::Integer);
        NAMED.into_iter().filter(move |(kind, _)| shown(*kind)).map(|(_, name)| name)
    }
}

/// The name of a kind of value, as JSON calls it.
pub(super) fn name_of(kind: ValueKind) -> &'static str {
    NAMED.into_iter().find(|(named, _)| *named == kind).map_or("null", |(_, name)| name)
}

impl fmt::Debug for Types {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.names()).finish()
    }
}

impl Serialize for Types {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for Types {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut types = Self::default();
        for name in Vec::<Cow<'de, str>>::deserialize(deserializer)? {
            let kind = NAMED.into_iter().find(|(_, known)| *known == name);
            types = types.with(kind.ok_or_else(|| D::Error::custom("is no type of a value"))?.0);
        }
        Ok(types)
    }
}

impl JsonSchema for Types {
    fn schema_name() -> Cow<'static, str> {
        "Types".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string", "enum": NAMED.map(|(_, name)| name) } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_numbers_once_there_are_any() {
        let integers = Types::default().with(ValueKind::Integer);
        let numbers = integers.with(ValueKind::Number);
        assert!(!integers.covers(ValueKind::Number));
        assert_eq!(serde_json::to_string(&numbers).unwrap(), r#"["number"]"#);
        let read: Types = serde_json::from_str(r#"["number","string"]"#).unwrap();
        assert!(
            read.covers(ValueKind::Integer) && read.covers(ValueKind::Null) && !read.covers(ValueKind::Array)
        );
        assert!(read.is_superset(integers) && !integers.is_superset(read));
        assert!(serde_json::from_str::<Types>(r#"["date"]"#).is_err());
    }
}
