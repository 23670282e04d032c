//! What a connector allows its syncs, as a caller writes it.

use inlet_model::fields::{FieldErrors, Fields};
use inlet_model::policy::{ConnectorPolicy, DeleteLimit, SchemaPolicy};
use schemars::JsonSchema;
use serde_json::Value;

/// More than any source has, and less than SQLite's greatest integer.
const MANY: u64 = 1 << 53;

/// What a connector allows its syncs. What is left out is as it is by default.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewPolicy")]
#[expect(dead_code, reason = "it only says what the field is; `take` reads it")]
pub(super) struct PolicyFields {
    /// A sync that rejects more records than this fails.
    #[schemars(range(max = MANY))]
    max_rejected: Option<u64>,
    /// Deletes of more than this wait for a person.
    approve_deletes_over: Option<LimitFields>,
    /// What becomes of records that are not of the schema known so far.
    schema: Option<SchemaPolicy>,
    /// A connector of which so many syncs in a row have failed is paused; 0: it never is.
    pause_after_failures: Option<u32>,
}

/// A delete is unusual if it takes more than both. With 100 percent none is.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewDeleteLimit")]
#[expect(dead_code, reason = "it only says what the field is; `read_limit` reads it")]
struct LimitFields {
    /// A part of the stream's records, in percent.
    #[schemars(range(max = 100))]
    percent: Option<u8>,
    /// A number of records.
    #[schemars(range(max = MANY))]
    records: Option<u64>,
}

/// Takes `policy`: what it leaves out, or all of it if it is `null` or not there, is as it is by default.
pub(crate) fn take(fields: &mut Fields) -> ConnectorPolicy {
    let pointer = fields.pointer_to("policy");
    match fields.take("policy") {
        None | Some(Value::Null) => ConnectorPolicy::default(),
        Some(written) => read(pointer, written).unwrap_or_else(|errors| {
            fields.refuse_all(errors);
            ConnectorPolicy::default()
        }),
    }
}

fn read(pointer: String, written: Value) -> Result<ConnectorPolicy, FieldErrors> {
    let default = ConnectorPolicy::default();
    let mut fields = Fields::at(pointer, written)?;
    let max_rejected = fields.integer("max_rejected", 0..=MANY);
    let approve_deletes_over = take_limit(&mut fields);
    let schemas = [
        ("evolve", SchemaPolicy::Evolve),
        ("freeze", SchemaPolicy::Freeze),
        ("reject_record", SchemaPolicy::RejectRecord),
    ];
    let schema = fields.choice("schema", &schemas);
    let pause_after_failures = fields.integer("pause_after_failures", 0..=u64::from(u32::MAX));
    fields.finish()?;
    Ok(ConnectorPolicy {
        max_rejected: max_rejected.unwrap_or(default.max_rejected),
        approve_deletes_over,
        schema: schema.unwrap_or_default(),
        pause_after_failures: pause_after_failures
            .and_then(|failures| u32::try_from(failures).ok())
            .unwrap_or(default.pause_after_failures),
    })
}

fn take_limit(fields: &mut Fields) -> DeleteLimit {
    const NAME: &str = "approve_deletes_over";
    let pointer = fields.pointer_to(NAME);
    let Some(written) = fields.object(NAME) else { return DeleteLimit::default() };
    read_limit(pointer, written.into()).unwrap_or_else(|errors| {
        fields.refuse_all(errors);
        DeleteLimit::default()
    })
}

fn read_limit(pointer: String, written: Value) -> Result<DeleteLimit, FieldErrors> {
    let default = DeleteLimit::default();
    let mut fields = Fields::at(pointer, written)?;
    let percent = fields.integer("percent", 0..=100).and_then(|percent| u8::try_from(percent).ok());
    let records = fields.integer("records", 0..=MANY);
    fields.finish()?;
    Ok(DeleteLimit {
        percent: percent.unwrap_or(default.percent),
        records: records.unwrap_or(default.records),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(policy: Value) -> Result<Value, Vec<(String, &'static str)>> {
        let mut fields = Fields::new(json!({ "policy": policy })).unwrap();
        let policy = take(&mut fields);
        let named =
            |errors: FieldErrors| errors.0.into_iter().map(|error| (error.pointer, error.code)).collect();
        fields.finish().map(|()| serde_json::to_value(policy).unwrap()).map_err(named)
    }

    #[test]
    fn what_is_shown_can_be_sent_back_and_the_rest_is_the_default() {
        let shown = json!({
            "max_rejected": 0, "approve_deletes_over": {"percent": 100, "records": 5}, "schema": "freeze",
            "pause_after_failures": 0,
        });
        assert_eq!(taken(shown.clone()), Ok(shown));
        let default = json!({
            "max_rejected": 1000, "approve_deletes_over": {"percent": 20, "records": 100}, "schema": "evolve",
            "pause_after_failures": 10,
        });
        for written in [json!(null), json!({}), json!({"approve_deletes_over": {"percent": 20}})] {
            assert_eq!(taken(written), Ok(default.clone()));
        }
    }

    #[test]
    fn every_bad_field_is_named() {
        let errors = taken(json!({
            "max_rejected": -1, "approve_deletes_over": {"percent": 101, "records": "few", "of": 1}, "schema": "melt",
            "colour": 1,
        }));
        let expected = [
            ("/policy/max_rejected", "field.type"),
            ("/policy/approve_deletes_over/percent", "field.range"),
            ("/policy/approve_deletes_over/records", "field.type"),
            ("/policy/approve_deletes_over/of", "field.unknown"),
            ("/policy/schema", "field.choice"),
            ("/policy/colour", "field.unknown"),
        ];
        assert_eq!(errors.unwrap_err(), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(taken(json!("strict")).unwrap_err(), [("/policy".to_owned(), "field.type")]);
    }
}
