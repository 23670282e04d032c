//! The binary form in which COPY sends rows.
//!
//! <https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS>, "Binary Format"

use std::io;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Behind the signature: flags, and the length of what else stands in the header.
const NUMBERS: usize = 8;

/// A count of fields that no row has: there are no more rows.
const END: &[u8] = &(-1_i16).to_be_bytes();

/// How long the header is in front of the first row.
pub(super) fn header(first: &[u8]) -> io::Result<usize> {
    let unknown = || io::Error::new(io::ErrorKind::InvalidData, "what came is no COPY in binary form");
    let numbers = first.strip_prefix(SIGNATURE).and_then(|rest| rest.first_chunk::<NUMBERS>());
    let [flags @ .., l1, l2, l3, l4] = *numbers.ok_or_else(unknown)?;
    // What the higher flags would mean is not known.
    if flags != [0; 4] {
        return Err(unknown());
    }
    let more = u32::from_be_bytes([l1, l2, l3, l4]) as usize;
    let len = SIGNATURE.len() + NUMBERS + more;
    if first.len() < len { Err(unknown()) } else { Ok(len) }
}

/// Whether this stands in the place of a row, behind the last.
pub(super) fn is_end(row: &[u8]) -> bool {
    row == END
}

/// A row is not as it should be, or only its beginning is there.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::postgres) struct Broken;

/// The fields of a row, from front to back.
#[derive(Debug)]
pub(in crate::postgres) struct Fields<'r> {
    rest: &'r [u8],
}

impl<'r> Fields<'r> {
    pub(in crate::postgres) fn of(row: &'r [u8]) -> Self {
        // How many there are is known: as many as were asked for.
        Self { rest: row.get(END.len()..).unwrap_or_default() }
    }

    /// The next field; NULL is none.
    #[inline]
    pub(in crate::postgres) fn next(&mut self) -> Result<Option<&'r [u8]>, Broken> {
        let (len, rest) = self.rest.split_first_chunk().ok_or(Broken)?;
        let Ok(len) = usize::try_from(i32::from_be_bytes(*len)) else {
            self.rest = rest;
            return Ok(None);
        };
        let (field, rest) = rest.split_at_checked(len).ok_or(Broken)?;
        self.rest = rest;
        Ok(Some(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_apart_into_its_fields() {
        let row = b"\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\0";
        let mut fields = Fields::of(row);
        assert_eq!(fields.next(), Ok(Some(&b"ab"[..])));
        assert_eq!(fields.next(), Ok(None));
        assert_eq!(fields.next(), Ok(Some(&b""[..])));
        assert_eq!(fields.next(), Err(Broken));
        let mut cut = Fields::of(&row[..7]);
        assert_eq!(cut.next(), Err(Broken));
        assert_eq!(Fields::of(b"").next(), Err(Broken));
    }

    #[test]
    fn a_header_says_how_long_it_is() {
        let header_with =
            |flags: &[u8], len: &[u8], rest: &[u8]| header(&[SIGNATURE, flags, len, rest].concat());
        assert_eq!(header_with(&[0; 4], &[0; 4], b"\0\x01").unwrap(), 19);
        assert_eq!(header_with(&[0; 4], &[0, 0, 0, 3], b"abc\0\x01").unwrap(), 22);
        header_with(&[0; 4], &[0, 0, 0, 3], b"ab").unwrap_err();
        header_with(&[0, 1, 0, 0], &[0; 4], b"").unwrap_err();
        header(b"1\ttext\n").unwrap_err();
        assert!(is_end(b"\xff\xff") && !is_end(b"\0\x01"));
    }
}
