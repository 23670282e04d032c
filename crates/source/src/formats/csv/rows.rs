//! From the fields of a CSV record to canonical JSON in the batch, and to its key. No I/O.

use inlet_model::Rejection;
use inlet_model::json::{Canonicalizer, Limits, is_canonical_number, write_string};
use inlet_model::key::{KeyEncoder, KeyError};

use super::split::FieldSpan;
use super::{Column, ColumnType, Kind};
use crate::formats::Target;
use crate::{ErrorKind, SourceError, encode_row_key};

/// Why a record was refused.
#[derive(Debug)]
pub(super) struct Refused {
    code: &'static str,
    reason: String,
}

impl Refused {
    pub(super) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    pub(super) fn rejection(self, position: u64, raw: &[u8]) -> Rejection {
        Rejection::new(position, self.code, self.reason, raw)
    }
}

impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// A column on its way out.
#[derive(Debug)]
struct Output {
    /// Which field of a record it is.
    index: usize,
    /// What stands before its value: the comma or the opening brace, the name, the colon.
    lead: Box<[u8]>,
    name: String,
    kind: Kind,
    /// Whether the key needs to know where the value lies.
    in_key: bool,
}

/// A record that was found: its text, its fields, and its number in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) text: &'a [u8],
    pub(super) fields: &'a [FieldSpan],
    pub(super) number: u64,
}

/// Writes the records of one file.
#[derive(Debug)]
pub(super) struct RowWriter {
    width: usize,
    quote: Option<u8>,
    /// In the order of their names, as canonical JSON has them.
    outputs: Vec<Output>,
    /// For each field of the key its place in `outputs`; empty: path and row number are the key.
    key: Vec<usize>,
    path: String,
    nulls: Nulls,
    max_record_bytes: usize,
    canonicalizer: Canonicalizer,
    /// Where the values lie in the arena that the key needs, by place in `outputs`.
    spans: Vec<(usize, usize)>,
    unquoted: String,
    tokens: Vec<u8>,
}

/// The texts that stand for null.
#[derive(Debug)]
struct Nulls {
    empty: bool,
    others: Vec<String>,
}

impl Nulls {
    fn new(texts: &[String]) -> Self {
        let others = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
        Self { empty: texts.iter().any(String::is_empty), others }
    }

    #[inline]
    fn contain(&self, text: &str) -> bool {
        if text.is_empty() { self.empty } else { self.others.iter().any(|null| null == text) }
    }
}

impl RowWriter {
    /// A writer for the columns a file turned out to have. It is an error if the key needs one it does not have.
    pub(super) fn new(
        columns: Vec<Column>,
        quote: Option<u8>,
        null_values: &[String],
        target: Target<'_>,
    ) -> Result<Self, SourceError> {
        let Target { stream, request, scope } = target;
        let max_record_bytes = request.max_record_bytes;
        let is_wanted = |name: &String| {
            stream
                .fields
                .as_ref()
                .is_none_or(|fields| fields.contains(name) || stream.primary_key.contains(name))
        };
        let width = columns.len();
        let mut wanted: Vec<(usize, Column)> =
            columns.into_iter().enumerate().filter(|(_, column)| is_wanted(&column.name)).collect();
        wanted.sort_unstable_by(|(_, a), (_, b)| a.name.as_bytes().cmp(b.name.as_bytes()));
        let outputs: Vec<Output> = wanted
            .into_iter()
            .enumerate()
            .map(|(place, (index, column))| {
                let mut lead = vec![if place == 0 { b'{' } else { b',' }];
                write_string(&mut lead, &column.name);
                lead.push(b':');
                let in_key = stream.primary_key.contains(&column.name);
                Output { index, lead: lead.into(), name: column.name, kind: column.kind, in_key }
            })
            .collect();
        let find = |name: &String| {
            outputs.iter().position(|output| output.name == *name).ok_or_else(|| {
                SourceError::new(
                    ErrorKind::Config,
                    "read CSV",
                    format!("no column is named `{name}`, which the key needs"),
                )
                .hint("choose another primary key")
            })
        };
        // An empty file has no columns, and no records whose key could be missed.
        let key_fields = if width == 0 { &[][..] } else { &stream.primary_key };
        let key = key_fields.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let limits = Limits { max_bytes: max_record_bytes, ..Limits::default() };
        Ok(Self {
            width,
            quote,
            spans: vec![(0, 0); outputs.len()],
            outputs,
            key,
            path: scope.as_str().to_owned(),
            nulls: Nulls::new(null_values),
            max_record_bytes,
            canonicalizer: Canonicalizer::new(limits),
            unquoted: String::new(),
            tokens: Vec::new(),
        })
    }

