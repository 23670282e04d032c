//! Encoding: appending the parts of a key to the bytes of a batch.

use std::ops::Range;

use super::decode::KeyPart;
use super::error::{KeyError, KeyErrorKind};
use super::integer::{self, Magnitude};
use super::number::Number;
use super::{END, ESCAPE, MAX_LEN, code, decimal};
use crate::json::{JsonErrorKind, Object, decode_string};

/// Numbers of up to this many digits fit an `i64` whatever the digits.
const FAST_DIGITS: usize = 18;

/// Appends one key to a buffer, part by part. Unless [`finish`](Self::finish) succeeds the buffer is left as
/// it was.
#[derive(Debug)]
pub struct KeyEncoder<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    finished: bool,
}

impl<'a> KeyEncoder<'a> {
    /// Begins a key at the end of `out`.
    #[must_use]
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { start: out.len(), out, finished: false }
    }

    /// Appends a JSON scalar: `value` is its token, with no white space around it.
    #[inline]
    pub fn push_json(&mut self, value: &[u8]) -> Result<(), KeyError> {
        match value {
            [b'"', body @ .., b'"'] if memchr::memchr2(b'\\', b'"', body).is_none() => {
                self.push_plain(value, body)
            }
            [b'"', ..] => self.push_token(value),
            [b'-' | b'0'..=b'9', ..] => self.push_number(value),
            b"true" | b"false" => {
                self.push_bool(value == b"true");
                Ok(())
            }
            b"null" => Err(KeyErrorKind::Null.into()),
            [b'[', ..] => Err(KeyErrorKind::NotAScalar { found: "an array" }.into()),
            [b'{', ..] => Err(KeyErrorKind::NotAScalar { found: "an object" }.into()),
            _ => Err(not_json()),
        }
    }

    /// Appends the value of a record's top-level field.
    pub fn push_field(&mut self, record: &Object<'_>, name: &str) -> Result<(), KeyError> {
        let pushed = match record.get(name).map(|field| field.scalar()) {
            Some(Some(value)) => self.push_json(value),
            Some(None) => Err(KeyErrorKind::NotAScalar { found: "an array or an object" }.into()),
            None => Err(KeyErrorKind::MissingField.into()),
        };
        pushed.map_err(|error| error.in_field(name))
    }

    /// Appends a boolean.
    pub fn push_bool(&mut self, value: bool) {
        self.out.push(if value { code::TRUE } else { code::FALSE });
    }

    /// Appends an integer.
    pub fn push_i64(&mut self, value: i64) {
        integer::encode_small(value < 0, value.unsigned_abs(), self.out);
    }

    /// Appends an integer.
    pub fn push_u64(&mut self, value: u64) {
        integer::encode_small(false, value, self.out);
    }

    /// Appends a string.
    pub fn push_str(&mut self, value: &str) {
        self.push_terminated(code::STRING, value.as_bytes());
    }

    /// Appends bytes, a hash for instance. JSON has none, so their JSON form is a string of lower-case hex
    /// digits, which reads back as that string: a key that people are to ask for by name needs a string
    /// instead.
    pub fn push_bytes(&mut self, value: &[u8]) {
        self.push_terminated(code::BYTES, value);
    }

    /// Appends a part of another key.
    pub fn push_part(&mut self, part: &KeyPart<'_>) -> Result<(), KeyError> {
        match part {
            KeyPart::Bool(value) => self.push_bool(*value),
            KeyPart::Integer(value) => self.push_i64(*value),
            KeyPart::Number(text) => self.push_number(text.as_bytes())?,
            KeyPart::String(text) => self.push_str(text),
            KeyPart::Bytes(bytes) => self.push_bytes(bytes),
        }
        Ok(())
    }

    /// Ends the key and says where in the buffer it lies.
    #[inline]
    pub fn finish(mut self) -> Result<Range<usize>, KeyError> {
        let end = self.out.len();
        if end == self.start {
            return Err(KeyErrorKind::Empty.into());
        }
        if end - self.start > MAX_LEN {
            return Err(KeyErrorKind::TooLong { max: MAX_LEN }.into());
        }
        self.finished = true;
        Ok(self.start..end)
    }

    /// A string without escapes, so with no NUL either: JSON writes that as an escape.
    #[inline]
    fn push_plain(&mut self, token: &[u8], body: &[u8]) -> Result<(), KeyError> {
        if memchr::memchr(0, body).is_some() || std::str::from_utf8(body).is_err() {
            return self.push_token(token);
        }
        self.out.push(code::STRING);
        self.out.extend_from_slice(body);
        self.out.push(END);
        Ok(())
    }

    fn push_token(&mut self, token: &[u8]) -> Result<(), KeyError> {
        let text = decode_string(token).map_err(|error| match error.kind() {
            JsonErrorKind::LoneSurrogate => KeyErrorKind::LoneSurrogate,
            _ => KeyErrorKind::NotJson(error),
        })?;
        self.push_str(&text);
        Ok(())
    }

    fn push_terminated(&mut self, code: u8, value: &[u8]) {
        self.out.push(code);
        let mut copied = 0;
        for nul in memchr::memchr_iter(0, value) {
            self.out.extend_from_slice(&value[copied..=nul]);
            self.out.push(ESCAPE);
            copied = nul + 1;
        }
        self.out.extend_from_slice(&value[copied..]);
        self.out.push(END);
    }

    #[inline]
    fn push_number(&mut self, text: &[u8]) -> Result<(), KeyError> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let small = match digits {
            [b'0'] => Some(0),
            [b'1'..=b'9', ..] if digits.len() <= FAST_DIGITS => {
                digits.iter().try_fold(0, |value: u64, digit| {
                    digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0'))
                })
            }
            _ => None,
        };
        match small {
            Some(magnitude) => integer::encode_small(negative, magnitude, self.out),
            None => self.push_any_number(text)?,
        }
        Ok(())
    }

    fn push_any_number(&mut self, text: &[u8]) -> Result<(), KeyError> {
        let number = Number::parse(text).ok_or_else(not_json)?;
        let magnitude = number.integer_zeros().and_then(|zeros| {
            Magnitude::from_digits(number.digits().chain(std::iter::repeat_n(b'0', zeros)))
        });
        match magnitude {
            Some(magnitude) => integer::encode(number.negative, &magnitude, self.out),
            None => decimal::encode(&number, self.out)?,
        }
        Ok(())
    }
}

impl Drop for KeyEncoder<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

#[cold]
fn not_json() -> KeyError {
    KeyErrorKind::NotAScalar { found: "text that is not JSON" }.into()
}

/// Appends the key that one JSON scalar makes. On an error `out` is as it was.
pub fn encode_json_scalar(value: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    let mut key = KeyEncoder::new(out);
    key.push_json(value)?;
    key.finish().map(|_| ())
}

/// Appends the key that these top-level fields of a record make, in this order. On an error `out` is as it
/// was.
pub fn encode_fields(
    record: &Object<'_>,
    names: &[impl AsRef<str>],
    out: &mut Vec<u8>,
) -> Result<(), KeyError> {
    let mut key = KeyEncoder::new(out);
    for name in names {
        key.push_field(record, name.as_ref())?;
    }
    key.finish().map(|_| ())
}
