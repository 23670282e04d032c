//! Dry runs: how they end, and what they have found.

use inlet_model::SyncId;

use super::claim::is_current;
use super::{finish, sync_row};
use crate::collection::{Fence, Run};
use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// Ends a dry run, if it is still the claim's.
pub(super) fn end(tx: &dyn Session, run: Run, fence: Fence, preview: &str) -> Result<(), Trouble> {
    let Some(sync) = sync_row::get(tx, run.sync_id)?.filter(|sync| !sync.status.is_final()) else {
        return Ok(());
    };
    if !is_current(tx, sync.connector_id, fence)? {
        return Ok(());
    }
    tx.execute("INSERT INTO previews (sync_id, preview) VALUES (?1, ?2)", params![Text(sync.id), preview])?;
    finish::finish(tx, run)
}

/// What a dry run has found.
pub(super) fn preview(db: &dyn Session, id: SyncId) -> Result<Option<String>, Trouble> {
    Ok(db.row_if_any("SELECT preview FROM previews WHERE sync_id = ?1", params![Text(id)], |columns| {
        columns.plain()
    })?)
}
