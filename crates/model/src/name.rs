//! Names that sources give: of streams, and of scopes within a stream.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing in it.
    #[error("a stream name must not be empty")]
    Empty,
    /// Longer than [`StreamName::MAX_LEN`] bytes.
    #[error("a stream name has at most {} bytes", StreamName::MAX_LEN)]
    TooLong,
    /// Holds a control character.
    #[error("a stream name must not contain control characters")]
    Control,
}

/// The name of a stream within a connector, such as `public.orders`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 255;

    /// Checks and takes a name.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > Self::MAX_LEN {
            return Err(NameError::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        Ok(Self(name.into()))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for StreamName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::new(&name)
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> Self {
        name.as_str().to_owned()
    }
}

/// A part of a stream that is listed on its own, such as one file of a glob. Most streams have only the
/// [whole](Scope::whole). Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(Arc<str>);

impl Scope {
    /// The scope of a stream that has no parts.
    #[must_use]
    pub fn whole() -> Self {
        Self("".into())
    }

    /// A part by its name. The empty name is the whole.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name's text; empty for the whole.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
