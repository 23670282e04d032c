//! What is the same for every SQL database: one text of each statement, run by whichever database is beneath.
//!
//! Statements are written in what SQLite and PostgreSQL have in common, with parameters `?1`, `?2`, …; a [`Session`] is a
//! connection or a transaction of one of them. Ids and names are text, times are microseconds since 1970, and what only Inlet
//! looks into is JSON.

mod answer;
mod bind;
pub(crate) mod catalog;
pub(crate) mod collection;
mod columns;
mod error;
pub(crate) mod rows;
mod session;

pub use catalog::SqlCatalog;

use answer::Answer;

pub(crate) use bind::{Bind, Bound, Json, Name, Text, Unsigned, name_of};
pub(crate) use columns::{Cell, Columns, Row};
pub(crate) use error::{SqlError, SqlResult};
pub(crate) use session::{Dialect, Session, WithSession};

/// The parameters of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::sql::Bind),*] as &[&dyn $crate::sql::Bind]
    };
}
pub(crate) use params;
