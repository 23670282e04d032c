//! What ends reading early.

use inlet_source::{Closed, ErrorKind, SourceError};

/// Why a source stops before it is through.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nobody takes messages any more, and nobody need be told.
    Closed,
    /// It cannot be read on.
    Failed(SourceError),
}

impl From<Closed> for Trouble {
    fn from(Closed: Closed) -> Self {
        Self::Closed
    }
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

impl From<Trouble> for SourceError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(error) => error,
            Trouble::Closed => Self::new(ErrorKind::Unavailable, "read", "reading was stopped"),
        }
    }
}
