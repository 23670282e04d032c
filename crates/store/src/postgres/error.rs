//! What PostgreSQL's errors mean. The codes are those of its manual, appendix A.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::tls::Fault;
use crate::sql::SqlError;
use crate::sql::catalog::Trouble;
use crate::{StoreError, StoreErrorKind};

impl From<Error> for SqlError {
    fn from(error: Error) -> Self {
        if is_loss(&error) {
            return Self::Lost(error.into());
        }
        Self::Refused { kind: kind(&error), source: error.into() }
    }
}

/// Two transactions that both find nothing, and then both insert, may also meet in a unique index.
const CONFLICTS: [SqlState; 3] =
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION];

/// Whether the transaction met another, was undone, and is to be done again.
pub(super) fn is_conflict(trouble: &Trouble) -> bool {
    let Trouble::Sql(SqlError::Refused { source, .. }) = trouble else { return false };
    let code = source.downcast_ref::<Error>().and_then(Error::code);
    code.is_some_and(|code| CONFLICTS.contains(code))
}

/// Whether the server could not be reached, or went away, or does not take connections just now because it starts or stops.
fn is_loss(error: &Error) -> bool {
    match error.code() {
        Some(code) => [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::PROTOCOL_VIOLATION,
        ]
        .contains(code),
        None => {
            error.is_closed() || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        }
    }
}

/// Whether the server ends the connection with this, of which nothing may be seen yet.
pub(super) fn is_parting(error: &Error) -> bool {
    let ends_session = [SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, SqlState::IDLE_SESSION_TIMEOUT];
    error.code().is_some_and(|code| ends_session.contains(code) || is_loss(error))
}

pub(super) fn kind(error: &Error) -> StoreErrorKind {
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
        if let Some(code) = error.downcast_ref::<Error>().and_then(Error::code) {
            return matches!(code.code().get(..2), Some("28" | "3D" | "42"));
        }
        // Neither side will change its mind about what it asks of the other.
        if error.downcast_ref::<Fault>().is_some_and(|fault| !fault.is_of_the_way()) {
            return true;
        }
        cause = error.source();
    }
    false
}
