//! From a row to a record's JSON and key. No I/O.

mod binary;
mod moments;
mod nested;

use inlet_model::Batch;
use inlet_model::json::{Canonicalizer, JsonError, JsonErrorKind, Limits, is_number, write_string};
use inlet_model::key::KeyError;
use inlet_model::schema::Observer;
use inlet_source::{ErrorKind, Occurrences, SourceError, StreamRequest, encode_content_key, too_large};

use self::moments::{Strange, quoted, write_date, write_moment, write_time_of_day};
use super::client::copy_binary::{Broken, Fields};
use super::kinds::{Form, Kind};
use super::tables::{Column, Table};
use crate::row::{Refused, encode_output_key, write_base64};

/// What stands in front of a jsonb.
const JSONB_VERSION: u8 = 1;

/// Rows that are told apart by their content alone: so many are remembered, and no more.
const MAX_CONTENTS: usize = 1 << 20;

/// Writes values.
#[derive(Debug)]
pub(super) struct Values {
    canonicalizer: Canonicalizer,
}

/// Why a value cannot be written.
#[derive(Debug)]
pub(super) enum Bad {
    /// It is not as the server writes such values.
    Strange,
    /// It is a text of no known characters.
    NotUtf8,
    Json(JsonError),
}

impl From<Strange> for Bad {
    fn from(Strange: Strange) -> Self {
        Self::Strange
    }
}

impl From<Broken> for Bad {
    fn from(Broken: Broken) -> Self {
        Self::Strange
    }
}

impl Values {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { canonicalizer: Canonicalizer::new(Limits { max_bytes, ..Limits::default() }) }
    }

    /// Appends what a field holds.
    #[inline]
    fn write_field(&mut self, field: &[u8], column: &Column, out: &mut Vec<u8>) -> Result<(), Bad> {
        match column.form {
            Form::Text => {
                let text = std::str::from_utf8(field).map_err(|_| Bad::NotUtf8)?;
                self.write(text, &column.kind, out)
            }
            Form::Boolean => binary::write_boolean(field, out),
            Form::Integer => binary::write_integer(field, out),
            Form::Unsigned => binary::write_unsigned(field, out),
            Form::Numeric => binary::write_numeric(field, out),
            Form::Bytes => {
                write_base64(field, out);
                Ok(())
            }
            Form::Uuid => quoted(out, |out| binary::write_uuid(field, out)),
            Form::Jsonb => {
                let json = field.strip_prefix(&[JSONB_VERSION]).ok_or(Bad::Strange)?;
                self.canonicalizer.value(json, out).map(|_| ()).map_err(Bad::Json)
            }
            Form::Date => binary::write_date(field, out),
            Form::TimeOfDay => binary::write_time_of_day(field, out),
            Form::Moment => binary::write_moment(field, column.kind == Kind::Moment { is_zoned: true }, out),
        }
    }

    /// Appends the value that a text stands for.
    #[inline]
    pub(super) fn write(&mut self, text: &str, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Bad> {
        match kind {
            Kind::Integer | Kind::Number => write_number(text, out),
            Kind::Boolean => match text {
                "t" => out.extend_from_slice(b"true"),
                "f" => out.extend_from_slice(b"false"),
                _ => return Err(Bad::Strange),
            },
            Kind::Text | Kind::Uuid => write_string(out, text),
            Kind::Bytes => write_bytes(text, out)?,
            Kind::Json => {
                self.canonicalizer.value(text.as_bytes(), out).map_err(Bad::Json)?;
            }
            Kind::Date => write_date(text, out)?,
            Kind::TimeOfDay => write_time_of_day(text, out)?,
            Kind::Moment { is_zoned } => write_moment(text, *is_zoned, out)?,
            Kind::Array(element, delimiter) => self.write_array(text, element, *delimiter, out)?,
            Kind::Composite(fields) => self.write_composite(text, fields, out)?,
            Kind::Range(bound) => self.write_range(text, bound, out)?,
            Kind::Multirange(bound) => self.write_multirange(text, bound, out)?,
            Kind::Hstore => self.write_hstore(text, out)?,
        }
        Ok(())
    }
}

/// A number digit for digit; what is none, such as NaN, is a string.
fn write_number(text: &str, out: &mut Vec<u8>) {
    if is_number(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_string(out, text);
    }
}

