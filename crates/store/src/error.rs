//! What goes wrong in a store, in closed kinds. That something is not there is no error but `None`.

use std::fmt;

use crate::sql::SqlError;

/// The result of a store's method.
pub type StoreResult<T> = Result<T, StoreError>;

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The fence was raised: another run, or a delete, has taken the connector away from this one. Nothing was written.
    Fenced,
    /// The sync's cancel flag was up just before the commit. Nothing was written.
    Cancelled,
    /// No room is left on the device. Nothing was written.
    DiskFull,
    /// The store does not answer now; trying again may help.
    Unavailable,
    /// The file is not what we wrote.
    Damaged,
    /// Written by a newer version of Inlet.
    NewerFormat,
    /// Data are being moved here, and not all of them have come.
    Unfinished,
    /// The store has been closed or deleted.
    Closed,
    /// A mistake in Inlet: a broken invariant, a refused statement.
    Internal,
}

impl StoreErrorKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Fenced,
        Self::Cancelled,
        Self::DiskFull,
        Self::Unavailable,
        Self::Damaged,
        Self::NewerFormat,
        Self::Unfinished,
        Self::Closed,
        Self::Internal,
    ];

    /// Stable and dotted.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Fenced => "store.fenced",
            Self::Cancelled => "store.cancelled",
            Self::DiskFull => "store.disk_full",
            Self::Unavailable => "store.unavailable",
            Self::Damaged => "store.damaged",
            Self::NewerFormat => "store.newer_format",
            Self::Unfinished => "store.transfer_unfinished",
            Self::Closed => "store.closed",
            Self::Internal => "store.internal",
        }
    }

    /// Whether trying again may help without a change of program or file.
    #[must_use]
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::DiskFull | Self::Unavailable)
    }
}

/// An error of a store: kind, operation, and the cause.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    operation: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// An error of `kind` while doing `operation` (such as `commit`).
    #[must_use]
    pub fn new(kind: StoreErrorKind, operation: &'static str) -> Self {
        Self { kind, operation, source: None }
    }

    /// Attaches the cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether it belongs to an outage of which the store has told the log itself, and whose end it will tell. Then nobody else need.
    #[must_use]
    pub fn is_told(&self) -> bool {
        let causes = std::iter::successors(std::error::Error::source(self), |cause| cause.source());
        causes.filter_map(|cause| cause.downcast_ref()).any(|cause| matches!(cause, SqlError::Lost(_)))
    }

    /// Logs that something could not be done because of it, such as `cannot claim a sync`. What belongs to an outage that is told already
    /// is only for those who look closely: it would come again and again.
    pub fn complain(&self, what: &str) {
        let error = self as &dyn std::error::Error;
        if self.is_told() {
            tracing::debug!(error, "{what}");
        } else {
            tracing::error!(error, code = self.kind.code(), "{what}");
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Fenced => "the connector was taken over or deleted",
            StoreErrorKind::Cancelled => "the sync was cancelled",
            StoreErrorKind::DiskFull => "no room is left on the device",
            StoreErrorKind::Unavailable => "the store does not answer now",
            StoreErrorKind::Damaged => "the stored data are damaged",
            StoreErrorKind::NewerFormat => "the data were written by a newer version of Inlet",
            StoreErrorKind::Unfinished => "data were being moved here, and not all of them have come",
            StoreErrorKind::Closed => "the store is closed",
            StoreErrorKind::Internal => "an internal error",
        };
        write!(f, "{}: {what}", self.operation)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}
