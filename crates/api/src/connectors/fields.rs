//! The settings of a connector, as a caller writes them.

use std::sync::Arc;

use inlet_model::fields::{FieldErrors, Fields};
use inlet_source::{ConnectorType, Registry};
use inlet_store::catalog::ConnectorStatus;
use serde_json::{Map, Value};

/// Where the config stands in a connector.
const CONFIG: &str = "config";

/// `type`, which must be there and be known.
pub(crate) fn take_type(fields: &mut Fields, registry: &Registry) -> Option<Arc<dyn ConnectorType>> {
    let name = fields.required_string("type")?;
    match registry.get(&name) {
        Ok(kind) => Some(Arc::clone(kind)),
        Err(unknown) => {
            fields.refuse("type", "field.choice", unknown.to_string());
            None
        }
    }
}

/// `config`: an object; none at all is an empty one.
pub(crate) fn take_config(fields: &mut Fields) -> Value {
    Value::Object(fields.object(CONFIG).unwrap_or_default())
}

/// Notes what is wrong with a config, with its place in the connector.
pub(crate) fn refuse_config(fields: &mut Fields, FieldErrors(mut errors): FieldErrors) {
    for error in &mut errors {
        error.pointer.insert_str(0, &fields.pointer_to(CONFIG));
    }
    fields.refuse_all(FieldErrors(errors));
}

/// `status`.
pub(crate) fn take_status(fields: &mut Fields) -> Option<ConnectorStatus> {
    fields.choice("status", &[("active", ConnectorStatus::Active), ("paused", ConnectorStatus::Paused)])
}

/// `target` after a JSON merge patch (RFC 7396).
pub(crate) fn merge_patch(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let mut merged = match target {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            merged.remove(&name);
        } else {
            let before = merged.remove(&name).unwrap_or(Value::Null);
            merged.insert(name, merge_patch(before, value));
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_rfc_7396_hold() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merge_patch(target.clone(), patch.clone()), result, "{target} with {patch}");
        }
    }
}
