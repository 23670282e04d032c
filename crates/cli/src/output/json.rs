//! JSON lines on standard output.

use std::io::{self, BufWriter, StdoutLock, Write};

/// Standard output, one JSON text a line.
#[derive(Debug)]
pub(crate) struct JsonLines(BufWriter<StdoutLock<'static>>);

impl JsonLines {
    /// Takes standard output.
    pub(crate) fn stdout() -> Self {
        Self(BufWriter::with_capacity(64 << 10, io::stdout().lock()))
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