    /// Appends the record's canonical JSON to `arena`.
    pub(super) fn write_data(&mut self, row: Row<'_>, arena: &mut Vec<u8>) -> Result<(), Refused> {
        let Ok(text) = std::str::from_utf8(row.text) else {
            return Err(Refused::new("csv.invalid_utf8", "the record is not UTF-8"));
        };
        if row.fields.len() != self.width {
            let reason =
                format!("the record has {} fields, but there are {} columns", row.fields.len(), self.width);
            return Err(Refused::new("csv.field_count", reason));
        }
        let start = arena.len();
        for (place, output) in self.outputs.iter().enumerate() {
            arena.extend_from_slice(&output.lead);
            let value = row.fields[output.index].text(text, self.quote, &mut self.unquoted);
            let from = arena.len();
            if self.nulls.contain(value) {
                arena.extend_from_slice(b"null");
            } else {
                write_value(value, output, &mut self.canonicalizer, arena)?;
            }
            if output.in_key {
                self.spans[place] = (from, arena.len());
            }
        }
        arena.extend_from_slice(if self.outputs.is_empty() { b"{}" } else { b"}" });
        if arena.len() - start > self.max_record_bytes {
            return Err(Refused::new(
                "record.too_large",
                format!(
                    "the record has {} bytes as JSON, and at most {} are taken",
                    arena.len() - start,
                    self.max_record_bytes
                ),
            ));
        }
        Ok(())
    }

    /// Appends the key of the record just written.
    pub(super) fn write_key(&mut self, row: u64, arena: &mut Vec<u8>) -> Result<(), Refused> {
        if self.key.is_empty() {
            return Ok(encode_row_key(&self.path, row, arena)?);
        }
        self.tokens.clear();
        for place in &self.key {
            let (start, end) = self.spans[*place];
            self.tokens.extend_from_slice(&arena[start..end]);
        }
        let (mut key, mut rest) = (KeyEncoder::new(arena), &self.tokens[..]);
        for place in &self.key {
            let (start, end) = self.spans[*place];
            let (token, behind) = rest.split_at(end - start);
            rest = behind;
            key.push_json(token).map_err(|error| error.in_field(&self.outputs[*place].name))?;
        }
        key.finish()?;
        Ok(())
    }
}

/// Appends one value as the JSON its column's type asks for.
#[inline]
fn write_value(
    text: &str,
    output: &Output,
    canonicalizer: &mut Canonicalizer,
    arena: &mut Vec<u8>,
) -> Result<(), Refused> {
    let fits = match output.kind {
        Kind::Guessed(ColumnType::Number) | Kind::Set(ColumnType::Number) => {
            is_canonical_number(text.as_bytes())
        }
        Kind::Guessed(ColumnType::Boolean) | Kind::Set(ColumnType::Boolean) => {
            matches!(text, "true" | "false")
        }
        Kind::Set(ColumnType::Integer) => is_integer(text.as_bytes()),
        Kind::Set(ColumnType::Json) => {
            let written = canonicalizer.value(text.as_bytes(), arena);
            return written.map(|_| ()).map_err(|error| misfit(text, output, &error.to_string()));
        }
        Kind::Guessed(_) | Kind::Set(ColumnType::String) => false,
    };
    match output.kind {
        _ if fits => arena.extend_from_slice(text.as_bytes()),
        Kind::Guessed(_) | Kind::Set(ColumnType::String) => write_string(arena, text),
        Kind::Set(kind) => return Err(misfit(text, output, &format!("it is no {}", kind.as_str()))),
    }
    Ok(())
}

