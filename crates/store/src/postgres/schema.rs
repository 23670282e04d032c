//! The tables: are they ours, which version, and how they become the present one.
//!
//! While machines are upgraded one after the other, those of the version before work on beside the new one. So a step only adds what they
//! need not know, and says by `works_from` from which version on programs can work with what it leaves.

use super::client::Client;
use super::examine::FoundTables;
use super::layout::Layout;
use super::session::PostgresSession;
use super::transaction;
use crate::sql::catalog::{Start, Trouble};
use crate::sql::{Session, params};
use crate::transfer;

/// Step `n` makes version `n + 1`. Steps are only ever added.
const MIGRATIONS: &[&str] =
    &[concat!(include_str!("migrations/v1.sql"), include_str!("migrations/v1_collections.sql"))];

/// Held while the tables are made or changed: by one process at a time, in the whole database.
const LOCK: i64 = 0x696e_6c65_7400_0001;

/// What came of opening the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opened {
    /// They can be worked with.
    Ready {
        /// The catalog's secret.
        secret: [u8; 32],
        /// The version they had before; 0 for none.
        before: i64,
        /// The version they have.
        version: i64,
        /// How those of collections lie.
        layout: Layout,
    },
    /// A newer Inlet made them, and this one cannot work with them. Nothing was touched.
    TooNew,
    /// Everything of somewhere else is being moved there.
    Unfinished,
}

/// Makes the tables in that layout, or brings those that are there to the present version, if need be.
pub(super) fn open(client: &mut Client, start: &Start, layout: Layout) -> Result<Opened, Trouble> {
    let mut opened = Opened::TooNew;
    transaction::alone(client, |client| {
        opened = ready(client, start, layout)?;
        Ok(())
    })?;
    Ok(opened)
}

fn ready(client: &mut Client, start: &Start, layout: Layout) -> Result<Opened, Trouble> {
    let Some((before, version)) = migrate(client, start, layout)? else { return Ok(Opened::TooNew) };
    let session = PostgresSession::new(client);
    let db: &dyn Session = &session;
    if transfer::is_unfinished(db)? {
        return Ok(Opened::Unfinished);
    }
    let secret = db.row("SELECT secret FROM identity", params![], |columns| columns.plain())?;
    Ok(Opened::Ready { secret, before, version, layout: Layout::of(client)? })
}

/// The same for whoever moves all that is in them: whether they are of this version and of no newer one.
pub(super) fn open_whole(client: &mut Client, start: &Start) -> Result<bool, Trouble> {
    let mut is_ours = false;
    transaction::alone(client, |client| {
        is_ours = migrate(client, start, Layout::default())?.is_some_and(|(_, version)| version == newest());
        Ok(())
    })?;
    Ok(is_ours)
}

/// Whether everything of somewhere else is being moved there.
pub(super) fn is_unfinished(client: &mut Client) -> Result<bool, Trouble> {
    Ok(transfer::is_unfinished(&PostgresSession::new(client))?)
}

/// Whether there are any.
pub(super) fn are_there(client: &mut Client) -> Result<bool, Trouble> {
    let mut are_there = false;
    transaction::alone(client, |client| {
        are_there = format(client)?.0 > 0;
        Ok(())
    })?;
    Ok(are_there)
}

/// The version that the steps lead to.
fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The version that the tables had, and the one that they have; nothing if a newer Inlet made them.
fn migrate(client: &mut Client, start: &Start, wanted: Layout) -> Result<Option<(i64, i64)>, Trouble> {
    let (before, works_from) = format(client)?;
    let newest = newest();
    if works_from > newest {
        return Ok(None);
    }
    let layout = if before == 0 { wanted } else { Layout::of(client)? };
    for step in MIGRATIONS.iter().skip(usize::try_from(before).unwrap_or_default()) {
        client.batch_execute(&layout.migration(step))?;
    }
    let session = PostgresSession::new(client);
    let db: &dyn Session = &session;
    if before == 0 {
        start.write(db)?;
    }
    if before < newest {
        db.execute("UPDATE format SET version = ?1", params![newest])?;
    }
    Ok(Some((before, before.max(newest))))
}

/// The version of the tables that are there, 0 if there are none, and from which version on programs can work with them.
fn format(client: &mut Client) -> Result<(i64, i64), Trouble> {
    let session = PostgresSession::new(client);
    let db: &dyn Session = &session;
    // Whoever else makes them at this moment is waited for.
    db.execute("SELECT pg_advisory_xact_lock(?1)", params![LOCK])?;
    versions(db)
}

/// Which tables are there.
pub(super) fn found(client: &mut Client) -> Result<FoundTables, Trouble> {
    let newest = newest();
    let versions = versions(&PostgresSession::new(client))?;
    Ok(match versions {
        (0, _) => FoundTables::Missing,
        (version, works_from) if works_from > newest => FoundTables::TooNew(version),
        (version, _) if version < newest => FoundTables::Older(version),
        (version, _) => FoundTables::Present(version, Layout::of(client)?),
    })
}

fn versions(db: &dyn Session) -> Result<(i64, i64), Trouble> {
    let is_there: bool =
        db.row("SELECT to_regclass('format') IS NOT NULL", params![], |columns| columns.plain())?;
    if !is_there {
        return Ok((0, 0));
    }
    let sql = "SELECT version, works_from FROM format";
    Ok(db.row(sql, params![], |columns| Ok((columns.plain()?, columns.plain()?)))?)
}
