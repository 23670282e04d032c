//! The formats in which records lie in a stream of bytes: CSV, JSON Lines, JSON. Every source that gets at such bytes
//! reads them with these.
//!
//! A [`RecordReader`] takes records from a [`Window`] into a [`Sink`]. In between two records stands a [`Place`]; from
//! there reading goes on later, in another process.

pub mod csv;
mod json_document;
mod json_lines;
mod sink;
mod window;

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::SourceError;

pub use json_document::JsonDocument;
pub use json_lines::JsonLines;
pub use sink::{Sink, Target};
pub use window::Window;

/// Bytes to be read, decompressed already.
pub type Input<'a> = Box<dyn Read + 'a>;

/// Finds the records of one format.
pub trait RecordReader {
    /// Puts records from the window into the sink until that is full or the window holds no whole record; then reads
    /// on and returns. Whenever it returns, an error included, what lies before the sink's place has been put into the
    /// sink, and nothing behind it.
    fn step(&mut self, window: &mut Window<Input<'_>>, sink: &mut Sink<'_>) -> Result<Progress, FormatError>;
}

/// Whether there is more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There may be.
    More,
    /// There is not.
    End,
}

/// Why records cannot be read on.
#[derive(Debug)]
pub enum FormatError {
    /// The bytes could not be read.
    Read(io::Error),
    /// The bytes are not of the format, and not only one record of them.
    Broken(SourceError),
}

impl From<io::Error> for FormatError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<SourceError> for FormatError {
    fn from(error: SourceError) -> Self {
        Self::Broken(error)
    }
}

/// A place between two records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Bytes before it, decompressed.
    pub offset: u64,
    /// Records before it, refused ones included.
    pub row: u64,
    /// Lines before it. JSON documents count none.
    pub line: u64,
    /// Where in the document it lies, of a JSON document.
    #[serde(default)]
    pub json: JsonPlace,
}

/// Where between the parts of a JSON document reading stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonPlace {
    /// Before everything.
    #[default]
    Start,
    /// Behind the opening bracket.
    Open,
    /// Behind an element.
    Behind,
    /// Behind a comma.
    Comma,
    /// Between objects that are not in an array.
    Sequence,
    /// Behind the closing bracket.
    Closed,
}
