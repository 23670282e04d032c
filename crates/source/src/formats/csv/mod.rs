//! CSV, by RFC 4180 and strictly: from text to the records of a batch.

mod columns;
mod options;
mod piece;
mod rows;
mod split;
mod value;

use memchr::memchr;

pub use self::columns::{Column, Header, Kind, header};
pub use self::options::{ColumnType, CsvOptions};
use self::rows::{Refused, Row, RowWriter};
pub use self::split::Dialect;
use self::split::{Split, Splitter};
use super::{FormatError, Input, Progress, RecordReader, Sink, Target, Window};
use crate::SourceError;

/// Reads the records of one text.
#[derive(Debug)]
pub struct CsvReader {
    splitter: Splitter,
    writer: RowWriter,
}

impl CsvReader {
    /// A reader for records with these columns. It is an error if the key needs one that is not there.
    pub fn new(
        columns: Vec<Column>,
        dialect: Dialect,
        options: &CsvOptions,
        target: Target<'_>,
    ) -> Result<Self, SourceError> {
        let writer = RowWriter::new(columns, dialect.quote, &options.null_values, target)?;
        Ok(Self { splitter: Splitter::new(dialect), writer })
    }

    /// Takes the record of `len` bytes whose fields the splitter has found at the front of `text`.
    fn record(&mut self, text: &[u8], len: usize, sink: &mut Sink<'_>) {
        let position = sink.place.line + 1;
        let Self { splitter, writer } = self;
        let row = Row { text, len, fields: splitter.fields(), number: sink.place.row + 1 };
        let written = sink.batch.upsert_with(
            position,
            |arena| writer.write_data(row, arena).map(|()| &mut *writer),
            |arena, writer| writer.write_key(row.number, arena),
        );
        match written {
            Ok(()) => sink.batch.cover(writer.schema()),
            Err(refused) => sink.batch.reject(refused.rejection(position, &text[..len])),
        }
    }
}

impl RecordReader for CsvReader {
    fn step(&mut self, window: &mut Window<Input<'_>>, sink: &mut Sink<'_>) -> Result<Progress, FormatError> {
        while !sink.is_full() {
            // Never more than the limit, however much is in hand: what is found must not depend on that.
            let limit = sink.max_record_bytes().saturating_add(1);
            let text = &window.bytes()[..window.bytes().len().min(limit)];
            let last = window.is_last() && text.len() == window.bytes().len();
            match self.splitter.split(text, last) {
                Split::Record { len, lines } => {
                    self.record(text, len, sink);
                    window.consume(len);
                    sink.pass(window.offset(), 1, lines);
                }
                Split::Blank { len } => {
                    window.consume(len);
                    sink.pass(window.offset(), 0, 1);
                }
                Split::Partial if last => return Ok(Progress::End),
                Split::Partial if text.len() == limit => {
                    let why = "a quote is opened and not closed within the largest record allowed";
                    // A whole line that is part of a longer record lies in a field whose quote is open.
                    let is_quote_open = memchr(b'\n', text).is_some();
                    skip_line(window, sink, is_quote_open.then_some(why))?;
                }
                Split::Partial => {
                    window.fill()?;
                    return Ok(Progress::More);
                }
                Split::Broken(why) => skip_line(window, sink, Some(why))?,
            }
        }
        Ok(Progress::More)
    }
}

/// Refuses the record at the front of the window and goes on at the next line. `broken`: what is wrong with its quotes;
/// `None`: it is too large.
fn skip_line(
    window: &mut Window<Input<'_>>,
    sink: &mut Sink<'_>,
    broken: Option<&'static str>,
) -> Result<(), FormatError> {
    let (position, text) = (sink.place.line + 1, window.bytes());
    let refused = match broken {
        Some(why) => {
            let line = &text[..memchr(b'\n', text).unwrap_or(text.len())];
            Refused::new("csv.broken_quotes", why).rejection(position, line)
        }
        None => sink.too_large(position, text),
    };
    window.skip_past(b'\n')?;
    sink.batch.reject(refused);
    sink.pass(window.offset(), 1, 1);
    Ok(())
}