fn is_integer(text: &[u8]) -> bool {
    is_canonical_number(text) && !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

#[cold]
fn misfit(text: &str, output: &Output, why: &str) -> Refused {
    const SHOWN: usize = 64;
    let shown: String = text.chars().take(SHOWN).collect();
    Refused::new("csv.type", format!("column `{}` holds {shown:?}: {why}", output.name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use inlet_model::sync::SyncMode;
    use inlet_model::{HashSeed, Scope, StreamName};
    use proptest::prelude::*;

    use crate::{ReadRequest, StreamRequest};

    use super::super::Dialect;
    use super::super::split::{Split, Splitter};
    use super::*;

    /// Writes a record of these fields in columns of these names and types, as a file would have it.
    fn written(columns: Vec<Column>, fields: &[String]) -> Result<Vec<u8>, Refused> {
        let stream = StreamRequest {
            name: StreamName::new("a").unwrap(),
            mode: SyncMode::Incremental,
            primary_key: Vec::new(),
            cursor_field: None,
            fields: None,
            scopes: BTreeMap::new(),
        };
        let request = ReadRequest {
            streams: vec![stream.clone()],
            seed: HashSeed(1),
            generation: 1,
            batch_bytes: 1 << 20,
            batch_delay: Duration::from_secs(1),
            max_record_bytes: 1 << 20,
            inbox: None,
        };
        let target = Target { request: &request, stream: &stream, scope: &Scope::new("a.csv") };
        let mut splitter = Splitter::new(Dialect { delimiter: b',', quote: Some(b'"') });
        let quoted: Vec<_> =
            fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        let text = quoted.join(",");
        assert!(matches!(splitter.split(text.as_bytes(), true), Split::Record { .. }));
        let mut arena = Vec::new();
        let row = Row { text: text.as_bytes(), fields: splitter.fields(), number: 1 };
        RowWriter::new(columns, Some(b'"'), &[String::new()], target).unwrap().write_data(row, &mut arena)?;
        Ok(arena)
    }

    proptest! {
        #[test]
        fn what_is_written_is_canonical_and_says_what_the_fields_say(
            columns in prop::collection::btree_map("[a-zß\"\\\\\n]{1,10}", (".{0,12}|-?[0-9.e]{1,6}|true", 0_usize..3), 1..8)
        ) {
            let guesses = [ColumnType::String, ColumnType::Number, ColumnType::Boolean];
            let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().rev().unzip();
            let kinds = values.iter().map(|(_, kind)| Kind::Guessed(guesses[*kind]));
            let columns = names.iter().zip(kinds).map(|(name, kind)| Column { name: name.clone(), kind });
            let fields: Vec<_> = values.iter().map(|(value, _)| value.clone()).collect();
            let record = written(columns.collect(), &fields).unwrap();

            let mut again = Vec::new();
            Canonicalizer::new(Limits::default()).object(&record, &mut again).unwrap();
            prop_assert_eq!(&record, &again);
            let read: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&record).unwrap();
            prop_assert_eq!(read.len(), names.len());
            for (name, field) in names.iter().zip(&fields) {
                match &read[name] {
                    serde_json::Value::Null => prop_assert_eq!(field, ""),
                    serde_json::Value::String(text) => prop_assert_eq!(text, field),
                    _ => prop_assert!(is_canonical_number(field.as_bytes()) || field == "true"),
                }
            }
        }
    }

    #[test]
    fn whole_numbers_have_no_point_and_no_exponent() {
        for (text, fits) in
            [("0", true), ("-12", true), ("1.0", false), ("1e3", false), ("01", false), ("-0", false)]
        {
            assert_eq!(is_integer(text.as_bytes()), fits, "{text}");
        }
    }
}
