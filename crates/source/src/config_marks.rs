//! What the JSON Schema of a config says of its fields beyond their form: which are secret, and which say where secrets go.
//!
//! `writeOnly: true` marks a secret, [`SECRET_DESTINATION`] a field such as a host or a URL. A mark holds for whatever value
//! stands there, by whichever branch of the schema: for what must not leak, too much is better than too little. None may
//! stand inside an array, whose places do not stay what they are; should one, the whole array is marked.

use std::collections::BTreeSet;

use inlet_model::fields::step;
use serde_json::{Map, Value};

/// Marks a field that says where the secrets of the config are sent.
pub const SECRET_DESTINATION: &str = "x-secret-destination";

const SECRET: &str = "writeOnly";

/// Keywords with one schema, and with an array or a map of schemas, for the same value.
const SAME_VALUE: [&str; 3] = ["then", "else", "not"];
const SAME_VALUE_EACH: [&str; 4] = ["allOf", "anyOf", "oneOf", "dependentSchemas"];
/// Keywords for the members of an object and the items of an array.
const MEMBERS: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];
const MEMBERS_EACH: [&str; 2] = ["properties", "patternProperties"];
const ITEMS: [&str; 3] = ["items", "contains", "unevaluatedItems"];
const ITEMS_EACH: [&str; 1] = ["prefixItems"];

/// The JSON Pointers of the secrets that `config` has.
#[must_use]
pub fn secrets(schema: &Value, config: &Value) -> Vec<String> {
    Walk::new(schema, SECRET).marked(config)
}

/// The JSON Pointers of the fields of `config` that say where its secrets go.
#[must_use]
pub fn secret_destinations(schema: &Value, config: &Value) -> Vec<String> {
    Walk::new(schema, SECRET_DESTINATION).marked(config)
}

/// Where in the schema arrays with marked items stand: there must be none.
#[must_use]
pub fn marks_inside_arrays(schema: &Value) -> Vec<String> {
    let walks = [Walk::new(schema, SECRET), Walk::new(schema, SECRET_DESTINATION)];
    let mut found = BTreeSet::new();
    for walk in walks {
        walk.arrays(schema, String::new(), &mut found);
    }
    found.into_iter().collect()
}

/// A search for one mark.
struct Walk<'a> {
    root: &'a Value,
    mark: &'static str,
}

/// Schemas that were looked at already, by their address, with the place they were looked at for: a schema may refer to
/// itself.
type Seen = BTreeSet<(usize, String)>;

impl<'a> Walk<'a> {
    fn new(root: &'a Value, mark: &'static str) -> Self {
        Self { root, mark }
    }

    fn marked(&self, config: &Value) -> Vec<String> {
        let mut found = BTreeSet::new();
        self.walk(self.root, config, "", &mut Seen::new(), &mut found);
        // What lies within a marked value is marked with it.
        let is_within = |inner: &String, outer: &String| {
            inner.strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        found.iter().filter(|inner| !found.iter().any(|outer| is_within(inner, outer))).cloned().collect()
    }

    fn walk(
        &self,
        schema: &'a Value,
        config: &Value,
        pointer: &str,
        seen: &mut Seen,
        found: &mut BTreeSet<String>,
    ) {
        if config.is_null() || !seen.insert((std::ptr::from_ref(schema).addr(), pointer.to_owned())) {
            return;
        }
        let Value::Object(keywords) = schema else { return };
        if self.is_marked(keywords) && !pointer.is_empty() {
            found.insert(pointer.to_owned());
            return;
        }
        for same in self.for_same_value(keywords) {
            self.walk(same, config, pointer, seen, found);
        }
        match config {
            Value::Object(members) => {
                for (name, value) in members {
                    let pointer = format!("{pointer}{}", step(name));
                    for member in for_member(keywords, name) {
                        self.walk(member, value, &pointer, seen, found);
                    }
                }
            }
            Value::Array(_) if for_items(keywords).any(|items| self.has_mark(items, &mut Seen::new())) => {
                found.insert(pointer.to_owned());
            }
            _ => {}
        }
    }

    fn is_marked(&self, keywords: &Map<String, Value>) -> bool {
        keywords.get(self.mark) == Some(&Value::Bool(true))
    }

    /// The schemas that speak of the same value as these keywords do.
    fn for_same_value(&self, keywords: &'a Map<String, Value>) -> Vec<&'a Value> {
        let referred =
            keywords.get("$ref").and_then(Value::as_str).and_then(|reference| self.resolve(reference));
        let several = SAME_VALUE_EACH.iter().filter_map(|name| keywords.get(*name)).flat_map(members_of);
        SAME_VALUE.iter().filter_map(|name| keywords.get(*name)).chain(several).chain(referred).collect()
    }

    /// A reference within the schema.
    fn resolve(&self, reference: &str) -> Option<&'a Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }

    /// Whether the schema marks a value or anything within it.
    fn has_mark(&self, schema: &'a Value, seen: &mut Seen) -> bool {
        let Value::Object(keywords) = schema else { return false };
        if !seen.insert((std::ptr::from_ref(schema).addr(), String::new())) {
            return false;
        }
        let within = within(keywords);
        self.is_marked(keywords)
            || self.for_same_value(keywords).into_iter().chain(within).any(|part| self.has_mark(part, seen))
    }

    fn arrays(&self, schema: &'a Value, place: String, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(keywords) => {
                if for_items(keywords).any(|items| self.has_mark(items, &mut Seen::new())) {
                    found.insert(place.clone());
                }
                for (name, part) in keywords {
                    self.arrays(part, format!("{place}/{name}"), found);
                }
            }
            Value::Array(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    self.arrays(part, format!("{place}/{index}"), found);
                }
            }
            _ => {}
        }
    }
}

