//! Records between the first look and the second: compressed, in a file that nobody else sees.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::Path;

use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

/// Fast: what is saved is disk.
const LEVEL: i32 = 1;

/// Takes records, one a line.
pub(super) struct Spool(BufWriter<Encoder<'static, File>>);

/// Gives them again.
pub(super) struct Spooled {
    lines: BufReader<Decoder<'static, BufReader<File>>>,
    line: String,
}

impl Spool {
    /// An empty one. Its file has no name, so that it goes with the process, however that ends.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder)?;
        Ok(Self(BufWriter::with_capacity(64 << 10, Encoder::new(file, LEVEL)?)))
    }

    /// Takes one, which has no line end outside its strings, and so none at all.
    pub(super) fn write(&mut self, json: &str) -> io::Result<()> {
        self.0.write_all(json.as_bytes())?;
        self.0.write_all(b"\n")
    }

    /// Goes back to the first.
    pub(super) fn read(self) -> io::Result<Spooled> {
        let encoder = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut file = encoder.finish()?;
        file.rewind()?;
        Ok(Spooled { lines: BufReader::new(Decoder::new(file)?), line: String::new() })
    }
}

impl Spooled {
    /// The next one; `None` behind the last.
    pub(super) fn next(&mut self) -> io::Result<Option<&str>> {
        self.line.clear();
        let length = self.lines.read_line(&mut self.line)?;
        Ok((length > 0).then(|| self.line.trim_end_matches('\n')))
    }
}
