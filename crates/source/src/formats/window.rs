//! A sliding view of a stream of bytes: the piece in hand, and how far into the stream it begins.

use std::io::{self, ErrorKind, Read};

/// What a window holds at first, in bytes. It grows only for a record that does not fit.
const LEAST: usize = 256 << 10;

/// The bytes of `input` that have been read and not yet consumed.
#[derive(Debug)]
pub struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    ended: bool,
}

impl<R: Read> Window<R> {
    /// A window at the beginning of `input`.
    #[must_use]
    pub fn new(input: R) -> Self {
        Self { input, buffer: vec![0; LEAST], start: 0, end: 0, offset: 0, ended: false }
    }

    /// The piece in hand.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where in the stream the piece begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether nothing comes after the piece in hand.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.ended
    }

    /// Lets go of the first `len` bytes of the piece.
    pub fn consume(&mut self, len: usize) {
        debug_assert!(len <= self.end - self.start, "no more can be consumed than is there");
        self.start += len;
        self.offset += len as u64;
    }

    /// Reads on until the piece has at least one byte more, or the stream ends. A piece that fills the whole buffer
    /// makes it twice as large.
    pub fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        while !self.ended && self.end < self.buffer.len() {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads on until the piece has `len` bytes, or the stream ends.
    pub fn fill_to(&mut self, len: usize) -> io::Result<()> {
        while self.bytes().len() < len && !self.ended {
            self.fill()?;
        }
        Ok(())
    }

    /// Says that the input has been moved to `offset` of the stream, by other means than reading.
    pub fn moved_to(&mut self, offset: u64) {
        (self.start, self.end, self.offset, self.ended) = (0, 0, offset, false);
    }

    /// Passes over everything up to `offset` of the stream, or to its end.
    pub fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        while self.offset < offset {
            if self.bytes().is_empty() {
                if self.ended {
                    break;
                }
                self.fill()?;
            }
            let here = self.bytes().len();
            let ahead = usize::try_from(offset - self.offset).map_or(here, |ahead| ahead.min(here));
            self.consume(ahead);
        }
        Ok(())
    }

    /// Passes over everything up to the first `byte` and that too, holding nothing; to the end if there is none.
    pub fn skip_past(&mut self, byte: u8) -> io::Result<()> {
        loop {
            if let Some(at) = memchr::memchr(byte, self.bytes()) {
                self.consume(at + 1);
                return Ok(());
            }
            self.consume(self.bytes().len());
            if self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a call, as a slow input would.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(buffer.len()).min(1);
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    #[test]
    fn a_record_larger_than_the_buffer_makes_it_grow() {
        let text = vec![b'x'; 3 * LEAST + 1];
        let mut window = Window::new(&text[..]);
        window.fill_to(usize::MAX).unwrap();
        assert_eq!(window.bytes(), &text[..]);
        assert!(window.is_last());
    }

    #[test]
    fn what_is_consumed_is_gone_and_counted() {
        let mut window = Window::new(Drip(b"one\ntwo\nthree"));
        window.fill().unwrap();
        window.consume(4);
        assert_eq!((window.bytes(), window.offset()), (&b"two\nthree"[..], 4));
        window.skip_past(b'\n').unwrap();
        assert_eq!((window.bytes(), window.offset()), (&b"three"[..], 8));
        window.skip_past(b'\n').unwrap();
        assert_eq!((window.bytes(), window.offset()), (&b""[..], 13));
    }

    #[test]
    fn skipping_to_an_offset_crosses_pieces_and_stops_at_the_end() {
        let text: Vec<u8> = (0..=255).cycle().take(2 * LEAST + 5).collect();
        let mut window = Window::new(&text[..]);
        window.skip_to(LEAST as u64 + 7).unwrap();
        window.fill_to(1).unwrap();
        assert_eq!(window.bytes()[0], text[LEAST + 7]);
        window.skip_to(u64::MAX).unwrap();
        assert_eq!(window.offset(), text.len() as u64);
    }
}
