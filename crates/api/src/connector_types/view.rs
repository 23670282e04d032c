//! A connector type, as the API shows it.

use inlet_source::{Capabilities, ConnectorType};
use serde::Serialize;
use serde_json::Value;

/// A connector type.
#[derive(Debug, Serialize)]
pub(crate) struct ConnectorTypeView {
    /// Its name: the `type` of its connectors.
    r#type: &'static str,
    summary: &'static str,
    /// What its sources promise at best.
    capabilities: Capabilities,
    /// Whether records are pushed to its connectors.
    accepts_push: bool,
    /// The JSON Schema of its connectors' `config`.
    config_schema: Value,
    /// Its page, in Markdown.
    docs: &'static str,
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