/// Bytes, which the server writes as `\x` and hexadecimal digits.
fn write_bytes(text: &str, out: &mut Vec<u8>) -> Result<(), Bad> {
    fn digit(byte: u8) -> Result<u8, Bad> {
        char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(Bad::Strange)
    }
    let digits = text.strip_prefix("\\x").filter(|digits| digits.len() % 2 == 0).ok_or(Bad::Strange)?;
    let pairs = digits.as_bytes().chunks_exact(2);
    let bytes =
        pairs.map(|pair| Ok(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Result<Vec<u8>, Bad>>()?;
    write_base64(&bytes, out);
    Ok(())
}

/// A column on its way out.
#[derive(Debug)]
struct Output {
    /// What stands before its value: the comma or the opening brace, the name, the colon.
    lead: Vec<u8>,
    column: Column,
}

/// What the key of a record is made of.
#[derive(Debug)]
enum KeyFrom {
    /// These outputs.
    Outputs(Vec<usize>),
    /// What is in it.
    Content(Occurrences),
}

/// Writes the records of one table.
#[derive(Debug)]
pub(super) struct RowWriter {
    /// In the order of their names, as canonical JSON has them.
    outputs: Vec<Output>,
    key: KeyFrom,
    /// Columns that are selected behind the outputs, for the row's place.
    further: Vec<Column>,
    /// Where in a row the columns of the table's order lie.
    order: Vec<usize>,
    values: Values,
    rows: u64,
    max_record_bytes: usize,
    /// Where the values of the outputs lie in the arena.
    spans: Vec<(usize, usize)>,
    observer: Observer,
    tokens: Vec<u8>,
}

/// The fields that make the key of a stream's records: those that were asked for, else the table's own.
pub(super) fn key_fields<'a>(table: &'a Table, stream: &'a StreamRequest) -> &'a [String] {
    if stream.primary_key.is_empty() { &table.key } else { &stream.primary_key }
}

impl RowWriter {
    /// A writer for the rows of `table`. It is an error if the key needs a column that is not there.
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
        Self::of(table, table.columns.iter().filter(is_wanted).cloned().collect(), key, max_record_bytes)
    }

    /// A writer for the keys alone.
    pub(super) fn of_keys(table: &Table, key: &[String]) -> Result<Self, SourceError> {
        let is_key = |column: &&Column| key.contains(&column.name);
        Self::of(table, table.columns.iter().filter(is_key).cloned().collect(), key, usize::MAX)
    }

    fn of(
        table: &Table,
        mut columns: Vec<Column>,
        key: &[String],
        max_record_bytes: usize,
    ) -> Result<Self, SourceError> {
        columns.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        let find = |field: &String| {
            columns.iter().position(|column| column.name == *field).ok_or_else(|| table.no_column(field))
        };
        let key = match key {
            [] => KeyFrom::Content(Occurrences::default()),
            fields => KeyFrom::Outputs(fields.iter().map(find).collect::<Result<_, _>>()?),
        };
        let (mut further, mut order): (Vec<Column>, _) = (Vec::new(), Vec::new());
        for name in &table.order {
            let output =
                columns.iter().position(|column| column.name == *name && says_its_place(column.form));
            order.push(output.unwrap_or(columns.len() + further.len()));
            if output.is_none() {
                further.extend(table.column(name).map(Column::as_text));
            }
        }
        let outputs: Vec<Output> = columns.into_iter().enumerate().map(Output::new).collect();
        let spans = vec![(0, 0); outputs.len()];
        let observer = Observer::of_columns(outputs.iter().map(|output| output.column.name.as_str()));
        let values = Values::new(max_record_bytes);
        Ok(Self {
            outputs,
            key,
            further,
            order,
            values,
            rows: 0,
            max_record_bytes,
            spans,
            observer,
            tokens: Vec::new(),
        })
    }

    /// The columns that a query must give for a row.
    pub(super) fn selected(&self) -> String {
        let columns = self.outputs.iter().map(|output| &output.column).chain(&self.further);
        let selected: Vec<String> = columns.map(Column::selected).collect();
        // Of a row of which nothing is needed there must still be something.
        if selected.is_empty() { "NULL".to_owned() } else { selected.join(", ") }
    }

    /// Where a row stands in the table's order.
    pub(super) fn place(&self, row: &[u8]) -> Option<Vec<String>> {
        let columns = self.outputs.iter().map(|output| &output.column).chain(&self.further);
        let mut fields = Fields::of(row);
        let fields: Vec<_> = columns.map(|column| Some((column.form, fields.next().ok()??))).collect();
        self.order.iter().map(|index| place_of((*fields.get(*index)?)?)).collect()
    }

    /// Puts the record of a row into `batch`; one that cannot be is refused there.
    pub(super) fn write(&mut self, row: &[u8], batch: &mut Batch) -> Result<(), SourceError> {
        self.rows += 1;
        let Self { outputs, key, values, spans, tokens, max_record_bytes, observer, .. } = self;
        let written = batch.upsert_with(
            self.rows,
            |arena| {
                let start = write_data(outputs, values, row, *max_record_bytes, spans, arena)?;
                Ok((start, &*spans))
            },
            |arena, (start, spans)| {
                write_key(key, spans, tokens, start, arena)
                    .map_err(|error| Refused::key(&error, &arena[start..]))
                    .map(|()| observer.note_columns(arena, spans))
            },
        );
        match written {
            Ok(()) => batch.cover(observer.shared_schema()),
            Err(refused) => batch.reject(refused.rejection(self.rows, self.max_record_bytes)),
        }
        match &self.key {
            KeyFrom::Content(seen) if seen.len() > MAX_CONTENTS => {
                let message = format!(
                    "rows without a key are told apart by content, which is done for at most {MAX_CONTENTS} different ones"
                );
                Err(SourceError::new(ErrorKind::Limit, "read table", message)
                    .hint("choose a primary key for the stream, or give the table one"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a row that is too large to be looked at, but for how it begins.
    pub(super) fn refuse_large(&mut self, start: &[u8], batch: &mut Batch) {
        self.rows += 1;
        let mut sample = Vec::new();
        // It ends where the row was cut.
        let _ = write_data(&self.outputs, &mut self.values, start, usize::MAX, &mut self.spans, &mut sample);
        batch.reject(too_large(self.max_record_bytes, self.rows, &sample));
    }

    /// The key of a row, encoded; `None` if it has none.
    pub(super) fn key(&mut self, row: &[u8]) -> Option<Vec<u8>> {
        let Self { outputs, key, values, spans, tokens, .. } = self;
        let mut arena = Vec::new();
        let start = write_data(outputs, values, row, usize::MAX, spans, &mut arena).ok()?;
        let end = arena.len();
        write_key(key, spans, tokens, start, &mut arena).ok()?;
        Some(arena.split_off(end))
    }
}

impl Output {
    fn new((index, column): (usize, Column)) -> Self {
        let mut lead = vec![if index == 0 { b'{' } else { b',' }];
        write_string(&mut lead, &column.name);
        lead.push(b':');
        Self { lead, column }
    }
}

/// Whether a value in that form says in SQL which value it is.
fn says_its_place(form: Form) -> bool {
    matches!(form, Form::Text | Form::Integer | Form::Unsigned | Form::Uuid)
}

/// A value as SQL reads it.
fn place_of((form, field): (Form, &[u8])) -> Option<String> {
    let mut text = Vec::new();
    match form {
        Form::Text => text.extend_from_slice(field),
        Form::Integer => binary::write_integer(field, &mut text).ok()?,
        Form::Unsigned => binary::write_unsigned(field, &mut text).ok()?,
        Form::Uuid => binary::write_uuid(field, &mut text).ok()?,
        _ => return None,
    }
    String::from_utf8(text).ok()
}

/// Appends the record, and gives where it begins.
fn write_data(
    outputs: &[Output],
    values: &mut Values,
    row: &[u8],
    max_record_bytes: usize,
    spans: &mut [(usize, usize)],
    arena: &mut Vec<u8>,
) -> Result<usize, Refused> {
    let start = arena.len();
    let mut fields = Fields::of(row);
    for (output, span) in outputs.iter().zip(spans) {
        arena.extend_from_slice(&output.lead);
        span.0 = arena.len();
        let written = match fields.next() {
            Ok(Some(field)) => values.write_field(field, &output.column, arena),
            Ok(None) => {
                arena.extend_from_slice(b"null");
                Ok(())
            }
            Err(broken) => Err(broken.into()),
        };
        if let Err(bad) = written {
            return Err(bad_value(&output.column.name, &bad, max_record_bytes, &arena[start..]));
        }
        span.1 = arena.len();
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

/// Appends the key of the record that begins at `start` and ends with `arena`.
fn write_key(
    key: &mut KeyFrom,
    spans: &[(usize, usize)],
    tokens: &mut Vec<u8>,
    start: usize,
    arena: &mut Vec<u8>,
) -> Result<(), KeyError> {
    match key {
        KeyFrom::Content(seen) => encode_content_key(start, seen, arena),
        KeyFrom::Outputs(outputs) => encode_output_key(outputs, spans, tokens, arena),
    }
}

#[cold]
fn bad_value(column: &str, bad: &Bad, max_record_bytes: usize, record: &[u8]) -> Refused {
    match bad {
        Bad::Strange => {
            let reason = format!("column `{column}` holds a value that is not written as its type is");
            Refused::new("postgres.unexpected_value", reason, record)
        }
        Bad::NotUtf8 => {
            let reason = format!("column `{column}` holds a text that is not UTF-8");
            Refused::new("postgres.invalid_utf8", reason, record)
        }
        Bad::Json(error) if matches!(error.kind(), JsonErrorKind::TooLarge { max } if *max == max_record_bytes) => {
            Refused::size(record)
        }
        Bad::Json(error) => Refused::new(error.code(), format!("column `{column}`: {error}"), record),
    }
}
