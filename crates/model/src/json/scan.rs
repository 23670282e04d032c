//! Finding where strings end, eight bytes at a time.

use super::error::{JsonError, JsonErrorKind};

const WORD: usize = size_of::<u64>();
const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Has the top bit set in the first byte of `word` that ends a plain run of string characters: a quote, a
/// backslash or a control character. Bytes after that one may be marked wrongly, bytes before it never are.
#[inline]
fn specials(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let controls = word.wrapping_sub(ONES * b' ' as u64) & !word;
    let zeros = (quotes.wrapping_sub(ONES) & !quotes) | (backslashes.wrapping_sub(ONES) & !backslashes);
    (controls | zeros) & TOPS
}

/// The first byte at or after `at` that is a quote, a backslash or a control character; else the end of
/// `text`.
#[inline]
pub(super) fn plain_end(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk::<WORD>) {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return at + (found.trailing_zeros() / u8::BITS) as usize;
        }
        at += WORD;
    }
    while let Some(&byte) = text.get(at) {
        if byte == b'"' || byte == b'\\' || byte < b' ' {
            break;
        }
        at += 1;
    }
    at
}

/// A string's closing quote.
#[derive(Debug, Clone, Copy)]
pub(super) struct StringEnd {
    pub(super) quote: usize,
    /// Whether there are escapes before it.
    pub(super) escaped: bool,
}

/// The end of the string whose body begins at `body`.
#[inline]
pub(super) fn string_end(text: &[u8], body: usize) -> Result<StringEnd, JsonError> {
    let quote = plain_end(text, body);
    if text.get(quote) == Some(&b'"') {
        return Ok(StringEnd { quote, escaped: false });
    }
    escaped_string_end(text, quote).map(|quote| StringEnd { quote, escaped: true })
}

/// Goes on from the first byte of a string that is not plain.
#[inline(never)]
fn escaped_string_end(text: &[u8], mut at: usize) -> Result<usize, JsonError> {
    loop {
        match text.get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') => at = plain_end(text, escape_end(text, at)?),
            Some(&byte) => return Err(JsonError::new(JsonErrorKind::ControlCharacter(byte), at)),
            None => return Err(JsonError::unexpected("the closing quote of a string", text, at)),
        }
    }
}

/// The end of the escape whose backslash is at `at`.
fn escape_end(text: &[u8], at: usize) -> Result<usize, JsonError> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') if text.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => {
            Ok(at + 6)
        }
        _ => Err(JsonError::new(JsonErrorKind::BadEscape, at)),
    }
}

/// Whether this is white space between tokens.
#[inline]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r')
}
