//! CSV: from the text of a file to the records of a batch.

use inlet_source::SourceError;
use memchr::memchr;

use super::columns::{self, Header};
use super::config::Config;
use super::convert::{Refused, Row, RowWriter};
use super::csv::{Dialect, Split, Splitter};
use super::decompress::Input;
use super::format;
use super::scope::{Job, Progress, ReadFormat, SAMPLE, Sink, Trouble};
use super::window::Window;

/// The dialect of the file of this name.
pub(super) fn dialect(config: &Config, name: &str) -> Dialect {
    let usual = if format::has_tabs(name) { b'\t' } else { b',' };
    Dialect { delimiter: config.csv.delimiter.unwrap_or(usual), quote: config.csv.quote }
}

/// The header of the file of this name, which begins with `start`; `last`: that is all of it.
pub(super) fn header(config: &Config, name: &str, start: &[u8], last: bool) -> Result<Header, SourceError> {
    let sample = &start[..start.len().min(SAMPLE)];
    columns::header(sample, last && sample.len() == start.len(), dialect(config, name), &config.csv)
}

/// Reads the records of one file.
#[derive(Debug)]
pub(super) struct CsvRecords {
    splitter: Splitter,
    writer: RowWriter,
}

impl CsvRecords {
    /// A reader for a file that begins with `start`, and what is before its first record.
    pub(super) fn new(job: Job<'_>, start: &[u8], last: bool) -> Result<(Self, usize, u64), SourceError> {
        let name = job.scope.as_str();
        let Header { columns, len, lines, .. } = header(job.config, name, start, last)?;
        let dialect = dialect(job.config, name);
        let writer = RowWriter::new(columns, dialect.quote, job)?;
        Ok((Self { splitter: Splitter::new(dialect), writer }, len, lines))
    }

    /// Takes the record whose fields the splitter has found in `text`.
    fn record(&mut self, text: &[u8], sink: &mut Sink<'_>) {
        let position = sink.place.line + 1;
        let Self { splitter, writer } = self;
        let row = Row { text, fields: splitter.fields(), number: sink.place.row };
        let written = sink.batch.upsert_with(
            position,
            |arena| writer.write_data(row, arena).map(|()| writer),
            |arena, writer| writer.write_key(row.number, arena),
        );
        if let Err(refused) = written {
            sink.batch.reject(refused.rejection(position, text));
        }
    }
}

impl ReadFormat for CsvRecords {
    fn step(&mut self, window: &mut Window<Input<'_>>, sink: &mut Sink<'_>) -> Result<Progress, Trouble> {
        while !sink.is_full() {
            // Never more than the limit, however much is in hand: what is found must not depend on that.
            let limit = sink.max_record_bytes().saturating_add(1);
            let text = &window.bytes()[..window.bytes().len().min(limit)];
            let last = window.is_last() && text.len() == window.bytes().len();
            match self.splitter.split(text, last) {
                Split::Record { len, lines } => {
                    sink.place.row += 1;
                    self.record(&text[..len], sink);
                    sink.place.line += lines;
                    window.consume(len);
                }
                Split::Blank { len } => {
                    sink.place.line += 1;
                    window.consume(len);
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
) -> Result<(), Trouble> {
    sink.place.row += 1;
    sink.place.line += 1;
    let (position, text) = (sink.place.line, window.bytes());
    match broken {
        Some(why) => {
            let line = &text[..memchr(b'\n', text).unwrap_or(text.len())];
            sink.batch.reject(Refused::new("csv.broken_quotes", why).rejection(position, line));
        }
        None => sink.reject_too_large(position, text),
    }
    Ok(window.skip_past(b'\n')?)
}
