//! What a client pushes, checked and brought into the one form in which it waits for a sync.
//!
//! Nothing of a push is taken if anything of it is bad, so that the client can mend it and send it again.

use inlet_model::fields::{FieldError, FieldErrors, step};
use inlet_model::json::{Canonicalizer, Field, JsonError, JsonErrorKind, Limits, Object, find_value_end};
use inlet_model::key::{self, Key, KeyError, encode_fields};

use crate::pushed_line::{CLOSE_UPSERT, OPEN_DATA, PushedLine};

/// How a pushed body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushForm {
    /// One record, or an array of records, each a JSON object.
    Json,
    /// One record a line.
    NdJson,
    /// One envelope a line, or an array of envelopes: `{"op": "upsert" | "delete", "key": …, "data": {…}}`. An upsert has
    /// `data`, and `key` if its key is not in the data; a delete has `key`, or `data` with the fields of the key.
    Envelope,
}

/// A push that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What to store: one line for each record, to be read by [`PushedLine::parse`].
    pub lines: Vec<u8>,
    /// How many records there are.
    pub count: u64,
}

/// The most bad records that are named.
const MAX_ERRORS: usize = 100;

/// What an envelope may take beside the record in it, in bytes: its names, and a key with every byte escaped.
const ENVELOPE: usize = 64 + 8 * key::MAX_LEN;

/// Checks a pushed body and brings it into lines.
///
/// `key_fields` are the fields that make the key, if they are known: every record must have them then. `limits` are those of
/// one record. An error's pointer begins with the record's place in the array, or its line, both counted from 0.
pub fn accept(
    body: &[u8],
    form: PushForm,
    key_fields: &[String],
    limits: Limits,
) -> Result<Accepted, FieldErrors> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut push = Push {
        form,
        key_fields,
        limits,
        canonicalizer: Canonicalizer::new(limits),
        outer: Canonicalizer::new(Limits {
            max_bytes: limits.max_bytes.saturating_add(ENVELOPE),
            max_depth: limits.max_depth.saturating_add(1),
            ..limits
        }),
        envelope: Vec::new(),
        record: Vec::new(),
        key: Vec::new(),
        accepted: Accepted { lines: Vec::with_capacity(body.len()), count: 0 },
        errors: Vec::new(),
    };
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match (form, first) {
        (PushForm::Json | PushForm::Envelope, Some(b'[')) => push.array(body),
        (PushForm::Json, _) => push.take("", body),
        (PushForm::NdJson | PushForm::Envelope, _) => push.lines(body),
    }
    if push.errors.is_empty() { Ok(push.accepted) } else { Err(FieldErrors(push.errors)) }
}

struct Push<'a> {
    form: PushForm,
    key_fields: &'a [String],
    limits: Limits,
    canonicalizer: Canonicalizer,
    /// Reads envelopes, which are larger than the records in them.
    outer: Canonicalizer,
    envelope: Vec<u8>,
    record: Vec<u8>,
    key: Vec<u8>,
    accepted: Accepted,
    errors: Vec<FieldError>,
}

/// What is wrong with one record.
struct Bad {
    /// The pointer to the field within the record; empty if it is the whole.
    field: String,
    code: &'static str,
    detail: String,
}

impl Bad {
    fn at(field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { field: field.to_owned(), code, detail: detail.into() }
    }

    fn json(error: &JsonError, limits: Limits) -> Self {
        let (code, detail) = match error.kind() {
            JsonErrorKind::TooLarge { .. } => {
                ("record.too_large", format!("the record has more than {} bytes", limits.max_bytes))
            }
            _ => (error.code(), error.to_string()),
        };
        Self { field: String::new(), code, detail }
    }

    fn key(error: &KeyError, parent: &str) -> Self {
        let field = parent.to_owned() + &error.field().map(step).unwrap_or_default();
        Self { field, code: error.code(), detail: error.to_string() }
    }
}

