//! What goes wrong between us and a database.

use std::error::Error;

use crate::StoreErrorKind;

pub(crate) type SqlResult<T> = Result<T, SqlError>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    #[error("the database refused")]
    Refused { kind: StoreErrorKind, source: Box<dyn Error + Send + Sync> },
    /// It is not reached any more. It says so itself, once, and when it is back.
    #[error("the database is lost")]
    Lost(#[source] Box<dyn Error + Send + Sync>),
    /// A value of ours cannot be kept.
    #[error("a value cannot be kept")]
    Value(#[source] Box<dyn Error + Send + Sync>),
    /// A kept value is not what we write.
    #[error("column {column} is not what it is to be")]
    Column {
        column: usize,
        #[source]
        reason: Box<dyn Error + Send + Sync>,
    },
    /// The values of a row are not what we write together.
    #[error("a row is not what it is to be")]
    Row(#[source] Box<dyn Error + Send + Sync>),
    /// A statement that always gives a row gave none.
    #[error("there is no row")]
    NoRow,
}

impl SqlError {
    pub(crate) fn value(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Value(reason.into())
    }

    pub(crate) fn row(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Row(reason.into())
    }

    /// It does not do it now.
    pub(crate) fn unavailable(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Refused { kind: StoreErrorKind::Unavailable, source: reason.into() }
    }

    /// What it means for the store.
    pub(crate) fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Refused { kind, .. } => *kind,
            Self::Lost(_) => StoreErrorKind::Unavailable,
            Self::Value(_) | Self::NoRow => StoreErrorKind::Internal,
            Self::Column { .. } | Self::Row(_) => StoreErrorKind::Damaged,
        }
    }
}
