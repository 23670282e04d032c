//! From the values of a row to a record's JSON and key. No I/O.

use std::io::Write;

use inlet_model::Batch;
use inlet_model::json::write_string;
use inlet_model::key::{KeyEncoder, KeyError};
use inlet_model::schema::Observer;
use inlet_source::{ErrorKind, Occurrences, SourceError, StreamRequest, encode_content_key};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use super::cursor::Stored;
use super::tables::{Column, Order, Table, quoted};
use crate::row::{Refused, encode_output_key, write_base64};

/// Rows that are told apart by their content alone: so many are remembered, and no more.
const MAX_CONTENTS: usize = 1 << 20;

/// A column on its way out.
#[derive(Debug)]
struct Output {
    /// What stands before its value: the comma or the opening brace, the name, the colon.
    lead: Vec<u8>,
    name: String,
    is_boolean: bool,
}

/// What the key of a record is made of.
#[derive(Debug)]
enum KeyFrom {
    /// These outputs.
    Outputs(Vec<usize>),
    /// The number that SQLite gives the row.
    Rowid,
    /// What is in it.
    Content(Occurrences),
}

/// Writes the records of one table.
#[derive(Debug)]
pub(super) struct RowWriter {
    /// In the order of their names, as canonical JSON has them.
    outputs: Vec<Output>,
    key: KeyFrom,
    /// Everything that is selected: the outputs, then what else is needed.
    select: Vec<String>,
    rowid: Option<usize>,
    rows: u64,
    max_record_bytes: usize,
    /// Where the values of the outputs lie in the arena.
    spans: Vec<(usize, usize)>,
    observer: Observer,
}

/// The fields that make the key of a stream's records: those that were asked for, else the table's own.
pub(super) fn key_fields<'a>(table: &'a Table, stream: &'a StreamRequest) -> &'a [String] {
    if stream.primary_key.is_empty() { &table.key } else { &stream.primary_key }
}

impl RowWriter {
    /// A writer for the rows of `table`, also of those parts of a row that say where it stands. It is an error if the key
    /// needs a column that is not there.
    pub(super) fn new(
        table: &Table,
        stream: &StreamRequest,
        max_record_bytes: usize,
    ) -> Result<Self, SourceError> {
        let key = key_fields(table, stream);
        let is_wanted = |column: &&Column| {
            let fields = stream.fields.as_ref();
            fields.is_none_or(|fields| fields.contains(&column.name) || key.contains(&column.name))
        };
        Self::of(table, table.columns.iter().filter(is_wanted).collect(), key, max_record_bytes)
    }

    /// A writer for the keys alone.
    pub(super) fn of_keys(table: &Table, key: &[String]) -> Result<Self, SourceError> {
        let is_key = |column: &&Column| key.contains(&column.name);
        Self::of(table, table.columns.iter().filter(is_key).collect(), key, usize::MAX)
    }

    fn of(
        table: &Table,
        mut columns: Vec<&Column>,
        key: &[String],
        max_record_bytes: usize,
    ) -> Result<Self, SourceError> {
        columns.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        let outputs = columns.iter().enumerate().map(|(index, column)| {
            let mut lead = vec![if index == 0 { b'{' } else { b',' }];
            write_string(&mut lead, &column.name);
            lead.push(b':');
            Output { lead, name: column.name.clone(), is_boolean: is_boolean(column) }
        });
        let outputs: Vec<Output> = outputs.collect();
        let find = |field: &String| {
            outputs.iter().position(|output| output.name == *field).ok_or_else(|| no_column(table, field))
        };
        let key = match key {
            [] if table.rowid.is_some() => KeyFrom::Rowid,
            [] => KeyFrom::Content(Occurrences::default()),
            fields => KeyFrom::Outputs(fields.iter().map(find).collect::<Result<_, _>>()?),
        };
        let mut select: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let mut index = |column: String| {
            select.iter().position(|known| *known == column).unwrap_or_else(|| {
                select.push(column);
                select.len() - 1
            })
        };
        let rowid = table.rowid.as_deref().map(|rowid| index(quoted(rowid)));
        for column in table.order.iter().flat_map(Order::names) {
            index(quoted(column));
        }
        let spans = vec![(0, 0); outputs.len()];
        let observer = Observer::of_columns(outputs.iter().map(|output| output.name.as_str()));
        Ok(Self { outputs, key, select, rowid, rows: 0, max_record_bytes, spans, observer })
    }

