//! The streams of a connector, as a caller writes them.

use std::ops::RangeInclusive;

use inlet_model::StreamName;
use inlet_model::fields::{FieldError, FieldErrors, Fields};
use inlet_model::mask::Masking;
use inlet_model::stream::{StreamSettings, WriteMode};
use inlet_model::sync::SyncMode;
use inlet_source::ConnectorType;
use schemars::JsonSchema;
use serde_json::Value;

use super::masking;

/// The most streams that one connector selects.
pub(super) const MAX: usize = 10_000;

/// The most fields of a key, and of a record; the longest name of one.
const MAX_KEY_FIELDS: usize = 32;
const MAX_FIELDS: usize = 1_000;
const MAX_FIELD_NAME: usize = 1_000;

const WRITE_MODES: &[(&str, WriteMode)] =
    &[("upsert", WriteMode::Upsert), ("append", WriteMode::Append), ("replace", WriteMode::Replace)];

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
    /// What becomes of values that are not to be kept as they are, by the name of their field, or by a JSON Pointer, which
    /// begins with a slash.
    masking: Option<Masking>,
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
    let write_mode = fields.choice("write_mode", WRITE_MODES).unwrap_or_default();
    let primary_key = take_names(&mut fields, "primary_key", 0..=MAX_KEY_FIELDS).unwrap_or_default();
    let cursor_field = fields.text("cursor_field", MAX_FIELD_NAME);
    let selected = take_names(&mut fields, "fields", 1..=MAX_FIELDS);
    let masking = masking::take(&mut fields);
    masking::check(&mut fields, &masking, &primary_key, cursor_field.as_deref());
    let mode = mode_of(&mut fields, mode, write_mode);
    fields.finish()?;
    let name = name.expect("its absence was refused");
    Ok(StreamSettings { name, mode, write_mode, primary_key, cursor_field, fields: selected, masking })
}

/// How the stream is read. One that is replaced is always listed.
fn mode_of(fields: &mut Fields, written: Option<SyncMode>, write_mode: WriteMode) -> SyncMode {
    if write_mode != WriteMode::Replace {
        return written.unwrap_or_default();
    }
    if written == Some(SyncMode::Incremental) {
        let detail = "with `write_mode` `replace` the whole stream is read by each sync: leave `mode` out";
        fields.refuse("mode", "field.value", detail);
    }
    SyncMode::FullRefresh
}

/// Refuses what a connector of this type cannot do with its streams.
pub(super) fn check_type(fields: &mut Fields, streams: Option<&[StreamSettings]>, kind: &dyn ConnectorType) {
    if !kind.accepts_push() {
        return;
    }
    for (index, stream) in streams.unwrap_or_default().iter().enumerate() {
        if stream.write_mode == WriteMode::Replace {
            let pointer = format!("{}/{index}/write_mode", fields.pointer_to("streams"));
            let detail = "what is pushed is never the whole stream, so nothing can be replaced by it: \
                          choose `upsert` or `append`";
            let error = FieldError { pointer, code: "field.value", detail: detail.to_owned() };
            fields.refuse_all(FieldErrors(vec![error]));
        }
    }
}

/// The names of fields of a record: none empty, none twice.
fn take_names(fields: &mut Fields, name: &'static str, count: RangeInclusive<usize>) -> Option<Vec<String>> {
    let names = fields.strings(name)?;
    if !count.contains(&names.len()) {
        let (least, most) = count.into_inner();
        let detail = format!("`{name}` has {least} to {most} entries, found {}", names.len());
        fields.refuse(name, "field.length", detail);
        return None;
    }
    let mut errors = Vec::new();
    for (index, field) in names.iter().enumerate() {
        let pointer = format!("{}/{index}", fields.pointer_to(name));
        let length = field.chars().count();
        if !(1..=MAX_FIELD_NAME).contains(&length) {
            let detail = format!("the name of a field has 1 to {MAX_FIELD_NAME} characters, found {length}");
            errors.push(FieldError { pointer, code: "field.length", detail });
        } else if names.iter().position(|other| other == field) != Some(index) {
            let detail = format!("the field `{field}` stands here twice");
            errors.push(FieldError { pointer, code: "field.duplicate", detail });
        }
    }
    fields.refuse_all(FieldErrors(errors));
    Some(names)
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
                    "cursor_field": null, "fields": null, "masking": {}}])
        );
        assert_eq!(taken(Value::Null), Ok(None));
    }

    #[test]
    fn what_is_shown_can_be_sent_back() {
        let shown = json!([{"name": "orders", "mode": "full_refresh", "write_mode": "upsert",
                            "primary_key": ["a", "b"], "cursor_field": "at", "fields": ["a", "b", "at"],
                            "masking": {"a": "hash", "/c/d": "drop", "e": "redact"}}]);
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
        let errors = taken(json!([
            {"name": "a", "primary_key": ["id", "", "id"], "cursor_field": "", "fields": []},
            {"name": "b", "write_mode": "replace", "mode": "incremental"},
            {"name": "c", "write_mode": "sideways", "fields": "all"},
        ]));
        let expected = [
            ("/streams/0/primary_key/1", "field.length"),
            ("/streams/0/primary_key/2", "field.duplicate"),
            ("/streams/0/cursor_field", "field.length"),
            ("/streams/0/fields", "field.length"),
            ("/streams/1/mode", "field.value"),
            ("/streams/2/write_mode", "field.choice"),
            ("/streams/2/fields", "field.type"),
        ];
        assert_eq!(errors.unwrap_err(), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(taken(json!([])).unwrap_err(), [("/streams".to_owned(), "field.length")]);
        assert_eq!(taken(json!("all")).unwrap_err(), [("/streams".to_owned(), "field.type")]);
    }

    #[test]
    fn a_stream_that_is_replaced_is_always_listed() {
        let streams = taken(json!([{"name": "a", "write_mode": "replace"}])).unwrap().unwrap();
        assert_eq!(streams[0].mode, SyncMode::FullRefresh);
    }

    #[test]
    fn masking_that_cannot_be_is_named() {
        let errors = taken(json!([{
            "name": "a", "primary_key": ["id", "no"], "cursor_field": "at",
            "masking": {
                "/at/x": "drop", "/id/x": "hash", "/p/q": "hash", "/q~": "drop", "at": "hash", "id": "drop", "no": "hash",
                "p": "redact", "x/y": "blur", "": 1,
            },
        }]));
        let mut errors = errors.unwrap_err();
        errors.sort_unstable();
        let expected = [
            ("/streams/0/masking/", "field.choice"),
            ("/streams/0/masking/", "field.format"),
            ("/streams/0/masking/at", "field.value"),
            ("/streams/0/masking/id", "field.value"),
            ("/streams/0/masking/p", "field.value"),
            ("/streams/0/masking/x~1y", "field.choice"),
            ("/streams/0/masking/~1at~1x", "field.value"),
            ("/streams/0/masking/~1id~1x", "field.value"),
            ("/streams/0/masking/~1q~0", "field.format"),
        ];
        assert_eq!(errors, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(
            taken(json!([{"name": "a", "masking": "all"}])).unwrap_err(),
            [("/streams/0/masking".to_owned(), "field.type")]
        );
    }
}
