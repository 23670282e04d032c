//! The settings of a connector, as a caller writes them.

use std::sync::Arc;

use inlet_model::fields::{FieldErrors, Fields};
use inlet_source::{ConnectorType, Registry};
use inlet_store::catalog::ConnectorStatus;
use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::policy::PolicyFields;
use super::schedule::ScheduleFields;
use super::streams::NewStream;
use crate::operation::every_member_optional;

/// Where the config stands in a connector.
const CONFIG: &str = "config";

/// A connector to be made.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; it is read field by field")]
pub(super) struct NewConnector {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// A connector type of the server.
    r#type: String,
    /// What the type asks for.
    config: Option<Map<String, Value>>,
    /// The streams it reads; `null`: all that discovery finds.
    #[schemars(length(min = 1, max = 10_000))]
    streams: Option<Vec<NewStream>>,
    /// Whether it may sync; `active` if it is left out.
    status: Option<ConnectorStatus>,
    /// When it syncs by itself; `null`: never.
    schedule: Option<ScheduleFields>,
    /// What its syncs may do; what is left out is as it is by default.
    policy: Option<PolicyFields>,
}

impl NewConnector {
    /// One for the documents.
    pub(super) fn example() -> Value {
        serde_json::from_str(include_str!("examples/new_connector.json")).expect("the file is JSON")
    }
}

/// What is to be changed of a connector, as a JSON merge patch (RFC 7396).
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = every_member_optional)]
#[expect(dead_code, reason = "it only says what the body is; it is read field by field")]
pub(super) struct ConnectorPatch {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// Its type, which never changes.
    r#type: String,
    /// Members of its config; `null` removes one.
    config: Map<String, Value>,
    /// The streams it reads; `null`: all that discovery finds.
    #[schemars(length(min = 1, max = 10_000))]
    streams: Option<Vec<NewStream>>,
    /// Whether it may sync.
    status: ConnectorStatus,
    /// When it syncs by itself; `null`: never.
    schedule: Option<ScheduleFields>,
    /// What its syncs may do; `null`: as it is by default.
    policy: Option<PolicyFields>,
}

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

/// The thing that `patch`, a JSON merge patch, makes of `document`, before it is read. A member that the patch removes is
/// `null`, and so is one that never was: whoever reads the fields then says that it is not known.
pub(crate) fn patched(document: Value, patch: Value) -> Value {
    let (mut document, patch) = match (document, patch) {
        (Value::Object(document), Value::Object(patch)) => (document, patch),
        (_, patch) => return patch,
    };
    for (name, value) in patch {
        let before = document.remove(&name).unwrap_or(Value::Null);
        document.insert(name, if value.is_null() { value } else { merge_patch(before, value) });
    }
    Value::Object(document)
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
    fn a_member_that_nobody_knows_stays_to_be_refused_even_if_it_is_removed() {
        let document = json!({"name": "a", "config": {"b": 1}});
        let patch = json!({"name": null, "config": {"b": null, "c": 2}, "colour": null});
        let expected = json!({"name": null, "config": {"c": 2}, "colour": null});
        assert_eq!(patched(document, patch), expected);
    }

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
