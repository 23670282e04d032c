//! What can be wrong with JSON text.

use std::fmt;

/// JSON text that was refused: what is wrong, and at which byte of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {offset}")]
pub struct JsonError {
    kind: JsonErrorKind,
    offset: usize,
}

/// The ways in which JSON text can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// Something other than the grammar wants here.
    Unexpected {
        /// What the grammar wants, in words.
        expected: &'static str,
        /// What stands there; `None` at the end of the text.
        found: Option<char>,
    },
    /// A character below U+0020 inside a string.
    ControlCharacter(u8),
    /// A backslash that begins no escape JSON knows.
    BadEscape,
    /// A number that is not written as JSON writes numbers, such as `01`, `1.` or `-`.
    BadNumber,
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// Half of a surrogate pair, where the string's characters are needed.
    LoneSurrogate,
    /// A name that an earlier member of the same object has; the offset is that of its second value.
    DuplicateName(Box<str>),
    /// Arrays and objects nested deeper than allowed.
    TooDeep {
        /// The deepest nesting allowed.
        max: u16,
    },
    /// More bytes than allowed.
    TooLarge {
        /// The most bytes allowed.
        max: usize,
    },
    /// More members than allowed, in all objects that are open at one point together.
    TooManyMembers {
        /// The most members allowed.
        max: u32,
    },
    /// A record that is not an object.
    NotAnObject {
        /// What it is instead, in words.
        found: &'static str,
    },
}

impl JsonError {
    pub(super) fn new(kind: JsonErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// `expected` was wanted at `offset` of `text`.
    #[cold]
    pub(super) fn unexpected(expected: &'static str, text: &[u8], offset: usize) -> Self {
        Self::new(JsonErrorKind::Unexpected { expected, found: char_at(text, offset) }, offset)
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &JsonErrorKind {
        &self.kind
    }

    /// The byte of the text where it was noticed, counted from 0.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// A stable, dotted name for what is wrong.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            JsonErrorKind::Unexpected { .. }
            | JsonErrorKind::ControlCharacter(_)
            | JsonErrorKind::BadEscape
            | JsonErrorKind::BadNumber => "json.syntax",
            JsonErrorKind::InvalidUtf8 => "json.invalid_utf8",
            JsonErrorKind::LoneSurrogate => "json.lone_surrogate",
            JsonErrorKind::DuplicateName(_) => "json.duplicate_name",
            JsonErrorKind::TooDeep { .. } => "json.too_deep",
            JsonErrorKind::TooLarge { .. } => "json.too_large",
            JsonErrorKind::TooManyMembers { .. } => "json.too_many_members",
            JsonErrorKind::NotAnObject { .. } => "json.not_an_object",
        }
    }
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { expected, found: Some(found) } => {
                write!(f, "expected {expected}, found {found:?}")
            }
            Self::Unexpected { expected, found: None } => {
                write!(f, "expected {expected}, but the text ends")
            }
            Self::ControlCharacter(byte) => {
                write!(
                    f,
                    "a string holds the control character U+{byte:04X}, which JSON writes as \\u{byte:04x}"
                )
            }
            Self::BadEscape => f.write_str("a backslash in a string begins no escape that JSON knows"),
            Self::BadNumber => f.write_str("a number is not written as JSON writes numbers"),
            Self::InvalidUtf8 => f.write_str("the text is not UTF-8"),
            Self::LoneSurrogate => f.write_str("a string holds half of a surrogate pair"),
            Self::DuplicateName(name) => write!(f, "the name {name:?} stands twice in one object"),
            Self::TooDeep { max } => write!(f, "arrays and objects are nested more than {max} deep"),
            Self::TooLarge { max } => write!(f, "the value is larger than {max} bytes"),
            Self::TooManyMembers { max } => write!(f, "objects have more than {max} members"),
            Self::NotAnObject { found } => write!(f, "a record must be an object, found {found}"),
        }
    }
}

fn char_at(text: &[u8], offset: usize) -> Option<char> {
    let rest = text.get(offset..)?;
    let start = &rest[..rest.len().min(char::MAX.len_utf8())];
    start
        .utf8_chunks()
        .next()
        .map(|chunk| chunk.valid().chars().next().unwrap_or(char::REPLACEMENT_CHARACTER))
}
