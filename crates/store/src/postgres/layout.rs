//! How the tables of collections lie in a database.

use std::borrow::Cow;

use super::client::Client;
use crate::sql::{SqlError, SqlResult};

/// How the four tables that hold most of what collections have lie in a database. It is settled when the tables are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Each collection has a partition of its own, which goes at once with the collection.
    #[default]
    Partitioned,
    /// All collections share a table: for a database that divides tables among machines by their rows. A collection goes row by row.
    Shared,
}

/// What the statements that make the tables say for [`Layout::Partitioned`].
const PARTITION_BY: &str = " PARTITION BY LIST (store)";

impl Layout {
    /// The layout of the tables that are there.
    pub(super) fn of(client: &mut Client) -> SqlResult<Self> {
        let sql = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('store_keys')";
        let rows = client.query_typed(sql, &[])?;
        let is_partitioned = rows.first().map(|row| row.try_get(0)).transpose().map_err(SqlError::row)?;
        Ok(if is_partitioned == Some(false) { Self::Shared } else { Self::Partitioned })
    }

    /// The statements of a migration, for tables of this layout.
    pub(super) fn migration(self, statements: &str) -> Cow<'_, str> {
        match self {
            Self::Partitioned => statements.into(),
            Self::Shared => statements.replace(PARTITION_BY, "").into(),
        }
    }
}
