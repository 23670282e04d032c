//! What PostgreSQL's errors mean. The codes are those of its manual, appendix A.

use postgres::error::SqlState;

use crate::sql::SqlError;
use crate::sql::catalog::Trouble;
use crate::{StoreError, StoreErrorKind};

impl From<postgres::Error> for SqlError {
    fn from(error: postgres::Error) -> Self {
        Self::Refused { kind: kind(&error), source: error.into() }
    }
}

impl From<postgres::Error> for Trouble {
    fn from(error: postgres::Error) -> Self {
        Self::Sql(error.into())
    }
}

/// Two transactions that both find nothing, and then both insert, may also meet in a unique index.
const CONFLICTS: [SqlState; 3] =
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION];

/// Whether the transaction met another, was undone, and is to be done again.
pub(super) fn is_conflict(trouble: &Trouble) -> bool {
    let Trouble::Sql(SqlError::Refused { source, .. }) = trouble else { return false };
    let code = source.downcast_ref::<postgres::Error>().and_then(postgres::Error::code);
    code.is_some_and(|code| CONFLICTS.contains(code))
}

pub(super) fn kind(error: &postgres::Error) -> StoreErrorKind {
    let Some(code) = error.code() else {
        // Not from the server: it could not be reached, or went away.
        return StoreErrorKind::Unavailable;
    };
    match code.code().get(..2) {
        _ if *code == SqlState::DISK_FULL => StoreErrorKind::DiskFull,
        // Connections, transactions that met, resources, locks, an operator who intervenes, the system below.
        Some("08" | "40" | "53" | "55" | "57" | "58") => StoreErrorKind::Unavailable,
        // It may read only: a standby, until it is promoted.
        Some("25") => StoreErrorKind::Unavailable,
        // It does not know us, or its database is not there yet.
        Some("28" | "3D") => StoreErrorKind::Unavailable,
        Some("XX") => StoreErrorKind::Damaged,
        _ => StoreErrorKind::Internal,
    }
}

/// Whether the server answers, but does not let us in: trying again does not help, unless somebody does something.
pub fn is_refusal(error: &StoreError) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(code) = error.downcast_ref::<postgres::Error>().and_then(postgres::Error::code) {
            return matches!(code.code().get(..2), Some("28" | "3D" | "42"));
        }
        cause = error.source();
    }
    false
}