    /// The columns that a query must give for a row.
    pub(super) fn selected(&self) -> String {
        // Of a row of which nothing is needed there must still be something.
        if self.select.is_empty() { "NULL".to_owned() } else { self.select.join(", ") }
    }

    /// Where a row stands in the order, unless a part of that is NULL.
    pub(super) fn place(&self, row: &Row<'_>, order: &Order) -> rusqlite::Result<Option<Vec<Stored>>> {
        let index = |column: &str| {
            let column = quoted(column);
            self.select.iter().position(|known| *known == column).unwrap_or(usize::MAX)
        };
        order.names().map(|column| Ok(Stored::new(row.get_ref(index(column))?))).collect()
    }

    /// Puts the record of a row into `batch`; one that cannot be is refused there.
    pub(super) fn write(&mut self, row: &Row<'_>, batch: &mut Batch) -> Result<(), SourceError> {
        self.rows += 1;
        let rowid = match self.rowid.map(|index| row.get_ref(index)) {
            Some(Ok(ValueRef::Integer(rowid))) => Some(rowid),
            _ => None,
        };
        let position = rowid.and_then(|rowid| u64::try_from(rowid).ok()).unwrap_or(self.rows);
        let Self { outputs, key, spans, max_record_bytes, observer, .. } = self;
        let written = batch.upsert_with(
            position,
            move |arena| {
                let start = write_data(outputs, row, *max_record_bytes, spans, arena)?;
                Ok((start, &*spans))
            },
            |arena, (start, spans)| {
                write_key(key, rowid, spans, start, arena)
                    .map_err(|error| Refused::key(&error, &arena[start..]))
                    .map(|()| observer.note_columns(arena, spans))
            },
        );
        match written {
            Ok(()) => batch.cover(observer.shared_schema()),
            Err(refused) => batch.reject(refused.rejection(position, self.max_record_bytes)),
        }
        match &self.key {
            KeyFrom::Content(seen) if seen.len() > MAX_CONTENTS => {
                let message = format!(
                    "rows without a key are told apart by content, which is done for at most {MAX_CONTENTS} different ones"
                );
                Err(SourceError::new(ErrorKind::Limit, "read database", message)
                    .hint("choose a primary key for the stream"))
            }
            _ => Ok(()),
        }
    }

    /// The key of a row, encoded; `None` if it has none.
    pub(super) fn key(&mut self, row: &Row<'_>) -> Option<Vec<u8>> {
        let mut arena = Vec::new();
        let start = write_data(&self.outputs, row, usize::MAX, &mut self.spans, &mut arena).ok()?;
        let end = arena.len();
        let rowid = self.rowid.and_then(|index| row.get(index).ok());
        write_key(&mut self.key, rowid, &self.spans, start, &mut arena).ok()?;
        Some(arena.split_off(end))
    }
}

/// Appends the record, and gives where it begins.
fn write_data(
    outputs: &[Output],
    row: &Row<'_>,
    max_record_bytes: usize,
    spans: &mut [(usize, usize)],
    arena: &mut Vec<u8>,
) -> Result<usize, Refused> {
    let start = arena.len();
    for (index, output) in outputs.iter().enumerate() {
        arena.extend_from_slice(&output.lead);
        let value_start = arena.len();
        let value = row.get_ref(index).unwrap_or(ValueRef::Null);
        if write_value(value, output.is_boolean, arena).is_err() {
            return Err(not_utf8(&output.name, &arena[start..]));
        }
        spans[index] = (value_start, arena.len());
        if arena.len() - start >= max_record_bytes {
            return Err(Refused::size(&arena[start..]));
        }
    }
    if outputs.is_empty() {
        arena.push(b'{');
    }
    arena.push(b'}');
    Ok(start)
}

/// The text is not UTF-8.
struct NotUtf8;