impl Push<'_> {
    fn lines(&mut self, body: &[u8]) {
        for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
            if !line.iter().all(u8::is_ascii_whitespace) {
                self.take(&format!("/{index}"), line);
            }
            if self.errors.len() == MAX_ERRORS {
                return;
            }
        }
    }

    /// Takes the elements of the array that is `body`.
    fn array(&mut self, body: &[u8]) {
        let (mut rest, mut index) = (after_space(body).get(1..).unwrap_or_default(), 0_usize);
        let mut wants_more = false;
        loop {
            rest = after_space(rest);
            if !wants_more && rest.first() == Some(&b']') {
                break;
            }
            let Some(len) = find_value_end(rest).filter(|len| *len < rest.len()) else {
                return self
                    .broken(index, "a record should stand here, and the array should end behind the last");
            };
            self.take(&format!("/{index}"), &rest[..len]);
            if self.errors.len() == MAX_ERRORS {
                return;
            }
            rest = after_space(&rest[len..]);
            wants_more = rest.first() == Some(&b',');
            match rest.first() {
                Some(b',') => rest = &rest[1..],
                Some(b']') => {}
                _ => return self.broken(index, "a comma or the end of the array should follow this record"),
            }
            index += 1;
        }
        if !after_space(&rest[1..]).is_empty() {
            let detail = "text follows the end of the array".to_owned();
            self.errors.push(FieldError { pointer: String::new(), code: "json.syntax", detail });
        }
    }

    fn broken(&mut self, index: usize, detail: &str) {
        let (pointer, detail) = (format!("/{index}"), detail.to_owned());
        self.errors.push(FieldError { pointer, code: "json.syntax", detail });
    }

    /// Takes one record, or notes what is wrong with it.
    fn take(&mut self, pointer: &str, raw: &[u8]) {
        let lines = self.accepted.lines.len();
        let taken = match self.form {
            PushForm::Json | PushForm::NdJson => self.record(raw),
            PushForm::Envelope => self.envelope(raw),
        };
        match taken {
            Ok(()) => self.accepted.count += 1,
            Err(Bad { field, code, detail }) => {
                self.accepted.lines.truncate(lines);
                let pointer = format!("{pointer}{field}");
                self.errors.push(FieldError { pointer, code, detail });
            }
        }
    }

    fn record(&mut self, raw: &[u8]) -> Result<(), Bad> {
        let lines = &mut self.accepted.lines;
        lines.extend_from_slice(OPEN_DATA);
        let record = self.canonicalizer.object(raw, lines).map_err(|error| Bad::json(&error, self.limits))?;
        if !self.key_fields.is_empty() {
            self.key.clear();
            encode_fields(&record, self.key_fields, &mut self.key).map_err(|error| Bad::key(&error, ""))?;
        }
        lines.extend_from_slice(CLOSE_UPSERT);
        lines.push(b'\n');
        Ok(())
    }

    fn envelope(&mut self, raw: &[u8]) -> Result<(), Bad> {
        self.envelope.clear();
        let envelope = self.outer.object(raw, &mut self.envelope);
        let envelope = envelope.map_err(|error| Bad::json(&error, self.limits))?;
        let parts = Parts::of(&envelope, &self.envelope)?;
        if parts.data.is_some_and(|data| data.len() > self.limits.max_bytes) {
            return Err(too_large(self.limits));
        }
        let stated = match parts.key {
            Some(key) => Some(Key::from_json(key).map_err(|error| Bad::key(&error, "/key"))?.to_json()),
            None => None,
        };
        let found = match (stated, parts.data) {
            (None, Some(data)) if !self.key_fields.is_empty() => {
                self.record.clear();
                let record = self.canonicalizer.object(data, &mut self.record);
                let record = record.map_err(|error| Bad::json(&error, self.limits))?;
                Some(
                    key_of(&record, self.key_fields, &mut self.key)
                        .map_err(|error| Bad::key(&error, "/data"))?,
                )
            }
            (stated, _) => stated,
        };
        let line = match (parts.op, parts.data, &found) {
            (PushOp::Upsert, Some(data), _) => {
                PushedLine::Upsert { key: parts.key.and(found.as_deref()).map(str::as_bytes), data }
            }
            (PushOp::Delete, _, Some(key)) => PushedLine::Delete { key: key.as_bytes() },
            (PushOp::Upsert, None, _) => {
                return Err(Bad::at("/data", "field.required", "an upsert has `data`, an object"));
            }
            (PushOp::Delete, _, None) => {
                let detail = "a delete has `key`, or `data` with the fields of the key";
                return Err(Bad::at("/key", "field.required", detail));
            }
        };
        line.write(&mut self.accepted.lines);
        Ok(())
    }
}

