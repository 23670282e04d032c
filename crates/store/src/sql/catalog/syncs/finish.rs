//! The end of a sync.

use inlet_model::sync::{Failure, MoveCause, SyncStatus};
use inlet_model::{SyncId, Timestamp};

use super::super::{deletes, schedules};
use super::claim::is_current;
use super::moves::{Step, advance};
use super::sync_row;
use crate::catalog::Sync;
use crate::collection::{Fence, Run};
use crate::sql::Session;
use crate::sql::catalog::Trouble;

/// Copies the outcome of a run. The run is the truth: whatever the catalog believed, it follows, by legal moves.
pub(super) fn finish(tx: &dyn Session, run: Run) -> Result<(), Trouble> {
    let (Some(outcome), Some(finished_at)) = (run.outcome, run.finished_at) else {
        return Err(Trouble::Broken("only a run that has ended can finish its sync"));
    };
    let Some(mut sync) = sync_row::get(tx, run.sync_id)?.filter(|sync| !sync.status.is_final()) else {
        return Ok(());
    };
    sync.attempt = run.attempt;
    sync.counts = run.counts;
    sync.streams = run.streams;
    sync.failure = run.failure;
    sync.started_at = sync.started_at.or(Some(run.started_at));
    sync.last_progress_at = Some(run.last_progress_at);
    sync.finished_at = Some(finished_at);
    sync.stop_waiting();
    end(tx, &mut sync, outcome.into(), &[SyncStatus::Cancelling, SyncStatus::Running], finished_at)?;
    deletes::forget_some(tx, finished_at)
}

/// Ends a sync as its run will end, if it is still the claim's.
pub(super) fn give_up(tx: &dyn Session, run: Run, fence: Fence) -> Result<(), Trouble> {
    let sync = sync_row::get(tx, run.sync_id)?;
    match sync {
        Some(sync) if is_current(tx, sync.connector_id, fence)? => finish(tx, run),
        _ => Ok(()),
    }
}

/// Ends a sync that never had a run.
pub(super) fn abandon(
    tx: &dyn Session,
    id: SyncId,
    fence: Fence,
    status: SyncStatus,
    failure: Option<Failure>,
    now: Timestamp,
) -> Result<bool, Trouble> {
    if !matches!(status, SyncStatus::Cancelled | SyncStatus::Failed) {
        return Err(Trouble::Broken("a sync without a run ends cancelled or failed"));
    }
    let Some(mut sync) = sync_row::get(tx, id)?.filter(|sync| !sync.status.is_final()) else {
        return Ok(false);
    };
    if !is_current(tx, sync.connector_id, fence)? {
        return Ok(false);
    }
    sync.failure = failure;
    sync.finished_at = Some(now);
    sync.stop_waiting();
    end(tx, &mut sync, status, &[SyncStatus::Cancelling], now)?;
    deletes::forget_some(tx, now)?;
    Ok(true)
}

/// Ends a sync, directly or by way of one of `ways`.
fn end(
    tx: &dyn Session,
    sync: &mut Sync,
    to: SyncStatus,
    ways: &[SyncStatus],
    now: Timestamp,
) -> Result<(), Trouble> {
    for to in route(sync.status, to, ways) {
        let code = sync.failure.as_ref().map(|failure| failure.code.clone());
        let code = code.filter(|_| to == SyncStatus::Failed);
        advance(tx, sync, Step::new(to, MoveCause::Ended).with_code(code.as_deref()), now)?;
    }
    // A dry run or a revert has brought nothing that others wait for, and is nobody's sync that fails again and again.
    if sync.dry_run || sync.reverts.is_some() { Ok(()) } else { schedules::note_end(tx, sync, now) }
}

/// The moves from one state to another. One that cannot be made is tried all the same: the table refuses it.
fn route(from: SyncStatus, to: SyncStatus, ways: &[SyncStatus]) -> Vec<SyncStatus> {
    let leads_there = |way: &&SyncStatus| {
        from.move_to(to).is_err() && from.move_to(**way).and_then(|way| way.move_to(to)).is_ok()
    };
    ways.iter().find(leads_there).copied().into_iter().chain([to]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrives(from: SyncStatus, to: SyncStatus, ways: &[SyncStatus]) -> bool {
        route(from, to, ways).into_iter().try_fold(from, SyncStatus::move_to).is_ok()
    }

    #[test]
    fn a_run_that_has_ended_ends_its_sync_from_every_state() {
        let open = SyncStatus::ALL.into_iter().filter(|status| !status.is_final());
        for from in open {
            for to in [SyncStatus::Succeeded, SyncStatus::Failed, SyncStatus::Cancelled] {
                assert!(arrives(from, to, &[SyncStatus::Cancelling, SyncStatus::Running]), "{from}");
            }
        }
    }

    #[test]
    fn no_way_around_is_taken_where_there_is_a_straight_one() {
        assert_eq!(
            route(SyncStatus::Running, SyncStatus::Failed, &[SyncStatus::Cancelling]),
            [SyncStatus::Failed]
        );
    }

    #[test]
    fn a_sync_that_is_queued_cannot_fail_without_a_run() {
        assert!(!arrives(SyncStatus::Queued, SyncStatus::Failed, &[SyncStatus::Cancelling]));
    }
}
