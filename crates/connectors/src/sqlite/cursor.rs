//! How far a table has been read: what is stored between reads, and what follows from it.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use inlet_model::ScopeState;
use inlet_model::sync::SyncMode;
use inlet_source::{ErrorKind, SourceError};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::database::beside;
use crate::roots::Fingerprint;

/// A value as SQLite stores it. NULL is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub(super) enum Stored {
    Integer(i64),
    Real(f64),
    /// UTF-8, if the program that wrote it was careful.
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

/// A value as JSON that keeps every bit of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Integer(String),
    Real(String),
    Text(String),
    /// A text that is not UTF-8, in base64.
    Bytes(String),
    Blob(String),
}

impl From<Stored> for Written {
    fn from(value: Stored) -> Self {
        match value {
            Stored::Integer(value) => Self::Integer(value.to_string()),
            // The shortest that reads back as the same.
            Stored::Real(value) => Self::Real(format!("{value:?}")),
            Stored::Text(text) => match String::from_utf8(text) {
                Ok(text) => Self::Text(text),
                Err(error) => Self::Bytes(STANDARD.encode(error.as_bytes())),
            },
            Stored::Blob(bytes) => Self::Blob(STANDARD.encode(bytes)),
        }
    }
}

impl TryFrom<Written> for Stored {
    type Error = Box<dyn std::error::Error>;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        Ok(match written {
            Written::Integer(text) => Self::Integer(text.parse()?),
            Written::Real(text) => Self::Real(text.parse()?),
            Written::Text(text) => Self::Text(text.into_bytes()),
            Written::Bytes(text) => Self::Text(STANDARD.decode(text)?),
            Written::Blob(text) => Self::Blob(STANDARD.decode(text)?),
        })
    }
}

impl Stored {
    /// The value, unless it is NULL.
    pub(super) fn new(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Null => None,
            ValueRef::Integer(value) => Some(Self::Integer(value)),
            ValueRef::Real(value) => Some(Self::Real(value)),
            ValueRef::Text(text) => Some(Self::Text(text.to_vec())),
            ValueRef::Blob(bytes) => Some(Self::Blob(bytes.to_vec())),
        }
    }

    /// Whether it is a number beyond all others.
    pub(super) fn is_infinite(&self) -> bool {
        matches!(self, Self::Real(value) if value.is_infinite())
    }

    /// Whether it is small enough to be stored with every batch.
    pub(super) fn is_small(&self) -> bool {
        const LARGEST: usize = 4096;
        match self {
            Self::Integer(_) | Self::Real(_) => true,
            Self::Text(bytes) | Self::Blob(bytes) => bytes.len() <= LARGEST,
        }
    }
}

impl ToSql for Stored {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The database's files as they were: if they still are, nothing has been written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Files {
    pub(super) file: Fingerprint,
    /// The write-ahead log, if there is anything in it.
    pub(super) log: Option<Fingerprint>,
    /// Whether both had been at rest, so that a later write cannot bear the same time.
    pub(super) settled: bool,
}

impl Files {
    /// As they are at `now`, in seconds since 1970.
    pub(super) fn at(path: &Path, now: i64) -> Result<Self, SourceError> {
        let file = Fingerprint::at(path).map_err(|error| {
            let message = "there is no such file any more";
            SourceError::new(ErrorKind::NotFound, "read database", message)
                .with("path", path.display())
                .because(error)
        })?;
        let log = Fingerprint::at(&beside(path, "-wal")).ok().filter(|log| log.size > 0);
        let settled = file.is_settled(now) && log.as_ref().is_none_or(|log| log.is_settled(now));
        Ok(Self { file, log, settled })
    }

    fn are_still(&self, now: &Self) -> bool {
        // SQLite under root gives the log an owner whenever it opens it, which shows in one of its times.
        let is_same_log = match (&self.log, &now.log) {
            (Some(then), Some(now)) => now.has_same_content(then),
            (then, now) => then.is_none() && now.is_none(),
        };
        self.settled && self.file == now.file && is_same_log
    }
}

/// A scope's cursor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The database as it was when the table was last read to its end.
    pub(super) files: Files,
    /// What decides which records the table's rows give, as a digest.
    pub(super) table: String,
    /// The greatest value of the cursor field that was read.
    pub(super) through: Option<Stored>,
}

/// A position within an open listing: every row before it has been sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// What the scope's cursor will be.
    pub(super) cursor: Cursor,
    /// SQLite's number of the schema. `VACUUM`, which may give rows other numbers, raises it.
    pub(super) schema: i64,
    /// The place of the last row, by the columns of the table's order.
    pub(super) after: Vec<Stored>,
}

/// What to do with a table.
#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    /// Nothing: it holds what it held.
    Skip,
    /// Go on with the open listing.
    Resume(Position),
    /// Begin a new listing.
    List,
    /// Read what comes from the cursor on.
    Advance(Cursor),
}

/// What to do with a table whose database is `now` so. A full refresh of this `generation` may have been begun before,
/// and have listed the table then.
pub(super) fn plan(
    state: Option<&ScopeState>,
    mode: SyncMode,
    generation: u64,
    now: &Cursor,
    schema: i64,
    has_cursor_field: bool,
) -> Plan {
    let Some(state) = state else { return Plan::List };
    let is_alike =
        |then: &Cursor| then.table == now.table && then.files.file.is_of_same_file(&now.files.file);
    if let Some(listing) = &state.listing {
        return match read::<Position>(listing.position.as_ref()) {
            Some(position) if is_alike(&position.cursor) && position.schema == schema => {
                Plan::Resume(position)
            }
            _ => Plan::List,
        };
    }
    if mode == SyncMode::FullRefresh && state.listed_by != Some(generation) {
        return Plan::List;
    }
    match read::<Cursor>(state.cursor.as_ref()) {
        Some(then) if is_alike(&then) && then.files.are_still(&now.files) => Plan::Skip,
        Some(then) if is_alike(&then) && has_cursor_field => Plan::Advance(then),
        _ => Plan::List,
    }
}

fn read<T: DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    value.cloned().and_then(|value| serde_json::from_value(value).ok())
}

/// A cursor or position as it is stored.
pub(super) fn to_value(state: &impl Serialize) -> Value {
    serde_json::to_value(state).expect("strings, numbers and booleans are JSON")
}
