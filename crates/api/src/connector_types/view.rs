//! A connector type, as the API shows it.

use inlet_source::{Capabilities, ConnectorType};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A connector type: the kind of source, and what it asks to be set.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConnectorType")]
pub(crate) struct ConnectorTypeView {
    /// Its name: the `type` of its connectors.
    r#type: &'static str,
    /// What it reads, in a sentence.
    summary: &'static str,
    /// What its sources promise at best.
    capabilities: Capabilities,
    /// Whether records are pushed to its connectors.
    accepts_push: bool,
    /// The JSON Schema of its connectors' `config`.
    #[schemars(with = "Map<String, Value>")]
    config_schema: Value,
    /// Its page, in Markdown.
    docs: &'static str,
}

impl ConnectorTypeView {
    /// One for the documents.
    pub(super) fn example() -> Value {
        let capabilities = Capabilities::default();
        json!({
            "type": "some_type", "summary": "Reads something.", "capabilities": capabilities, "accepts_push": false,
            "config_schema": {"type": "object", "properties": {}, "additionalProperties": false}, "docs": "# Some type",
        })
    }
}

impl From<&dyn ConnectorType> for ConnectorTypeView {
    fn from(kind: &dyn ConnectorType) -> Self {
        Self {
            r#type: kind.name(),
            summary: kind.summary(),
            capabilities: kind.capabilities(),
            accepts_push: kind.accepts_push(),
            config_schema: kind.config_schema(),
            docs: kind.docs(),
        }
    }
}
