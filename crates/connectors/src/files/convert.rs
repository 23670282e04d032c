//! From the bytes of a file to batches with checkpoints, whatever its format.

use std::fs::File;
use std::io::{self, Seek};

use inlet_source::formats::csv::{self, CsvReader, Header};
use inlet_source::formats::{
    FormatError, Input, JsonDocument, JsonLines, Place, Progress, RecordReader, Sink, Target, Window,
};
use inlet_source::{Closed, ErrorKind, Message, SourceError};

use super::config::Config;
use super::cursor::{Position, Seen};
use super::decompress::{self, Stopped};
use super::format::{self, Compression, Format};
use crate::blocking::{Stop, ThreadOutlet};
use crate::trouble::Trouble;

/// How much of a file is looked at before its records are read, in bytes: to tell formats and types.
pub(super) const SAMPLE: usize = 1 << 20;

impl From<FormatError> for Trouble {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::Read(error) => error.into(),
            FormatError::Broken(error) => Self::Failed(error),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Stopped>()) {
            return Self::Closed;
        }
        // What the operating system says has a number; what a decompressor says has none.
        let (kind, message) = match error.raw_os_error() {
            Some(_) => (ErrorKind::Unavailable, "the operating system cannot read on"),
            None => (ErrorKind::Format, "the compressed data are damaged or cut off"),
        };
        Self::Failed(SourceError::new(kind, "read file", message).because(error))
    }
}

/// A file that was opened and looked at, and is ready to be read.
pub(super) struct Opened<'a> {
    config: &'a Config,
    name: &'a str,
    file: &'a File,
    pub(super) compression: Compression,
    pub(super) format: Format,
    /// The bytes of the file, behind a byte order mark; the first of them are in hand.
    pub(super) window: Window<Input<'a>>,
}

/// Looks at the beginning of `file`: how it is compressed, and in which format it is.
pub(super) fn open<'a>(
    config: &'a Config,
    name: &'a str,
    file: &'a File,
    stop: &'a Stop,
) -> Result<Opened<'a>, Trouble> {
    let compression = decompress::detect(config.compression, name, file)?;
    let mut window = Window::new(decompress::open(file, compression, stop)?);
    window.fill()?;
    if window.bytes().starts_with(format::BOM) {
        window.consume(format::BOM.len());
    }
    let format = config.format.or_else(|| format::format_of_name(name));
    let format = format.unwrap_or_else(|| format::format_of_start(window.bytes()));
    if format == Format::Csv {
        window.fill_to(SAMPLE)?;
    }
    Ok(Opened { config, name, file, compression, format, window })
}

impl<'a> Opened<'a> {
    fn dialect(&self) -> csv::Dialect {
        self.config.csv.dialect(if format::has_tabs(self.name) { b'\t' } else { b',' })
    }

    /// The columns of a CSV file that has just been opened.
    pub(super) fn header(&self) -> Result<Header, SourceError> {
        csv::header(self.window.bytes(), self.window.is_last(), self.dialect(), &self.config.csv)
    }

    /// The reader of the file's format. The window then stands before the first record.
    fn reader(&mut self, target: Target<'_>, place: &mut Place) -> Result<Box<dyn RecordReader>, Trouble> {
        Ok(match self.format {
            Format::JsonLines => Box::new(JsonLines),
            Format::Json => Box::new(JsonDocument),
            Format::Csv => {
                let header = self.header()?;
                self.window.consume(header.len);
                place.line += header.lines;
                Box::new(CsvReader::new(header.columns, self.dialect(), &self.config.csv, target)?)
            }
        })
    }

    /// Moves on to `offset`, without reading what lies between if the file is not compressed.
    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        let in_hand = self.window.offset() + self.window.bytes().len() as u64;
        if self.compression == Compression::None && offset > in_hand {
            let mut file = self.file;
            file.seek(io::SeekFrom::Start(offset))?;
            self.window.moved_to(offset);
        }
        self.window.skip_to(offset)
    }

    /// Reads the file to its end, from `from` if an open listing is gone on with.
    pub(super) fn read(
        mut self,
        target: Target<'_>,
        from: Option<Place>,
        seen: &Seen,
        out: &mut ThreadOutlet,
    ) -> Result<(), Trouble> {
        let mut place = Place::default();
        let mut reader = self.reader(target, &mut place)?;
        if let Some(from) = from {
            place = from;
            self.go_to(from.offset)?;
        }
        let mut sink = Sink::new(target, place);
        loop {
            let progress = reader.step(&mut self.window, &mut sink);
            if out.is_closed() {
                return Err(Trouble::Closed);
            }
            // What came before an error is good.
            let is_over = !matches!(progress, Ok(Progress::More));
            if is_over || sink.is_full() || sink.is_due() {
                send(&mut sink, out, seen)?;
            }
            if is_over {
                return Ok(progress.map(|_| ())?);
            }
        }
    }
}

/// Sends the batch, and the place behind it.
fn send(sink: &mut Sink<'_>, out: &mut ThreadOutlet, seen: &Seen) -> Result<(), Closed> {
    let Some(batch) = sink.take_batch() else { return Ok(()) };
    let position = Position { seen: seen.clone(), place: sink.place };
    out.send(Message::Batch { batch, checkpoint: Some(position.to_value()) })
}