/// The key of a record as JSON.
fn key_of(record: &Object<'_>, fields: &[String], scratch: &mut Vec<u8>) -> Result<String, KeyError> {
    scratch.clear();
    encode_fields(record, fields, scratch)?;
    Ok(Key::from_encoded(&scratch[..])?.to_json())
}

fn too_large(limits: Limits) -> Bad {
    let detail = format!("the record has more than {} bytes", limits.max_bytes);
    Bad { field: String::new(), code: "record.too_large", detail }
}

#[derive(Debug, Clone, Copy)]
enum PushOp {
    Upsert,
    Delete,
}

/// The parts of an envelope.
struct Parts<'a> {
    op: PushOp,
    key: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    fn of(envelope: &Object<'_>, canonical: &'a [u8]) -> Result<Self, Bad> {
        let (mut op, mut key, mut data) = (None, None, None);
        for field in envelope.fields() {
            let value = &canonical[field.span()];
            match field.name() {
                Some("op") => op = Some(Self::op(&field)?),
                Some("key") => key = Some(value),
                Some("data") if value.first() == Some(&b'{') => data = Some(value),
                Some("data") => return Err(Bad::at("/data", "field.type", "`data` is an object")),
                name => {
                    let name = name.unwrap_or("?");
                    let detail =
                        format!("`{name}` is not a field of an envelope; the fields are `op`, `key`, `data`");
                    return Err(Bad::at(&step(name), "field.unknown", detail));
                }
            }
        }
        let Some(op) = op else {
            return Err(Bad::at("/op", "field.required", "`op` is required: `upsert` or `delete`"));
        };
        Ok(Self { op, key, data })
    }

    fn op(field: &Field<'_>) -> Result<PushOp, Bad> {
        match field.scalar() {
            Some(b"\"upsert\"") => Ok(PushOp::Upsert),
            Some(b"\"delete\"") => Ok(PushOp::Delete),
            _ => Err(Bad::at("/op", "field.choice", "`op` is one of `upsert`, `delete`")),
        }
    }
}

