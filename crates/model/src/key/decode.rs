//! Decoding: from the bytes of a key, which may come from outside, back to its parts.

use std::borrow::Cow;

use super::error::{KeyError, KeyErrorKind};
use super::integer::{self, Decoded};
use super::{END, ESCAPE, MAX_LEN, code, decimal};

/// One value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart<'a> {
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits.
    Integer(i64),
    /// Any other number, as JSON writes it: an integer beyond 64 bits, or a decimal.
    Number(Box<str>),
    /// A string.
    String(Cow<'a, str>),
    /// Bytes, which no JSON value gives.
    Bytes(Cow<'a, [u8]>),
}

/// The parts of an encoded key. Only what encoding gives is accepted, so encoding the parts again gives the
/// same bytes.
pub fn decode(encoded: &[u8]) -> Result<Vec<KeyPart<'_>>, KeyError> {
    if encoded.len() > MAX_LEN {
        return Err(KeyErrorKind::TooLong { max: MAX_LEN }.into());
    }
    let mut parts = Vec::new();
    let mut rest = encoded;
    while let [first, body @ ..] = rest {
        let offset = encoded.len() - rest.len();
        let (part, len) = decode_part(*first, body).ok_or(KeyErrorKind::Malformed { offset })?;
        parts.push(part);
        rest = &body[len..];
    }
    if parts.is_empty() { Err(KeyErrorKind::Empty.into()) } else { Ok(parts) }
}

/// Reads the part with the type code `first`, and says how much of `body` it takes.
fn decode_part(first: u8, body: &[u8]) -> Option<(KeyPart<'_>, usize)> {
    match first {
        code::BYTES => terminated(body).map(|(bytes, len)| (KeyPart::Bytes(bytes), len)),
        code::STRING => {
            let (bytes, len) = terminated(body)?;
            let text = match bytes {
                Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).ok()?),
                Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
            };
            Some((KeyPart::String(text), len))
        }
        code::LONG_NEGATIVE..=code::LONG_POSITIVE => {
            let (integer, len) = integer::decode(first, body)?;
            let part = match integer {
                Decoded::Small(value) => KeyPart::Integer(value),
                Decoded::Large(text) => KeyPart::Number(text),
            };
            Some((part, len))
        }
        code::FALSE | code::TRUE => Some((KeyPart::Bool(first == code::TRUE), 0)),
        code::NEGATIVE_DECIMAL | code::POSITIVE_DECIMAL => {
            let (text, len) = decimal::decode(first == code::NEGATIVE_DECIMAL, body)?;
            Some((KeyPart::Number(text), len))
        }
        _ => None,
    }
}

/// Reads up to the first zero byte that is no part of the value, and gives the value and how much it takes.
fn terminated(body: &[u8]) -> Option<(Cow<'_, [u8]>, usize)> {
    let mut value = Cow::Borrowed(&[][..]);
    let mut copied = 0;
    for nul in memchr::memchr_iter(END, body) {
        if body.get(nul + 1) == Some(&ESCAPE) {
            value.to_mut().extend_from_slice(&body[copied..=nul]);
            copied = nul + 2;
        } else if copied == 0 {
            return Some((Cow::Borrowed(&body[..nul]), nul + 1));
        } else {
            value.to_mut().extend_from_slice(&body[copied..nul]);
            return Some((value, nul + 1));
        }
    }
    None
}
