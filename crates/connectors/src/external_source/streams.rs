//! Which streams there are: the one that a push goes to when it names none.

use inlet_model::StreamName;
use inlet_source::StreamSpec;
use serde_json::json;

/// Where a push goes that names no stream.
const DEFAULT: &str = "records";

pub(super) fn all() -> Vec<StreamSpec> {
    let name = StreamName::new(DEFAULT).expect("the name is short and plain");
    vec![StreamSpec {
        name,
        schema: json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}),
        primary_key: Vec::new(),
        cursor_field: None,
        estimated_records: None,
    }]
}
