//! What goes wrong inside a transaction of the catalog, before it is told in the store's terms.

use inlet_model::sync::IllegalMove;

use crate::sql::SqlError;
use crate::{StoreError, StoreErrorKind};

/// Why a transaction was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The database, or a stored value, said no.
    #[error("the database refused")]
    Sql(#[from] SqlError),
    /// The table of states does not have this move.
    #[error("the move was refused")]
    Move(#[from] IllegalMove),
    /// A caller or this backend broke a rule.
    #[error("{0}")]
    Broken(&'static str),
}

impl Trouble {
    /// The same as an error of the store, while doing `operation`.
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::new(error.kind(), operation).because(error),
            Self::Move(error) => StoreError::new(StoreErrorKind::Internal, operation).because(error),
            Self::Broken(_) => StoreError::new(StoreErrorKind::Internal, operation).because(self),
        }
    }
}
