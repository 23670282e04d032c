//! What a user sets: nothing.

use inlet_model::fields::{FieldErrors, Fields};
use serde_json::{Value, json};

/// Checks a config; `null` is as good as `{}`.
pub(super) fn read(config: Value) -> Result<(), FieldErrors> {
    match config {
        Value::Null => Ok(()),
        config => Fields::new(config)?.finish(),
    }
}

/// The JSON Schema of the config.
pub(super) fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": {},
    })
}
