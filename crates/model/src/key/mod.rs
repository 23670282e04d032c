//! Keys: the values of a record's primary key as one string of bytes, typed and in order.
//!
//! The encoding is the tuple layer of FoundationDB as its `design/tuple.md` lays it down
//! (<https://github.com/apple/foundationdb/blob/main/design/tuple.md>), restricted to byte strings, Unicode
//! strings, integers up to 255 bytes and booleans, and with one addition: decimals, under user type codes.
//! Parts follow each other without a separator, as each says where it ends; so the order of the bytes is the
//! order of the parts, and no key is the beginning of another with as many parts.
//!
//! In the place of one part bytes come before strings, those before integers, those before booleans, those
//! before decimals. Each value has exactly one encoding, however it was spelled: `1`, `1.0` and `1e0` are one
//! key. This is version 1 of the format; `docs/values.md` lays it out with golden values.

mod decimal;
mod decode;
mod encode;
mod error;
#[cfg(test)]
mod golden;
mod integer;
mod number;
mod storage;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::fmt;

pub use decode::{KeyPart, decode};
pub use encode::{KeyEncoder, encode_fields, encode_json_scalar};
pub use error::{KeyError, KeyErrorKind};
pub use storage::{STORAGE_KEY_MAX, storage_key};
pub use text::to_json;

/// The longest key, encoded, in bytes.
pub const MAX_LEN: usize = 64 << 10;

/// Ends a string or bytes, unless [`ESCAPE`] follows.
const END: u8 = 0x00;
/// Says that the zero byte before it is part of the value.
const ESCAPE: u8 = 0xff;

/// What the first byte of a part says it is.
mod code {
    pub(super) const BYTES: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    /// An integer below zero of 9 to 255 bytes.
    pub(super) const LONG_NEGATIVE: u8 = 0x0b;
    /// Zero; an integer of n bytes, up to 8, has n more or, below zero, n less.
    pub(super) const ZERO: u8 = 0x14;
    /// An integer above zero of 9 to 255 bytes.
    pub(super) const LONG_POSITIVE: u8 = 0x1d;
    pub(super) const FALSE: u8 = 0x26;
    pub(super) const TRUE: u8 = 0x27;
    pub(super) const NEGATIVE_DECIMAL: u8 = 0x40;
    pub(super) const POSITIVE_DECIMAL: u8 = 0x41;
}

/// A record's key, encoded. Two keys are equal, and ordered, as their values are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

impl Key {
    /// The key that is written as this JSON: a scalar, or an array of scalars for a key of several fields.
    pub fn from_json(json: &[u8]) -> Result<Self, KeyError> {
        text::from_json(json).map(Self)
    }

    /// The key in a URL path, already percent-decoded: its JSON form, such as `42`, `"42"` or `["a",1]`. A
    /// text that is no JSON is taken as a string, so that `abc` means `"abc"`. `parts` is how many fields the
    /// key has, if known.
    pub fn from_url(text: &str, parts: Option<usize>) -> Result<Self, KeyError> {
        text::from_url(text, parts).map(Self)
    }

    /// A key that was encoded earlier, by this process or another. It is checked whole.
    pub fn from_encoded(encoded: impl Into<Box<[u8]>>) -> Result<Self, KeyError> {
        let encoded = encoded.into();
        decode(&encoded)?;
        Ok(Self(encoded))
    }

    /// The encoded form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The values it is made of.
    #[must_use]
    pub fn parts(&self) -> Vec<KeyPart<'_>> {
        decode(&self.0).expect("a key is checked when it is made")
    }

    /// The JSON form: a scalar for one part, an array for several.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Vec::new();
        to_json(&self.0, &mut json).expect("a key is checked when it is made");
        String::from_utf8(json).expect("JSON is written in UTF-8")
    }

    /// The form under which a store files it; see [`storage_key`].
    #[must_use]
    pub fn storage_key(&self) -> Cow<'_, [u8]> {
        storage_key(&self.0)
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The JSON form.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}
