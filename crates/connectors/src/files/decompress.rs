//! The bytes of a file, decompressed as they are read.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;

use flate2::read::MultiGzDecoder;
use inlet_model::fault;
use inlet_source::formats::Input;

use super::format::{Compression, compression_of};
use crate::blocking::Stop;

/// How much of a compressed file is read at once, in bytes.
const CHUNK: usize = 256 << 10;

/// Reading was stopped because nobody waits for it any more.
#[derive(Debug, thiserror::Error)]
#[error("reading was stopped")]
pub(super) struct Stopped;

/// A file that gives an error once reading is to stop, so that no skipping or decompressing goes on for long.
struct UntilStopped<'a> {
    file: &'a File,
    stop: &'a Stop,
}

impl Read for UntilStopped<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            return Err(io::Error::other(Stopped));
        }
        if fault::fails("source.read") {
            return Err(rustix::io::Errno::IO.into());
        }
        self.file.read(buffer)
    }
}

/// Which compression `file` has: as `set`, else by its name, else by its first bytes.
pub(super) fn detect(set: Option<Compression>, name: &str, file: &File) -> io::Result<Compression> {
    if let Some(compression) = set {
        return Ok(compression);
    }
    let (mut start, mut len) = ([0; 4], 0);
    while len < start.len() {
        match file.read_at(&mut start[len..], len as u64)? {
            0 => break,
            read => len += read,
        }
    }
    Ok(compression_of(name, &start[..len]))
}

/// The bytes of `file` from where it stands. Several compressed streams one after another are one.
pub(super) fn open<'a>(file: &'a File, compression: Compression, stop: &'a Stop) -> io::Result<Input<'a>> {
    let plain = UntilStopped { file, stop };
    Ok(match compression {
        Compression::None => Box::new(plain),
        Compression::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, plain))),
        Compression::Zstd => {
            Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(CHUNK, plain))?)
        }
    })
}
