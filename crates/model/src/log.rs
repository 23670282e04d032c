//! The log of a sync: what happened in it, for whoever looks into it later. It holds no secret and no record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{StreamName, Timestamp};

// Stored as its number: the order is part of the format.
/// How grave a line is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// What is as it should be.
    #[default]
    Info,
    /// What a person should know.
    Warning,
    /// What went wrong.
    Error,
}

impl LogLevel {
    /// Every level, the least grave first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// A line that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLogLine {
    /// How grave it is.
    pub level: LogLevel,
    /// The stream it is about; `None`: the whole sync.
    pub stream: Option<StreamName>,
    code: String,
    message: String,
}

impl NewLogLine {
    /// The most of a message that is kept, in bytes.
    pub const MESSAGE_MAX: usize = 2_000;

    /// A line about the whole sync. `code` is stable and dotted; of a long `message` the start is kept.
    #[must_use]
    pub fn new(level: LogLevel, code: impl Into<String>, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > Self::MESSAGE_MAX {
            message.truncate(message.floor_char_boundary(Self::MESSAGE_MAX - 3));
            message.push('…');
        }
        Self { level, stream: None, code: code.into(), message }
    }

    /// The line, about one stream.
    #[must_use]
    pub fn of(mut self, stream: &StreamName) -> Self {
        self.stream = Some(stream.clone());
        self
    }

    /// Stable and dotted.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// A sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// A line, as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogLine {
    /// Its number among the lines of the sync, from 1.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// How grave it is.
    pub level: LogLevel,
    /// The stream it is about; `null`: the whole sync.
    pub stream: Option<StreamName>,
    /// Stable and dotted.
    pub code: String,
    /// A sentence.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_message_the_start_is_kept() {
        let line = NewLogLine::new(LogLevel::Info, "a.b", "é".repeat(5_000));
        assert!(line.message().len() <= NewLogLine::MESSAGE_MAX);
        assert!(line.message().starts_with("éé") && line.message().ends_with("é…"));
        let whole = "x".repeat(NewLogLine::MESSAGE_MAX);
        assert_eq!(NewLogLine::new(LogLevel::Info, "a.b", whole.clone()).message(), whole);
    }

    #[test]
    fn names_lead_back_to_their_levels_and_grow_in_gravity() {
        for level in LogLevel::ALL {
            assert_eq!(LogLevel::from_name(level.as_str()), Some(level));
        }
        assert!(LogLevel::ALL.is_sorted());
    }
}