fn after_space(text: &[u8]) -> &[u8] {
    text.trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { max_depth: 8, max_bytes: 60, ..Limits::default() }
    }

    fn pushed(
        body: &str,
        form: PushForm,
        key_fields: &[&str],
    ) -> Result<String, Vec<(String, &'static str)>> {
        let key_fields: Vec<String> = key_fields.iter().map(|field| (*field).to_owned()).collect();
        match accept(body.as_bytes(), form, &key_fields, limits()) {
            Ok(accepted) => {
                let lines = String::from_utf8(accepted.lines).unwrap();
                assert_eq!(lines.lines().count() as u64, accepted.count);
                assert!(lines.lines().all(|line| PushedLine::parse(line.as_bytes()).is_some()));
                Ok(lines)
            }
            Err(errors) => Err(errors.0.into_iter().map(|error| (error.pointer, error.code)).collect()),
        }
    }

    fn bad(errors: &[(&str, &'static str)]) -> Result<String, Vec<(String, &'static str)>> {
        Err(errors.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect())
    }

    #[test]
    fn records_come_in_an_array_alone_or_by_lines() {
        let both = "{\"data\":{\"a\":1,\"b\":2},\"op\":\"upsert\"}\n{\"data\":{},\"op\":\"upsert\"}\n";
        assert_eq!(pushed(" [{\"b\": 2, \"a\": 1} , {}] ", PushForm::Json, &[]).unwrap(), both);
        assert_eq!(pushed("\u{feff}{\"b\":2,\"a\":1}\r\n\n{}", PushForm::NdJson, &[]).unwrap(), both);
        assert_eq!(
            pushed("{\n\"a\": 1}\n", PushForm::Json, &[]).unwrap(),
            "{\"data\":{\"a\":1},\"op\":\"upsert\"}\n"
        );
        assert_eq!(pushed("[]", PushForm::Json, &[]).unwrap(), "");
        assert_eq!(pushed("", PushForm::NdJson, &[]).unwrap(), "");
    }

    #[test]
    fn every_bad_record_is_named() {
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(60));
        let body = format!(
            r#"[{{"id":1}},{{"id":null}},7,{{"x":1}},{{"id":2,"id":3}},{{"id":[[[[[[[[1]]]]]]]]}},{long},{{"id" 1}}]"#
        );
        assert_eq!(
            pushed(&body, PushForm::Json, &["id"]),
            bad(&[
                ("/1/id", "key.null"),
                ("/2", "json.not_an_object"),
                ("/3/id", "key.missing_field"),
                ("/4", "json.duplicate_name"),
                ("/5", "json.too_deep"),
                ("/6", "record.too_large"),
                ("/7", "json.syntax"),
            ])
        );
        assert_eq!(
            pushed("{}\n\n{\n{}\noops", PushForm::NdJson, &[]),
            bad(&[("/2", "json.syntax"), ("/4", "json.syntax")])
        );
        assert_eq!(pushed("{\"a/b\":null}", PushForm::Json, &["a/b"]), bad(&[("/a~1b", "key.null")]));
    }

    #[test]
    fn a_broken_body_is_said_to_be_broken() {
        for (body, pointer) in [
            ("[", "/0"),
            ("[{}", "/0"),
            ("[{},", "/1"),
            ("[{},]", "/1"),
            ("[{} {}]", "/0"),
            ("[{}]x", ""),
            ("[,{}]", "/0"),
        ] {
            assert_eq!(pushed(body, PushForm::Json, &[]), bad(&[(pointer, "json.syntax")]), "{body}");
        }
        assert_eq!(pushed("", PushForm::Json, &[]), bad(&[("", "json.syntax")]));
        assert_eq!(pushed("\"x\"", PushForm::Json, &[]), bad(&[("", "json.not_an_object")]));
    }

    #[test]
    fn so_many_errors_are_named_and_no_more() {
        let errors = pushed(&"x\n".repeat(1000), PushForm::NdJson, &[]).unwrap_err();
        assert_eq!(errors.len(), MAX_ERRORS);
        let errors = pushed(&format!("[{}]", "1,".repeat(1000)), PushForm::Json, &[]).unwrap_err();
        assert_eq!(errors.len(), MAX_ERRORS);
    }

    #[test]
    fn envelopes_upsert_and_delete() {
        let body = r#"
            {"op": "upsert", "data": {"id": 1, "a": "}"}}
            {"op": "upsert", "key": [ "x", 1.0 ], "data": {"b": []}}
            {"op": "delete", "key": "x"}
            {"op": "delete", "data": {"id": 7, "other": true}}
        "#;
        let expected = [
            r#"{"data":{"a":"}","id":1},"op":"upsert"}"#,
            r#"{"data":{"b":[]},"key":["x",1],"op":"upsert"}"#,
            r#"{"key":"x","op":"delete"}"#,
            r#"{"key":7,"op":"delete"}"#,
        ];
        assert_eq!(pushed(body, PushForm::Envelope, &["id"]).unwrap(), expected.join("\n") + "\n");
        let array = format!("[{}]", body.trim().replace("}\n", "},\n"));
        assert_eq!(pushed(&array, PushForm::Envelope, &["id"]).unwrap(), expected.join("\n") + "\n");
    }

    #[test]
    fn bad_envelopes_are_named() {
        let body = [
            r#"{"data":{}}"#,
            r#"{"op":"patch","data":{}}"#,
            r#"{"op":"upsert"}"#,
            r#"{"op":"upsert","data":[1]}"#,
            r#"{"op":"upsert","data":{"id":null}}"#,
            r#"{"op":"delete"}"#,
            r#"{"op":"delete","key":null}"#,
            r#"{"op":"delete","key":{}}"#,
            r#"{"op":"delete","data":{}}"#,
            r#"{"op":"delete","key":1,"extra/":1}"#,
        ]
        .join("\n");
        assert_eq!(
            pushed(&body, PushForm::Envelope, &["id"]),
            bad(&[
                ("/0/op", "field.required"),
                ("/1/op", "field.choice"),
                ("/2/data", "field.required"),
                ("/3/data", "field.type"),
                ("/4/data/id", "key.null"),
                ("/5/key", "field.required"),
                ("/6/key", "key.null"),
                ("/7/key", "key.not_a_scalar"),
                ("/8/data/id", "key.missing_field"),
                ("/9/extra~1", "field.unknown"),
            ])
        );
    }
}