/// Appends a value as JSON.
fn write_value(value: ValueRef<'_>, is_boolean: bool, out: &mut Vec<u8>) -> Result<(), NotUtf8> {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Integer(0) if is_boolean => out.extend_from_slice(b"false"),
        ValueRef::Integer(1) if is_boolean => out.extend_from_slice(b"true"),
        ValueRef::Integer(value) => write_integer(value, out),
        ValueRef::Real(value) if value == f64::INFINITY => out.extend_from_slice(b"\"Infinity\""),
        ValueRef::Real(value) if value == f64::NEG_INFINITY => out.extend_from_slice(b"\"-Infinity\""),
        // SQLite has no NaN: it stores NULL.
        ValueRef::Real(value) => write_shortest(value, out),
        ValueRef::Text(text) => write_string(out, std::str::from_utf8(text).map_err(|_| NotUtf8)?),
        ValueRef::Blob(bytes) => write_base64(bytes, out),
    }
    Ok(())
}

fn write_integer(value: i64, out: &mut Vec<u8>) {
    write!(out, "{value}").expect("memory takes everything");
}

/// The shortest that reads back as the same, in the spelling of the standard library, which does not change: another
/// spelling would be a change of the record.
fn write_shortest(value: f64, out: &mut Vec<u8>) {
    write!(out, "{value:?}").expect("memory takes everything");
}

/// Appends the key of the record that begins at `start` and ends with `arena`.
fn write_key(
    key: &mut KeyFrom,
    rowid: Option<i64>,
    spans: &[(usize, usize)],
    start: usize,
    arena: &mut Vec<u8>,
) -> Result<(), KeyError> {
    match key {
        KeyFrom::Content(seen) => encode_content_key(start, seen, arena),
        KeyFrom::Rowid => {
            let mut encoder = KeyEncoder::new(arena);
            encoder.push_i64(rowid.unwrap_or_default());
            encoder.finish().map(|_| ())
        }
        KeyFrom::Outputs(outputs) => encode_output_key(outputs, spans, &mut Vec::with_capacity(64), arena),
    }
}

#[cold]
fn not_utf8(column: &str, record: &[u8]) -> Refused {
    Refused::new("sqlite.invalid_utf8", format!("column `{column}` holds a text that is not UTF-8"), record)
}

/// Whether the numbers 0 and 1 of the column mean false and true.
fn is_boolean(column: &Column) -> bool {
    ["boolean", "bool"].iter().any(|name| column.declared.eq_ignore_ascii_case(name))
}

pub(super) fn no_column(table: &Table, field: &str) -> SourceError {
    let message = format!("`{}` has no column `{field}`", table.name);
    SourceError::new(ErrorKind::Config, "read database", message).hint("choose a column that is there")
}

/// The JSON Schema of a table's records. SQLite lets a column hold values of other types than the declared one, so that only
/// what it refuses or converts is ruled out.
pub(super) fn schema(table: &Table) -> Value {
    let properties = table.columns.iter().map(|column| (column.name.clone(), column_schema(table, column)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": Value::Object(properties.collect()),
    })
}

fn column_schema(table: &Table, column: &Column) -> Value {
    let declared = column.declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    // The rules of SQLite, in its order: https://www.sqlite.org/datatype3.html#determination_of_column_affinity
    let is_rowid = table.rowid.as_ref() == Some(&column.name);
    let mut types = if is_rowid {
        vec!["integer"]
    } else if table.is_view {
        vec!["boolean", "number", "string"]
    } else if table.is_strict {
        match declared.as_str() {
            "INT" | "INTEGER" => vec!["integer"],
            // Infinity is a string.
            "REAL" => vec!["number", "string"],
            "TEXT" | "BLOB" => vec!["string"],
            _ => vec!["number", "string"],
        }
    } else if is_boolean(column) {
        vec!["boolean", "number", "string"]
    } else if !has("INT") && (has("CHAR") || has("CLOB") || has("TEXT")) {
        // Numbers are stored as texts.
        vec!["string"]
    } else {
        vec!["number", "string"]
    };
    if !(column.is_not_null || is_rowid) {
        types.push("null");
    }
    let mut schema = json!({"type": types});
    if !column.declared.is_empty() {
        schema["description"] = json!(format!("declared as {}", column.declared));
    }
    schema
}
