//! What a database is like, for whoever sets it up. Nothing is changed.

use std::ops::ControlFlow;

use super::client::Client;
use super::layout::Layout;
use super::pool::Use;
use super::{Postgres, schema, session};
use crate::StoreResult;
use crate::sql::catalog::Trouble;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The server's version, as in `server_version_num`.
    pub version: u64,
    /// How it writes that itself.
    pub version_text: String,
    /// The tables.
    pub tables: FoundTables,
    /// What its clock shows, in seconds since 1970.
    pub time: i64,
    /// Whether the role may make tables where Inlet makes them.
    pub may_make_tables: bool,
    /// Connections that the server allows, but for those it keeps for superusers.
    pub allowed: u64,
    /// Those that there are, ours among them.
    pub used: u64,
}

/// The format of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundTables {
    /// There are none.
    Missing,
    /// They are of an older version, which the next start brings to the present one.
    Older(i64),
    /// They can be worked with, and those of collections lie so.
    Present(i64, Layout),
    /// A newer Inlet made them, and this one cannot work with them.
    TooNew(i64),
}

impl Postgres {
    /// Looks at the server, the tables and the role.
    ///
    /// [`Unavailable`](crate::StoreErrorKind::Unavailable) while the server cannot be reached, or does not let us in.
    pub async fn examine(&self) -> StoreResult<Examined> {
        self.pool.run("examine the database", Use::Look, examine).await
    }
}

fn examine(client: &mut Client) -> Result<Examined, Trouble> {
    let sql =
        "SELECT CAST(current_setting('server_version_num') AS BIGINT), current_setting('server_version'),
                      CAST(extract(epoch FROM clock_timestamp()) AS BIGINT),
                      coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
                      CAST(current_setting('max_connections') AS BIGINT)
                          - CAST(current_setting('superuser_reserved_connections') AS BIGINT),
                      (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')";
    let rows = client.query_typed(sql, &[])?;
    let mut examined = None;
    session::show_each(&rows, &mut |columns| {
        examined = Some(Examined {
            version: columns.unsigned()?,
            version_text: columns.plain()?,
            tables: FoundTables::Missing,
            time: columns.plain()?,
            may_make_tables: columns.plain()?,
            allowed: columns.unsigned()?,
            used: columns.unsigned()?,
        });
        Ok(ControlFlow::Break(()))
    })?;
    let examined = examined.ok_or(Trouble::Broken("a server says nothing of itself"))?;
    Ok(Examined { tables: schema::found(client)?, ..examined })
}
