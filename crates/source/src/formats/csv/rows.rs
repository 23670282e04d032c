//! From the fields of a CSV record to canonical JSON in the batch, and to its key. No I/O.

use std::sync::Arc;

use inlet_model::Rejection;
use inlet_model::json::{Canonicalizer, Limits, ValueKind, write_string};
use inlet_model::key::{KeyEncoder, KeyError};
use inlet_model::schema::{Observer, Schema};

use super::piece::{Piece, WIDE};
use super::split::FieldSpan;
use super::value::{Nulls, write_value};
use super::{Column, Kind};
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

    #[cold]
    pub(super) fn invalid_utf8() -> Self {
        Self::new("csv.invalid_utf8", "the record is not UTF-8")
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
    /// What stands before its value: the comma or the opening brace, the name, the colon; padded.
    lead: Box<[u8]>,
    lead_len: usize,
    name: String,
    kind: Kind,
    /// Whether the key needs to know where the value lies.
    in_key: bool,
}

/// A record that was found: its fields, and its number in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// What the record stands at the front of.
    pub(super) text: &'a [u8],
    pub(super) len: usize,
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
    unquoted: Vec<u8>,
    tokens: Vec<u8>,
    /// What the values of the record are that was written last, by place in `outputs`.
    kinds: Vec<ValueKind>,
    observer: Observer,
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
                let lead_len = lead.len();
                lead.resize(lead_len.max(WIDE), 0);
                let in_key = stream.primary_key.contains(&column.name);
                Output { index, lead: lead.into(), lead_len, name: column.name, kind: column.kind, in_key }
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
            kinds: vec![ValueKind::Null; outputs.len()],
            observer: Observer::of_columns(outputs.iter().map(|output| output.name.as_str())),
            outputs,
            key,
            path: scope.as_str().to_owned(),
            nulls: Nulls::new(null_values),
            max_record_bytes,
            canonicalizer: Canonicalizer::new(limits),
            unquoted: Vec::new(),
            tokens: Vec::new(),
        })
    }

    /// Appends the record's canonical JSON to `arena`.
    pub(super) fn write_data(&mut self, row: Row<'_>, arena: &mut Vec<u8>) -> Result<(), Refused> {
        if std::str::from_utf8(&row.text[..row.len]).is_err() {
            return Err(Refused::invalid_utf8());
        }
        if row.fields.len() != self.width {
            let reason =
                format!("the record has {} fields, but there are {} columns", row.fields.len(), self.width);
            return Err(Refused::new("csv.field_count", reason));
        }
        let start = arena.len();
        for (place, output) in self.outputs.iter().enumerate() {
            Piece::new(&output.lead, output.lead_len).append_to(arena);
            let value = row.fields[output.index].piece(row.text, self.quote, &mut self.unquoted);
            let from = arena.len();
            if self.nulls.contain(value) {
                arena.extend_from_slice(b"null");
            } else {
                write_value(value, output.kind, &output.name, &mut self.canonicalizer, arena)?;
            }
            self.kinds[place] = ValueKind::of(&arena[from..]);
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

    /// What all records had that were put into batches.
    pub(super) fn schema(&mut self) -> &Arc<Schema> {
        for (place, kind) in self.kinds.iter().enumerate() {
            self.observer.note(place, *kind);
        }
        self.observer.shared_schema()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use inlet_model::sync::SyncMode;
    use inlet_model::{HashSeed, Scope, StreamName};
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use crate::{ReadRequest, StreamRequest};

    use super::super::ColumnType;
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
            appends: false,
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
        let row = Row { text: text.as_bytes(), len: text.len(), fields: splitter.fields(), number: 1 };
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
            let read: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&record).unwrap();
            prop_assert_eq!(read.len(), names.len());
            for (name, field) in names.iter().zip(&fields) {
                match read[name].get() {
                    "null" => prop_assert_eq!(field, ""),
                    text if text.starts_with('"') => prop_assert_eq!(&serde_json::from_str::<String>(text).unwrap(), field),
                    token => prop_assert_eq!(token, field),
                }
            }
        }
    }
}
