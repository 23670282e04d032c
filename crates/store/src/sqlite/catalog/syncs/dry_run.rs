//! Dry runs: how they end, and what they have found.

use inlet_model::SyncId;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::super::error::Trouble;
use super::super::row::Text;
use super::claim::is_current;
use super::{finish, sync_row};
use crate::collection::{Fence, Run};

/// Ends a dry run, if it is still the claim's.
pub(super) fn end(tx: &Transaction<'_>, run: Run, fence: Fence, preview: &str) -> Result<(), Trouble> {
    let Some(sync) = sync_row::get(tx, run.sync_id)?.filter(|sync| !sync.status.is_final()) else {
        return Ok(());
    };
    if !is_current(tx, sync.connector_id, fence)? {
        return Ok(());
    }
    tx.prepare_cached("INSERT INTO previews (sync_id, preview) VALUES (?1, ?2)")?
        .execute(params![Text(sync.id), preview])?;
    finish::finish(tx, run)
}

/// What a dry run has found.
pub(super) fn preview(db: &Connection, id: SyncId) -> Result<Option<String>, Trouble> {
    let mut statement = db.prepare_cached("SELECT preview FROM previews WHERE sync_id = ?1")?;
    Ok(statement.query_row([Text(id)], |row| row.get(0)).optional()?)
}
