//! Reading one file: from its bytes to batches with checkpoints, whatever its format.

use std::fs::File;
use std::io::{self, Seek};
use std::time::Instant;

use inlet_model::{Batch, Rejection, Scope};
use inlet_source::{
    Closed, ErrorKind, Message, ReadRequest, RecordEncoder, SourceError, StreamRequest, Unkeyed,
};

use super::config::Config;
use super::csv_records::CsvRecords;
use super::cursor::{Place, Position, Seen};
use super::decompress::{self, Input, Stopped};
use super::format::{self, Compression, Format};
use super::json_document::JsonDocument;
use super::json_lines::JsonLines;
use super::window::Window;
use crate::blocking::{Stop, ThreadOutlet};

/// How much of a file is looked at before its records are read, in bytes: to tell formats and types.
pub(super) const SAMPLE: usize = 1 << 20;

/// What ends the reading of a file early.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody takes messages any more.
    Closed,
    /// The file cannot be read on.
    Failed(SourceError),
}

impl Trouble {
    pub(super) fn because(self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        match self {
            Self::Closed => Self::Closed,
            Self::Failed(error) => Self::Failed(error.because(cause)),
        }
    }
}

impl From<Closed> for Trouble {
    fn from(Closed: Closed) -> Self {
        Self::Closed
    }
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
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

/// Whether a file has more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    End,
}

/// Finds the records of one format.
pub(super) trait ReadFormat {
    /// Puts records from the window into the sink until that is full or the window holds no whole record; then reads
    /// on and returns. Whenever it returns, everything before the window has been put into the sink.
    fn step(&mut self, window: &mut Window<Input<'_>>, sink: &mut Sink<'_>) -> Result<Progress, Trouble>;
}

/// Where records go: the batch that is being filled.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    pub(super) place: Place,
    pub(super) batch: Batch,
    encoder: RecordEncoder,
    job: Job<'a>,
    /// When the batch must be closed; set soon after its first record.
    due: Option<Instant>,
    asked: u32,
}

/// What is to be read: one file of one stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) config: &'a Config,
    pub(super) request: &'a ReadRequest,
    pub(super) stream: &'a StreamRequest,
    pub(super) scope: &'a Scope,
}

impl Job<'_> {
    fn new_batch(&self) -> Batch {
        Batch::new(self.stream.name.clone(), self.scope.clone(), self.request.seed)
    }
}

impl<'a> Sink<'a> {
    fn new(job: Job<'a>, place: Place) -> Self {
        let Job { stream, request, .. } = job;
        let encoder =
            RecordEncoder::new(&stream.primary_key, stream.fields.as_deref(), request.max_record_bytes);
        Self { place, batch: job.new_batch(), encoder, job, due: None, asked: 0 }
    }

    pub(super) fn max_record_bytes(&self) -> usize {
        self.job.request.max_record_bytes
    }

    /// Takes a record that is JSON.
    pub(super) fn json(&mut self, position: u64, raw: &[u8]) {
        let unkeyed = Unkeyed::Row { path: self.job.scope.as_str(), row: self.place.row };
        self.encoder.upsert(&mut self.batch, position, raw, unkeyed);
    }

    /// Refuses a record of which the start is known, and that it is longer than allowed.
    pub(super) fn reject_too_large(&mut self, position: u64, start: &[u8]) {
        let reason = format!("the record has more than {} bytes", self.max_record_bytes());
        self.batch.reject(Rejection::new(position, "record.too_large", reason, start));
    }

    /// Whether the batch is to be closed now.
    pub(super) fn is_full(&mut self) -> bool {
        const ASK_EVERY: u32 = 64;
        self.asked = self.asked.wrapping_add(1);
        self.batch.bytes() >= self.job.request.batch_bytes
            || (self.asked.is_multiple_of(ASK_EVERY) && self.is_due())
    }

    /// Whether the batch has waited long enough.
    fn is_due(&mut self) -> bool {
        if self.batch.is_empty() {
            return false;
        }
        let now = Instant::now();
        now >= *self.due.get_or_insert(now + self.job.request.batch_delay)
    }

    /// Sends what there is, and the place behind it.
    fn flush(&mut self, out: &mut ThreadOutlet, seen: &Seen) -> Result<(), Closed> {
        self.due = None;
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, self.job.new_batch());
        let position = Position { seen: seen.clone(), place: self.place };
        out.send(Message::Batch { batch, checkpoint: Some(position.to_value()) })
    }
}

/// A file that was opened and looked at, and is ready to be read.
pub(super) struct Opened<'a> {
    file: &'a File,
    pub(super) compression: Compression,
    pub(super) format: Format,
    /// The bytes of the file, behind a byte order mark; the first of them are in hand.
    pub(super) window: Window<Input<'a>>,
}

/// Looks at the beginning of `file`: how it is compressed, and in which format it is.
pub(super) fn open<'a>(
    config: &Config,
    name: &str,
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
    Ok(Opened { file, compression, format, window })
}

impl<'a> Opened<'a> {
    /// The reader of the file's format. The window then stands before the first record.
    fn reader(&mut self, job: Job<'_>, place: &mut Place) -> Result<Box<dyn ReadFormat>, Trouble> {
        Ok(match self.format {
            Format::JsonLines => Box::new(JsonLines),
            Format::Json => Box::new(JsonDocument),
            Format::Csv => {
                let (records, len, lines) = CsvRecords::new(job, self.window.bytes(), self.window.is_last())?;
                self.window.consume(len);
                place.line += lines;
                Box::new(records)
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
        job: Job<'_>,
        from: Option<Place>,
        seen: &Seen,
        out: &mut ThreadOutlet,
    ) -> Result<(), Trouble> {
        let mut place = Place::default();
        let mut reader = self.reader(job, &mut place)?;
        if let Some(from) = from {
            place = from;
            self.go_to(from.offset)?;
        }
        let mut sink = Sink::new(job, place);
        loop {
            let progress = reader.step(&mut self.window, &mut sink)?;
            sink.place.offset = self.window.offset();
            if progress == Progress::End {
                return Ok(sink.flush(out, seen)?);
            }
            if sink.is_full() || sink.is_due() {
                sink.flush(out, seen)?;
            }
            if out.is_closed() {
                return Err(Trouble::Closed);
            }
        }
    }
}
