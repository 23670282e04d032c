//! The tables: are they ours, which version, and how they become the present one.

use postgres::Client;

use super::session::PostgresSession;
use crate::sql::catalog::{Start, Trouble};
use crate::sql::{Session, params};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// Step `n` makes version `n + 1`. Steps are only ever added.
const MIGRATIONS: &[&str] =
    &[concat!(include_str!("migrations/v1.sql"), include_str!("migrations/v1_collections.sql"))];

/// Held while the tables are made or changed: by one process at a time, in the whole database.
const LOCK: i64 = 0x696e_6c65_7400_0001;

pub(super) const OPERATION: &str = "open the catalog";

/// Makes the tables, or brings them to the present version, if need be; gives the catalog's secret.
pub(super) fn open(client: &mut Client, start: &Start) -> Result<StoreResult<[u8; 32]>, Trouble> {
    client.batch_execute("BEGIN")?;
    let opened = migrate(client, start);
    let made_durable = client.batch_execute(if matches!(opened, Ok(Ok(_))) { "COMMIT" } else { "ROLLBACK" });
    let opened = opened?;
    made_durable?;
    Ok(opened)
}

fn migrate(client: &mut Client, start: &Start) -> Result<StoreResult<[u8; 32]>, Trouble> {
    let have = version(client)?;
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if have > newest {
        return Ok(Err(StoreError::new(StoreErrorKind::NewerFormat, OPERATION)));
    }
    for step in MIGRATIONS.iter().skip(usize::try_from(have).unwrap_or_default()) {
        client.batch_execute(step)?;
    }
    let session = PostgresSession::new(client);
    let db: &dyn Session = &session;
    if have == 0 {
        start.write(db)?;
    }
    if have < newest {
        db.execute("UPDATE format SET version = ?1", params![newest])?;
    }
    let secret = db.row("SELECT secret FROM identity", params![], |columns| columns.plain())?;
    Ok(Ok(secret))
}

/// The version of the tables that are there, 0 if there are none.
fn version(client: &mut Client) -> Result<i64, Trouble> {
    let session = PostgresSession::new(client);
    let db: &dyn Session = &session;
    // Whoever else makes them at this moment is waited for.
    db.execute("SELECT pg_advisory_xact_lock(?1)", params![LOCK])?;
    let is_there: bool =
        db.row("SELECT to_regclass('format') IS NOT NULL", params![], |columns| columns.plain())?;
    if !is_there {
        return Ok(0);
    }
    Ok(db.row("SELECT version FROM format", params![], |columns| columns.plain())?)
}