fn members_of(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    }
}

/// The schemas for a member of an object. Which names a pattern means is not asked: it might mean any.
fn for_member<'a>(keywords: &'a Map<String, Value>, name: &str) -> Vec<&'a Value> {
    let own = keywords.get("properties").and_then(|properties| properties.get(name));
    let patterns = keywords.get("patternProperties").map(members_of).unwrap_or_default();
    let others = MEMBERS.iter().filter_map(|name| keywords.get(*name)).filter(|_| own.is_none());
    own.into_iter().chain(patterns).chain(others).collect()
}

fn for_items(keywords: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let several = ITEMS_EACH.iter().filter_map(|name| keywords.get(*name)).flat_map(members_of);
    ITEMS.iter().filter_map(|name| keywords.get(*name)).chain(several)
}

/// The schemas for all that a value holds.
fn within(keywords: &Map<String, Value>) -> Vec<&Value> {
    let several = MEMBERS_EACH.iter().filter_map(|name| keywords.get(*name)).flat_map(members_of);
    MEMBERS.iter().filter_map(|name| keywords.get(*name)).chain(several).chain(for_items(keywords)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret() -> Value {
        json!({"type": "string", "writeOnly": true})
    }

    #[test]
    fn secrets_are_found_wherever_they_stand() {
        let schema = json!({
            "properties": {
                "host": {"x-secret-destination": true},
                "password": secret(),
                "absent": secret(),
                "none": secret(),
                "ssl": {"properties": {"key": secret(), "mode": {}}},
                "headers": {"properties": {"Accept": {}}, "additionalProperties": secret()},
                "by/pattern~": {"patternProperties": {"^x": secret()}},
                "whole": {"type": "object", "writeOnly": true, "properties": {"inner": secret()}},
                "writeOnly": {"type": "boolean"},
            },
        });
        let config = json!({
            "host": "db", "password": "p", "none": null, "ssl": {"key": "k", "mode": "m"}, "writeOnly": true,
            "headers": {"Accept": "a", "X-Token": "t"}, "by/pattern~": {"x": "y"}, "whole": {"inner": 1}, "unknown": "u",
        });
        assert_eq!(
            secrets(&schema, &config),
            ["/by~1pattern~0/x", "/headers/X-Token", "/password", "/ssl/key", "/whole"]
        );
        assert_eq!(secret_destinations(&schema, &config), ["/host"]);
    }

    #[test]
    fn every_branch_counts_and_a_schema_may_refer_to_itself() {
        let schema = json!({
            "$defs": {"node": {"properties": {"token": secret(), "next": {"$ref": "#/$defs/node"}},
                               "anyOf": [{"$ref": "#/$defs/node"}, {"$ref": "#/$defs/node"}]}},
            "oneOf": [{"properties": {"auth": {"properties": {"key": secret()}}}},
                      {"properties": {"auth": {"properties": {"user": {}, "password": secret()}}}}],
            "if": {}, "then": {"properties": {"then": secret()}},
            "allOf": [{"$ref": "#/$defs/node"}],
        });
        let config = json!({"auth": {"key": "k", "user": "u", "password": "p"}, "then": "t",
                            "next": {"next": {"token": "deep"}}});
        assert_eq!(secrets(&schema, &config), ["/auth/key", "/auth/password", "/next/next/token", "/then"]);
    }

    #[test]
    fn one_branch_that_marks_the_whole_takes_the_marks_within_it_in() {
        let schema = json!({"anyOf": [{"properties": {"a": secret()}},
                                      {"properties": {"a": {"properties": {"b": secret()}}}}]});
        assert_eq!(secrets(&schema, &json!({"a": {"b": 1}, "ab": 2})), ["/a"]);
    }

    #[test]
    fn a_mark_inside_an_array_is_told_and_makes_all_of_it_secret() {
        let schema = json!({"properties": {
            "tokens": {"items": secret()},
            "logins": {"items": {"properties": {"password": {"$ref": "#/$defs/secret"}}}},
            "names": {"items": {"type": "string"}},
        }, "$defs": {"secret": secret()}});
        assert_eq!(marks_inside_arrays(&schema), ["/properties/logins", "/properties/tokens"]);
        let config = json!({"tokens": ["a"], "logins": [{"password": "b"}], "names": ["c"]});
        assert_eq!(secrets(&schema, &config), ["/logins", "/tokens"]);
        let without = json!({"properties": {"password": secret(), "names": {"items": {}}}});
        assert_eq!(marks_inside_arrays(&without), [""; 0]);
    }

    #[test]
    fn what_is_no_schema_marks_nothing() {
        for schema in
            [json!(true), json!(null), json!([]), json!({"properties": 1, "$ref": "elsewhere", "items": 7})]
        {
            assert_eq!(secrets(&schema, &json!({"a": [1]})), [""; 0]);
        }
        assert_eq!(secrets(&json!({"writeOnly": true}), &json!({})), [""; 0], "not the config as a whole");
    }
}
