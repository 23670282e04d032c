//! Why something cannot be a key.

use std::error::Error;
use std::fmt;

use crate::json::JsonError;

/// A key that was refused: why, and for the sake of which field, if that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyError {
    kind: KeyErrorKind,
    field: Option<Box<str>>,
}

/// The reasons why something cannot be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyErrorKind {
    /// The record lacks a field of its key.
    #[error("the record has no such field")]
    MissingField,
    /// A null: it identifies nothing.
    #[error("the value is null, and a key needs a value")]
    Null,
    /// An array or an object.
    #[error("the value is {found}, and a key needs a string, a number or a boolean")]
    NotAScalar {
        /// What it is, in words.
        found: &'static str,
    },
    /// Text that was to be JSON and is not.
    #[error("the value is not JSON")]
    NotJson(#[source] JsonError),
    /// A string that is no text, as it holds half of a surrogate pair.
    #[error("the string holds half of a surrogate pair, and a key needs whole characters")]
    LoneSurrogate,
    /// A number too large or too close to zero for any use.
    #[error("the number's exponent is beyond what a key can hold (about two thousand million)")]
    NumberOutOfRange,
    /// More bytes than a key may have, encoded.
    #[error("the key is longer than {max} bytes")]
    TooLong {
        /// The most bytes.
        max: usize,
    },
    /// No values at all.
    #[error("the key has no values")]
    Empty,
    /// Not as many values as the stream's key has fields.
    #[error("the key has {expected} values, found {found}")]
    PartCount {
        /// How many it has.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// Bytes that no key is encoded as.
    #[error("these are not the bytes of a key, from byte {offset} on")]
    Malformed {
        /// Where the part begins that cannot be read.
        offset: usize,
    },
}

impl KeyError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &KeyErrorKind {
        &self.kind
    }

    /// The field of the record it is about.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The same error, said of this field.
    #[must_use]
    pub fn in_field(self, name: &str) -> Self {
        Self { field: Some(name.into()), ..self }
    }

    /// A stable, dotted name for what is wrong.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            KeyErrorKind::MissingField => "key.missing_field",
            KeyErrorKind::Null => "key.null",
            KeyErrorKind::NotAScalar { .. } => "key.not_a_scalar",
            KeyErrorKind::NotJson(_) => "key.not_json",
            KeyErrorKind::LoneSurrogate => "key.lone_surrogate",
            KeyErrorKind::NumberOutOfRange => "key.number_out_of_range",
            KeyErrorKind::TooLong { .. } => "key.too_long",
            KeyErrorKind::Empty => "key.empty",
            KeyErrorKind::PartCount { .. } => "key.part_count",
            KeyErrorKind::Malformed { .. } => "key.malformed",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "key field {field:?}: {}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl Error for KeyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.kind.source()
    }
}

impl From<KeyErrorKind> for KeyError {
    fn from(kind: KeyErrorKind) -> Self {
        Self { kind, field: None }
    }
}
