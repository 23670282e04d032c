//! What a user sets: nothing.

use inlet_model::fields::{FieldErrors, Fields};
use inlet_source::{Capabilities, ConnectorType, Environment, Source};
use serde_json::{Value, json};

use super::{CAPABILITIES, Pushes};

/// The connector type `external_source`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExternalSource;

impl ConnectorType for ExternalSource {
    fn name(&self) -> &'static str {
        "external_source"
    }

    fn summary(&self) -> &'static str {
        "Takes the records that programs push over the API"
    }

    fn config_schema(&self) -> Value {
        schema()
    }

    fn docs(&self) -> &'static str {
        include_str!("docs.md")
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn accepts_push(&self) -> bool {
        true
    }

    fn build(&self, config: Value, _environment: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        read(config)?;
        Ok(Box::new(Pushes))
    }
}

/// Checks a config; `null` is as good as `{}`.
fn read(config: Value) -> Result<(), FieldErrors> {
    match config {
        Value::Null => Ok(()),
        config => Fields::new(config)?.finish(),
    }
}

/// The JSON Schema of the config.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "External source",
        "description": "Records that programs push over the API: there is nothing to set.",
        "type": "object",
        "additionalProperties": false,
        "properties": {},
        "examples": [{}],
    })
}
