//! The end of a sync.

use inlet_model::sync::{Failure, IllegalMove, SyncStatus};
use inlet_model::{SyncId, Timestamp};
use rusqlite::Transaction;

use super::super::deletes;
use super::super::error::Trouble;
use super::sync_row;
use crate::collection::Run;

/// Copies the outcome of a run. The run is the truth: whatever the catalog believed, it follows, by legal moves.
pub(super) fn finish(tx: &Transaction<'_>, run: Run) -> Result<(), Trouble> {
    let (Some(outcome), Some(finished_at)) = (run.outcome, run.finished_at) else {
        return Err(Trouble::Broken("only a run that has ended can finish its sync"));
    };
    let Some(mut sync) = sync_row::get(tx, run.sync_id)?.filter(|sync| !sync.status.is_final()) else {
        return Ok(());
    };
    sync.status = reach(sync.status, outcome.into(), &[SyncStatus::Cancelling, SyncStatus::Running])?;
    sync.attempt = run.attempt;
    sync.counts = run.counts;
    sync.streams = run.streams;
    sync.failure = run.failure;
    sync.started_at = sync.started_at.or(Some(run.started_at));
    sync.last_progress_at = Some(run.last_progress_at);
    sync.finished_at = Some(finished_at);
    sync_row::save(tx, &sync)?;
    deletes::forget_some(tx, finished_at)
}

/// Ends a sync that never had a run.
pub(super) fn abandon(
    tx: &Transaction<'_>,
    id: SyncId,
    status: SyncStatus,
    failure: Option<Failure>,
    now: Timestamp,
) -> Result<(), Trouble> {
    if !matches!(status, SyncStatus::Cancelled | SyncStatus::Failed) {
        return Err(Trouble::Broken("a sync without a run ends cancelled or failed"));
    }
    let Some(mut sync) = sync_row::get(tx, id)?.filter(|sync| !sync.status.is_final()) else {
        return Ok(());
    };
    sync.status = reach(sync.status, status, &[SyncStatus::Cancelling])?;
    sync.failure = failure;
    sync.finished_at = Some(now);
    sync_row::save(tx, &sync)?;
    deletes::forget_some(tx, now)
}

/// Goes from one state to another, directly or by way of one of `ways`.
fn reach(from: SyncStatus, to: SyncStatus, ways: &[SyncStatus]) -> Result<SyncStatus, IllegalMove> {
    let by_way = |way: &SyncStatus| from.move_to(*way).and_then(|way| way.move_to(to)).ok();
    from.move_to(to).or_else(|refused| ways.iter().find_map(by_way).ok_or(refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_has_ended_ends_its_sync_from_every_state() {
        let open = SyncStatus::ALL.into_iter().filter(|status| !status.is_final());
        for from in open {
            for to in [SyncStatus::Succeeded, SyncStatus::Failed, SyncStatus::Cancelled] {
                assert_eq!(reach(from, to, &[SyncStatus::Cancelling, SyncStatus::Running]), Ok(to), "{from}");
            }
        }
    }

    #[test]
    fn a_sync_that_is_queued_cannot_fail_without_a_run() {
        assert!(reach(SyncStatus::Queued, SyncStatus::Failed, &[SyncStatus::Cancelling]).is_err());
    }
}
