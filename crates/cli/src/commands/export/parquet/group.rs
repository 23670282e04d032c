//! The file: records gathered into row groups of bounded size, each written column by column.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use ::parquet::column::writer::ColumnWriterImpl;
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{ColumnPath, Type};
use axum::body::Bytes;
use inlet_model::Timestamp;
use serde_json::value::RawValue;

use super::columns::{Column, Kind, Origin, text};
use super::fields::{RawRecord, each_field};
use super::number::{double, integer};
use super::unreadable;
use crate::commands::export::Place;
use crate::errors::CommandError;

/// A group ends with any of these: as many rows as readers take at a time, …
const MOST_ROWS: usize = 122_880;
/// … so many bytes of records, …
const MOST_BYTES: usize = 32 << 20;
/// … so many values, which counts where there are many columns.
const MOST_CELLS: usize = 2 << 20;

/// Values handed over at once.
const BATCH: usize = 4096;

/// A file that is being written.
pub(super) struct ParquetFile {
    writer: SerializedFileWriter<Place>,
    columns: Vec<Column>,
    /// The columns of fields, by name.
    fields: HashMap<String, usize>,
    rows: Rows,
}

/// Records that wait for their group to be full.
#[derive(Debug, Default)]
struct Rows {
    text: Vec<u8>,
    /// Row by row, a cell for each column.
    cells: Vec<Cell>,
}

/// A value's JSON, as a part of the text.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    start: u32,
    /// 0: there is no value.
    length: u32,
}

impl ParquetFile {
    pub(super) fn create(place: Place, columns: Vec<Column>) -> Result<Self, CommandError> {
        let schema = Arc::new(schema(&columns).map_err(failed)?);
        let writer = SerializedFileWriter::new(place, schema, Arc::new(properties())).map_err(failed)?;
        let of_fields = columns.iter().enumerate().filter(|(_, column)| column.origin == Origin::Field);
        let fields = of_fields.map(|(place, column)| (column.name.clone(), place)).collect();
        Ok(Self { writer, columns, fields, rows: Rows::default() })
    }

    /// Adds a record.
    pub(super) fn write(&mut self, json: &str) -> Result<(), CommandError> {
        let record: RawRecord<'_> = serde_json::from_str(json).map_err(unreadable)?;
        let row = self.rows.cells.len();
        self.rows.cells.resize(row + self.columns.len(), Cell::default());
        let cells = &mut self.rows.cells[row..];
        let base = self.rows.text.len();
        let cell = |value: &RawValue| Cell::within(json, base, value.get());
        for (column, place) in self.columns.iter().zip(cells.iter_mut()) {
            if let Some(value) = of_record(&record, column.origin) {
                *place = cell(value);
            }
        }
        each_field(record.data, |name, value| {
            if let Some(column) = self.fields.get(&*name) {
                cells[*column] = cell(value);
            }
        })
        .map_err(unreadable)?;
        self.rows.text.extend_from_slice(json.as_bytes());
        let rows = self.rows.cells.len() / self.columns.len();
        if rows >= MOST_ROWS || self.rows.text.len() >= MOST_BYTES || self.rows.cells.len() >= MOST_CELLS {
            self.end_group()?;
        }
        Ok(())
    }

    /// Ends the file.
    pub(super) fn close(mut self) -> Result<(), CommandError> {
        self.end_group()?;
        self.writer.close().map(drop).map_err(failed)
    }

    fn end_group(&mut self) -> Result<(), CommandError> {
        let Rows { text, cells } = std::mem::take(&mut self.rows);
        if cells.is_empty() {
            return Ok(());
        }
        let text = Bytes::from(text);
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for (place, column) in self.columns.iter().enumerate() {
            let mut writer =
                group.next_column().map_err(failed)?.expect("the schema was made of the same columns");
            let cells = cells.iter().skip(place).step_by(self.columns.len());
            write_column(&mut writer, column, cells, &text).map_err(failed)?;
            writer.close().map_err(failed)?;
        }
        group.close().map(drop).map_err(failed)
    }
}

impl Cell {
    /// That of a `value` which is a part of `record`, which will stand at `base`.
    fn within(record: &str, base: usize, value: &str) -> Self {
        if value == "null" {
            return Self::default();
        }
        let start = base + (value.as_ptr().addr() - record.as_ptr().addr());
        let narrow =
            |number: usize| u32::try_from(number).expect("a group and its last record have megabytes");
        Self { start: narrow(start), length: narrow(value.len()) }
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.length) as usize
    }
}

