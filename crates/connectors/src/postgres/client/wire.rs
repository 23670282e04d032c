//! What the server sends, message by message, out of one buffer.
//!
//! Rows are looked at where they lie. One that is larger than allowed is passed over as it comes in, so that memory does not
//! follow the size of what a table holds. The messages: <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

use std::io;
use std::ops::Range;

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::Message;

/// What is asked of the network at once.
const ROOM: usize = 256 << 10;
/// No message but a row is larger.
const LARGEST_MESSAGE: usize = 16 << 20;
/// So much is kept of a row that is too large.
const START: usize = 4 << 10;
/// The tag and the length of a message.
const HEAD: usize = 5;

const COPY_DATA: u8 = b'd';

/// What has come.
pub(super) enum Arrived {
    /// A row of a COPY: see [`Inbound::row`].
    Row,
    /// A row of more bytes than allowed.
    Large {
        /// How it begins.
        start: Vec<u8>,
    },
    /// Anything else.
    Other(Message),
}

/// The buffer.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    bytes: BytesMut,
    /// Where the next message begins.
    at: usize,
    /// Where the row lies that came last.
    row: Option<Range<usize>>,
    /// What is still to come of a row that is passed over.
    passing: usize,
}

impl Inbound {
    /// Makes room for more to be read, for which the last row goes.
    pub(super) fn make_room(&mut self) -> &mut BytesMut {
        self.let_go();
        if self.bytes.capacity() - self.bytes.len() < ROOM / 4 {
            self.bytes.reserve(ROOM);
        }
        &mut self.bytes
    }

    /// The row that came last, as it was sent; `None` if what came last was no row.
    pub(super) fn row(&self) -> Option<&[u8]> {
        Some(&self.bytes[self.row.clone()?])
    }

    /// Takes so many bytes from the front of the row that came last.
    pub(super) fn trim(&mut self, len: usize) {
        self.row = self.row.take().map(|row| row.start + len..row.end);
    }

    /// What came last was no row after all.
    pub(super) fn is_no_row(&mut self) {
        self.row = None;
    }

    /// The next message, if all of it is there. Rows of more than `largest` bytes are not kept.
    #[inline]
    pub(super) fn next(&mut self, largest: usize) -> io::Result<Option<Arrived>> {
        if self.passing > 0 {
            self.pass();
        }
        let Some(head) = self.bytes.get(self.at..self.at + HEAD) else { return Ok(None) };
        // The length counts itself, and not the tag.
        let len = 1 + u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let is_whole = self.bytes.len() - self.at >= len;
        if head[0] != COPY_DATA {
            return self.other(len, is_whole);
        }
        if len <= largest {
            return Ok(is_whole.then(|| self.whole_row(len)));
        }
        let start = self.bytes.get(self.at + HEAD..self.at + HEAD + START);
        Ok(start.map(<[u8]>::to_vec).map(|start| {
            (self.row, self.passing) = (None, len);
            Arrived::Large { start }
        }))
    }

    fn whole_row(&mut self, len: usize) -> Arrived {
        self.row = Some(self.at + HEAD..self.at + len);
        self.at += len;
        Arrived::Row
    }

    fn other(&mut self, len: usize, is_whole: bool) -> io::Result<Option<Arrived>> {
        if !(HEAD..=LARGEST_MESSAGE).contains(&len) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "what came is no message of PostgreSQL"));
        }
        if !is_whole {
            return Ok(None);
        }
        self.let_go();
        Ok(Message::parse(&mut self.bytes)?.map(Arrived::Other))
    }

    fn pass(&mut self) {
        self.let_go();
        let passed = self.passing.min(self.bytes.len());
        self.bytes.advance(passed);
        self.passing -= passed;
    }

    /// Lets go of what was looked at.
    fn let_go(&mut self) {
        self.bytes.advance(std::mem::take(&mut self.at));
        self.row = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy_data(row: &[u8]) -> Vec<u8> {
        let len = u32::try_from(row.len() + 4).unwrap().to_be_bytes();
        [&b"d"[..], &len, row].concat()
    }

    #[test]
    fn a_row_comes_when_all_of_it_is_there() {
        let mut inbound = Inbound::default();
        let sent = copy_data(b"1\tx\n");
        for byte in &sent[..sent.len() - 1] {
            inbound.make_room().extend_from_slice(&[*byte]);
            assert!(inbound.next(100_000).unwrap().is_none());
        }
        inbound.make_room().extend_from_slice(b"\n");
        assert!(matches!(inbound.next(100_000), Ok(Some(Arrived::Row))));
        assert_eq!(inbound.row(), Some(&b"1\tx\n"[..]));
        inbound.trim(2);
        assert_eq!(inbound.row(), Some(&b"x\n"[..]));
        assert!(inbound.next(100_000).unwrap().is_none());
    }

    #[test]
    fn a_row_that_is_too_large_is_passed_over_in_bounded_memory() {
        let mut inbound = Inbound::default();
        let large = copy_data(&[b'y'; 3 << 20]);
        let mut found = None;
        for piece in large.chunks(64 << 10) {
            inbound.make_room().extend_from_slice(piece);
            if let Some(Arrived::Large { start }) = inbound.next(1 << 20).unwrap() {
                found = Some(start.len());
            }
            assert!(inbound.bytes.len() <= 128 << 10);
        }
        assert_eq!(found, Some(START));
        inbound.make_room().extend_from_slice(&copy_data(b"next\n"));
        assert!(matches!(inbound.next(1 << 20), Ok(Some(Arrived::Row))));
        assert_eq!(inbound.row(), Some(&b"next\n"[..]));
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        for nonsense in [&b"HTTP/1.1 400 Bad Request"[..], b"Z\x00\x00\x00\x00"] {
            let mut inbound = Inbound::default();
            inbound.make_room().extend_from_slice(nonsense);
            assert!(inbound.next(100).is_err());
        }
    }
}
