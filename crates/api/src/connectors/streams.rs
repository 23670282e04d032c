//! The streams of a connector, as a caller writes them.

use inlet_model::StreamName;
use inlet_model::fields::{FieldError, FieldErrors, Fields};
use inlet_model::stream::{StreamSettings, WriteMode};
use inlet_model::sync::SyncMode;
use schemars::JsonSchema;
use serde_json::Value;

/// The most streams that one connector selects.
const MAX: usize = 10_000;

/// A stream to be read.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; it is read field by field")]
pub(super) struct NewStream {
    /// Its name in the source.
    name: StreamName,
    /// How it is read when a sync does not say.
    mode: Option<SyncMode>,
    /// How its records enter the collection.
    write_mode: Option<WriteMode>,
    /// The fields that make a record's key; empty where the source gives each record one.
    primary_key: Option<Vec<String>>,
    /// The field by which incremental reads advance.
    #[schemars(length(min = 1, max = 255))]
    cursor_field: Option<String>,
    /// The fields to keep; `null` keeps all.
    fields: Option<Vec<String>>,
}

/// Takes `streams`: an array of stream settings, or `null` (`None`) for all that discovery finds.
pub(crate) fn take(fields: &mut Fields) -> Option<Vec<StreamSettings>> {
    let items = match fields.take("streams")? {
        Value::Null => return None,
        Value::Array(items) if (1..=MAX).contains(&items.len()) => items,
        Value::Array(items) => {
            let detail = format!(
                "`streams` has 1 to {MAX} entries, found {}; `null` selects all streams",
                items.len()
            );
            fields.refuse("streams", "field.length", detail);
            return None;
        }
        _ => {
            fields.refuse("streams", "field.type", "expected an array of streams, or `null` for all streams");
            return None;
        }
    };
    let mut streams: Vec<StreamSettings> = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let pointer = format!("{}/{index}", fields.pointer_to("streams"));
        match one(&pointer, item) {
            Ok(stream) if streams.iter().any(|known| known.name == stream.name) => {
                let detail = format!("the stream `{}` stands here twice", stream.name);
                let pointer = format!("{pointer}/name");
                fields.refuse_all(FieldErrors(vec![FieldError { pointer, code: "field.duplicate", detail }]));
            }
            Ok(stream) => streams.push(stream),
            Err(errors) => fields.refuse_all(errors),
        }
    }
    Some(streams)
}

fn one(pointer: &str, item: Value) -> Result<StreamSettings, FieldErrors> {
    let mut fields = Fields::at(pointer.to_owned(), item)?;
    let name = fields.required_string("name");
    let name = name.and_then(|name| {
        StreamName::new(&name).map_err(|error| fields.refuse("name", "field.format", error.to_string())).ok()
    });
    let mode = fields
        .choice("mode", &[("incremental", SyncMode::Incremental), ("full_refresh", SyncMode::FullRefresh)]);
    let write_mode = fields.choice("write_mode", &[("upsert", WriteMode::Upsert)]);
    let primary_key = fields.strings("primary_key").unwrap_or_default();
    let cursor_field = fields.text("cursor_field", StreamName::MAX_LEN);
    let selected = fields.strings("fields");
    fields.finish()?;
    Ok(StreamSettings {
        name: name.expect("its absence was refused"),
        mode: mode.unwrap_or_default(),
        write_mode: write_mode.unwrap_or_default(),
        primary_key,
        cursor_field,
        fields: selected,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(streams: Value) -> Result<Option<Vec<StreamSettings>>, Vec<(String, &'static str)>> {
        let mut fields = Fields::new(json!({ "streams": streams })).unwrap();
        let streams = take(&mut fields);
        let named =
            |errors: FieldErrors| errors.0.into_iter().map(|error| (error.pointer, error.code)).collect();
        fields.finish().map(|()| streams).map_err(named)
    }

    #[test]
    fn a_name_is_enough_and_null_selects_all() {
        let streams = taken(json!([{"name": "orders"}])).unwrap().unwrap();
        assert_eq!(
            serde_json::to_value(&streams).unwrap(),
            json!([{"name": "orders", "mode": "incremental", "write_mode": "upsert", "primary_key": [],
                    "cursor_field": null, "fields": null}])
        );
        assert_eq!(taken(Value::Null), Ok(None));
    }

    #[test]
    fn what_is_shown_can_be_sent_back() {
        let shown = json!([{"name": "orders", "mode": "full_refresh", "write_mode": "upsert",
                            "primary_key": ["a", "b"], "cursor_field": "at", "fields": ["a", "b", "at"]}]);
        let streams = taken(shown.clone()).unwrap().unwrap();
        assert_eq!(serde_json::to_value(&streams).unwrap(), shown);
    }

    #[test]
    fn every_bad_field_of_every_stream_is_named() {
        let errors =
            taken(json!([{"name": ""}, 5, {"mode": "sometimes", "colour": 1}, {"name": "a"}, {"name": "a"}]));
        let expected = [
            ("/streams/0/name", "field.format"),
            ("/streams/1", "field.type"),
            ("/streams/2/name", "field.required"),
            ("/streams/2/mode", "field.choice"),
            ("/streams/2/colour", "field.unknown"),
            ("/streams/4/name", "field.duplicate"),
        ];
        assert_eq!(errors.unwrap_err(), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(taken(json!([])).unwrap_err(), [("/streams".to_owned(), "field.length")]);
        assert_eq!(taken(json!("all")).unwrap_err(), [("/streams".to_owned(), "field.type")]);
    }
}
