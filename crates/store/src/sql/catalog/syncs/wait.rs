//! Syncs that are left alone for a while.

use inlet_model::sync::{MoveCause, SyncStatus};
use inlet_model::{SyncId, Timestamp};

use super::claim::is_current;
use super::moves::{Step, advance};
use super::sync_row;
use crate::catalog::{Sync, Wait};
use crate::collection::Fence;
use crate::sql::catalog::Trouble;
use crate::sql::{Session, params};

/// Lets a running sync wait, if it is still the claim's.
pub(super) fn wait(
    tx: &dyn Session,
    id: SyncId,
    fence: Fence,
    wait: Wait,
    now: Timestamp,
) -> Result<Option<Sync>, Trouble> {
    let Some(mut sync) = sync_row::get(tx, id)? else { return Ok(None) };
    if sync.status != SyncStatus::Running || !is_current(tx, sync.connector_id, fence)? {
        return Ok(Some(sync));
    }
    sync.retries = if wait.progressed { 1 } else { sync.retries + 1 };
    sync.resume_at = Some(wait.resume_at);
    if let Some(run) = wait.run {
        sync.counts = run.counts;
        sync.streams = run.streams;
        sync.last_progress_at = Some(run.last_progress_at);
    }
    let code = wait.failure.code.clone();
    sync.waits_for = Some(wait.failure);
    let step = Step::new(SyncStatus::Waiting, MoveCause::HeldUp).with_code(Some(&code));
    advance(tx, &mut sync, step, now)?;
    Ok(Some(sync))
}

/// When the next of the waiting syncs is to go on.
pub(super) fn next_resume(db: &dyn Session) -> Result<Option<Timestamp>, Trouble> {
    let at = db.row("SELECT min(resume_at) FROM syncs WHERE status = 'waiting'", params![], |columns| {
        columns.plain::<Option<i64>>()
    })?;
    Ok(at.map(Timestamp::from_micros))
}
