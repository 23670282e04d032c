//! What goes wrong inside a collection's file, before it is told in the store's terms.

use super::block::BlockError;
use crate::sql::SqlError;
use crate::{StoreError, StoreErrorKind};

/// Why a read or a write was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The database, or a stored value, said no.
    #[error("the database refused")]
    Sql(#[from] SqlError),
    /// A block cannot be read.
    #[error("a block cannot be read")]
    Block(#[from] BlockError),
    /// The system said no.
    #[error("the system refused")]
    Io(#[from] std::io::Error),
    /// Another has the connector.
    #[error("fenced")]
    Fenced,
    /// The cancel flag is up.
    #[error("cancelled")]
    Cancelled,
    /// The collection is not there any more.
    #[error("the collection is closed")]
    Closed,
    /// The file has a version that is not known yet.
    #[error("the file has a version that this program does not know")]
    NewerFormat,
    /// Stored values contradict each other.
    #[error("{0}")]
    Damaged(&'static str),
    /// A caller or this backend broke a rule.
    #[error("{0}")]
    Broken(&'static str),
}

/// A result before it is told in the store's terms.
pub(crate) type Outcome<T> = Result<T, Trouble>;

impl Trouble {
    /// The same as an error of the store, while doing `operation`.
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        let bare = |kind| StoreError::new(kind, operation);
        match self {
            Self::Sql(error) => bare(error.kind()).because(error),
            Self::Block(error @ BlockError::Newer(_)) => bare(StoreErrorKind::NewerFormat).because(error),
            Self::Block(error) => bare(StoreErrorKind::Damaged).because(error),
            Self::Io(error) => bare(io_kind(&error)).because(error),
            Self::Fenced => bare(StoreErrorKind::Fenced),
            Self::Cancelled => bare(StoreErrorKind::Cancelled),
            Self::Closed => bare(StoreErrorKind::Closed),
            Self::NewerFormat => bare(StoreErrorKind::NewerFormat),
            Self::Damaged(_) => bare(StoreErrorKind::Damaged).because(self),
            Self::Broken(_) => bare(StoreErrorKind::Internal).because(self),
        }
    }
}

fn io_kind(error: &std::io::Error) -> StoreErrorKind {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreErrorKind::DiskFull,
        _ => StoreErrorKind::Unavailable,
    }
}
