//! Why a move is refused, or given up.

use super::{Part, Sum};
use crate::sql::{SqlError, catalog, collection};
use crate::{StoreError, StoreErrorKind};

pub(crate) type Moved<T> = Result<T, TransferError>;

/// Why a move is refused, or given up. What it had written stays, and it goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// One of the two sides said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node works with the database, or has not been silent for long enough.
    #[error("the node `{node}` works with the database")]
    InUse {
        /// What it calls itself.
        node: String,
    },
    /// The database that is to be moved has none of Inlet's tables.
    #[error("the database has no tables of Inlet")]
    Nothing,
    /// There is something already where everything is to go.
    #[error("it is not empty: something is in `{table}`")]
    NotEmpty {
        /// The first table in which something was found.
        table: &'static str,
    },
    /// A part of something else is there, of which the move is not finished.
    #[error("something else is being moved there")]
    OtherSource,
    /// What was moved is not what was there.
    #[error("{part}: `{table}` has {} rows here and {} there, or they are not the same", .source_sum.rows, .target_sum.rows)]
    Differs {
        /// The catalog, or which store.
        part: Part,
        /// Which table.
        table: &'static str,
        /// What is in it where everything was.
        source_sum: Sum,
        /// What is in it where everything was to go.
        target_sum: Sum,
    },
    /// Whoever watched said so.
    #[error("it was stopped")]
    Stopped,
}

impl TransferError {
    /// Stable and dotted.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind().code(),
            Self::InUse { .. } => "transfer.in_use",
            Self::Nothing => "transfer.nothing_there",
            Self::NotEmpty { .. } => "transfer.not_empty",
            Self::OtherSource => "transfer.other_source",
            Self::Differs { .. } => "transfer.differs",
            Self::Stopped => "transfer.stopped",
        }
    }
}

const OPERATION: &str = "move everything";

impl From<SqlError> for TransferError {
    fn from(error: SqlError) -> Self {
        StoreError::new(error.kind(), OPERATION).because(error).into()
    }
}

impl From<catalog::Trouble> for TransferError {
    fn from(trouble: catalog::Trouble) -> Self {
        trouble.during(OPERATION).into()
    }
}

impl From<collection::Trouble> for TransferError {
    fn from(trouble: collection::Trouble) -> Self {
        trouble.during(OPERATION).into()
    }
}

impl From<serde_json::Error> for TransferError {
    fn from(error: serde_json::Error) -> Self {
        StoreError::new(StoreErrorKind::Damaged, OPERATION).because(error).into()
    }
}
