//! The fields of records and the types of their values, as samples show them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use inlet_model::preview::{FieldChange, FieldChanges};
use inlet_model::{Op, StreamName};
use inlet_store::collection::Item;
use serde_json::Value;

/// So many records of a stream are looked into, and so many fields of them remembered.
pub(crate) const SAMPLES: usize = 200;
const FIELDS: usize = 1_000;

/// The types of each field's values.
pub(crate) type Types = BTreeMap<String, BTreeSet<&'static str>>;

/// The fields of the first records of each stream.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<StreamName, (usize, Types)>);

impl Fields {
    /// Looks at the records of a commit.
    pub(crate) fn look_at(&mut self, items: &[Item]) {
        for item in items {
            let Item::Batch { batch, .. } = item else { continue };
            let (looked_at, types) = self.0.entry(batch.stream().clone()).or_default();
            for entry in batch.entries().filter(|entry| entry.op == Op::Upsert) {
                if *looked_at == SAMPLES {
                    break;
                }
                *looked_at += 1;
                add(types, entry.data);
            }
        }
    }

    /// The fields of a stream.
    pub(crate) fn of(&self, stream: &StreamName) -> Types {
        self.0.get(stream).map(|(_, types)| types.clone()).unwrap_or_default()
    }
}

/// Adds the fields of a record.
pub(crate) fn add(types: &mut Types, data: &[u8]) {
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(data) else { return };
    for (name, value) in fields {
        if types.len() < FIELDS || types.contains_key(&name) {
            types.entry(name).or_default().extend(type_of(&value));
        }
    }
}

/// The type of a value; that of null is any.
fn type_of(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}

/// How fields differ; not at all where there are no samples to compare.
pub(crate) fn changes(before: &Types, after: &Types) -> FieldChanges {
    if before.is_empty() || after.is_empty() {
        return FieldChanges::default();
    }
    let only_in =
        |one: &Types, other: &Types| one.keys().filter(|name| !other.contains_key(*name)).cloned().collect();
    let shown = |types: &BTreeSet<&'static str>| types.iter().map(|name| (*name).to_owned()).collect();
    let changed = after.iter().filter_map(|(name, types)| {
        let known = before.get(name).filter(|known| !known.is_empty() && !types.is_subset(known))?;
        Some(FieldChange { name: name.clone(), before: shown(known), after: shown(types) })
    });
    FieldChanges { new: only_in(after, before), gone: only_in(before, after), changed: changed.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(records: &[&str]) -> Types {
        let mut types = Types::new();
        records.iter().for_each(|record| add(&mut types, record.as_bytes()));
        types
    }

    #[test]
    fn fields_come_go_and_change_their_types() {
        let before = types(&[r#"{"id":1,"old":true,"size":1,"note":null}"#]);
        let after = types(&[r#"{"id":2,"new":[],"size":"big","note":"x"}"#, r#"{"id":3,"size":4}"#]);
        let changes = changes(&before, &after);
        assert_eq!((changes.new, changes.gone), (vec!["new".to_owned()], vec!["old".to_owned()]));
        let size = FieldChange {
            name: "size".to_owned(),
            before: vec!["integer".to_owned()],
            after: vec!["integer".to_owned(), "string".to_owned()],
        };
        assert_eq!(changes.changed, [size], "a field that was always null may be anything");
    }

    #[test]
    fn nothing_is_compared_with_nothing() {
        assert_eq!(changes(&types(&[]), &types(&[r#"{"id":1}"#])), FieldChanges::default());
        assert_eq!(changes(&types(&[r#"{"id":1}"#]), &types(&["no record"])), FieldChanges::default());
    }
}
