//! JSON lines, on standard output or into a file.

use std::fmt;
use std::io::{self, BufWriter, Write};

/// A place that takes one JSON text a line.
pub(crate) struct JsonLines(BufWriter<Box<dyn Write>>);

impl JsonLines {
    /// Takes standard output.
    pub(crate) fn stdout() -> Self {
        Self::to(Box::new(io::stdout().lock()))
    }

    /// Takes any other place.
    pub(crate) fn to(place: Box<dyn Write>) -> Self {
        Self(BufWriter::with_capacity(64 << 10, place))
    }

    /// Writes one text and a line end. The text must hold no line end outside its strings.
    pub(crate) fn write(&mut self, json: &str) -> io::Result<()> {
        self.0.write_all(json.as_bytes())?;
        self.0.write_all(b"\n")
    }

    /// Hands all that was written to the reader.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonLines")
    }
}
