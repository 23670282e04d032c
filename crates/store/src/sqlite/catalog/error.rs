//! What goes wrong inside a transaction of the catalog, before it is told in the store's terms.

use inlet_model::sync::IllegalMove;

use crate::sqlite::connection;
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
            Self::Sqlite(error) => StoreError::new(connection::kind(&error), operation).because(error),
            Self::Move(error) => StoreError::new(StoreErrorKind::Internal, operation).because(error),
            Self::Broken(_) => StoreError::new(StoreErrorKind::Internal, operation).because(self),
        }
    }
}
