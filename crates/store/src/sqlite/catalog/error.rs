//! What goes wrong inside a transaction of the catalog, before it is told in the store's terms.

use inlet_model::sync::IllegalMove;
use rusqlite::ErrorCode;

use crate::{StoreError, StoreErrorKind};

/// Why a transaction was given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// SQLite, or a stored value, said no.
    #[error("SQLite refused")]
    Sqlite(#[from] rusqlite::Error),
    /// The table of states does not have this move.
    #[error("the move was refused")]
    Move(#[from] IllegalMove),
    /// A caller or this backend broke a rule.
    #[error("{0}")]
    Broken(&'static str),
}

impl Trouble {
    /// The same as an error of the store, while doing `operation`.
    pub(super) fn during(self, operation: &'static str) -> StoreError {
        match self {
            Self::Sqlite(error) => StoreError::new(kind(&error), operation).because(error),
            Self::Move(error) => StoreError::new(StoreErrorKind::Internal, operation).because(error),
            Self::Broken(_) => StoreError::new(StoreErrorKind::Internal, operation).because(self),
        }
    }
}

fn kind(error: &rusqlite::Error) -> StoreErrorKind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreErrorKind::DiskFull,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Damaged,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory,
        ) => StoreErrorKind::Unavailable,
        Some(_) => StoreErrorKind::Internal,
        None => match error {
            // A stored value is not what we write.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => StoreErrorKind::Damaged,
            _ => StoreErrorKind::Internal,
        },
    }
}