fn of_record<'a>(record: &RawRecord<'a>, origin: Origin) -> Option<&'a RawValue> {
    match origin {
        Origin::ConnectorId => Some(record.connector_id),
        Origin::Stream => Some(record.stream),
        Origin::Key => Some(record.key),
        Origin::Data => Some(record.data),
        Origin::Change => Some(record.change),
        Origin::SyncId => Some(record.sync_id),
        Origin::CreatedAt => Some(record.created_at),
        Origin::UpdatedAt => Some(record.updated_at),
        Origin::Field => None,
    }
}

fn schema(columns: &[Column]) -> Result<Type, ParquetError> {
    let column = |column: &Column| {
        let (physical, logical) = match column.kind {
            Kind::Boolean => (Physical::BOOLEAN, None),
            Kind::Integer => (Physical::INT64, None),
            Kind::Double => (Physical::DOUBLE, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        };
        let repetition = if column.is_required() { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let column = Type::primitive_type_builder(&column.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical);
        column.build().map(Arc::new)
    };
    let columns = columns.iter().map(column).collect::<Result<_, _>>()?;
    Type::group_type_builder("records").with_fields(columns).build()
}

fn properties() -> WriterProperties {
    // Every value of `data` is another: a dictionary of them, or the least of them, is of no use.
    let data = ColumnPath::from("data");
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_column_dictionary_enabled(data.clone(), false)
        .set_column_statistics_enabled(data, EnabledStatistics::None)
        .build()
}

fn write_column<'a>(
    writer: &mut SerializedColumnWriter<'_>,
    column: &Column,
    cells: impl Iterator<Item = &'a Cell>,
    bytes: &Bytes,
) -> Result<(), ParquetError> {
    let json = |cell: Cell| std::str::from_utf8(&bytes[cell.range()]).ok();
    let whole = |cell: Cell| ByteArray::from(bytes.slice(cell.range()));
    match column.kind {
        Kind::Boolean => {
            write_cells(writer.typed::<BoolType>(), column, cells, |cell| Some(json(cell)? == "true"))
        }
        Kind::Integer => write_cells(writer.typed::<Int64Type>(), column, cells, |cell| integer(json(cell)?)),
        Kind::Double => write_cells(writer.typed::<DoubleType>(), column, cells, |cell| double(json(cell)?)),
        Kind::Json => write_cells(writer.typed::<ByteArrayType>(), column, cells, |cell| Some(whole(cell))),
        Kind::Text => write_cells(writer.typed::<ByteArrayType>(), column, cells, |cell| {
            Some(ByteArray::from(match text(json(cell)?)? {
                std::borrow::Cow::Borrowed(plain) => bytes.slice_ref(plain.as_bytes()),
                std::borrow::Cow::Owned(text) => Bytes::from(text),
            }))
        }),
        Kind::Time => write_cells(writer.typed::<Int64Type>(), column, cells, |cell| {
            serde_json::from_str::<Timestamp>(json(cell)?).ok().map(Timestamp::as_micros)
        }),
    }
}

/// Writes a column's cells as what `value` makes of them.
fn write_cells<'a, T: DataType>(
    writer: &mut ColumnWriterImpl<'_, T>,
    column: &Column,
    mut cells: impl Iterator<Item = &'a Cell>,
    value: impl Fn(Cell) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    loop {
        values.clear();
        levels.clear();
        for cell in cells.by_ref().take(BATCH) {
            levels.push(i16::from(cell.length > 0));
            if cell.length > 0 {
                // What was learned of all records holds for each of them.
                let unfit =
                    || ParquetError::General(format!("a value of `{}` is not of its kind", column.name));
                values.push(value(*cell).ok_or_else(unfit)?);
            }
        }
        if levels.is_empty() {
            return Ok(());
        }
        let levels = (!column.is_required()).then_some(levels.as_slice());
        writer.write_batch(&values, levels, None)?;
    }
}

fn failed(error: ParquetError) -> CommandError {
    match error {
        // A reader that went away is no failure.
        ParquetError::External(error) if error.is::<io::Error>() => {
            (*error.downcast::<io::Error>().expect("it is one")).into()
        }
        error => CommandError::failure("output.failed", "the Parquet file could not be written")
            .because(error)
            .into(),
    }
}
