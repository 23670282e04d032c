//! The worker: claims queued syncs and runs them, a bounded number at a time. It also tells the other nodes that this one is
//! there, which it does on a node of any role.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::SyncStatus;
use inlet_model::{NodeRole, SyncId};
use inlet_store::catalog::Claim;
use inlet_store::{StoreErrorKind, StoreResult, fault};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::cancel::{Cancel, Why};
use crate::engine::{Running, Shared};
use crate::{others, reconcile, run, scheduler, upkeep};

/// A lease is renewed so often before it would be over.
const RENEWALS: u32 = 3;

/// A sync that is due and was not claimed, for which there is no room then, is looked at again after this time at the earliest.
const SOONEST: Duration = Duration::from_millis(250);

/// Does what an earlier process left to do, and starts the worker's loop. An engine that may run no sync leaves
/// the syncs to a later one, and only carries out what was asked to go; where there are others, it leaves that to them.
pub(crate) async fn start(shared: Arc<Shared>) -> StoreResult<JoinHandle<()>> {
    if shared.options.running_syncs == 0 {
        return Ok(match shared.options.is_alone {
            true => tokio::spawn(reconcile::work(shared)),
            // Others do that, and tell of what they do.
            false => tokio::spawn(others::listen(shared)),
        });
    }
    let taken_over = match shared.has_role(NodeRole::Worker) {
        true => reached(&shared, || take_over(&shared)).await?,
        false => Vec::new(),
    };
    reached(&shared, || shared.renew()).await?;
    Ok(tokio::spawn(work(shared, taken_over)))
}

/// Does it again while a catalog that others use too does not answer: who starts meanwhile waits, as those do that have started.
async fn reached<T, F: Future<Output = StoreResult<T>>>(
    shared: &Shared,
    work: impl Fn() -> F,
) -> StoreResult<T> {
    loop {
        match work().await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable && !shared.options.is_alone => {
                error.complain("the catalog does not answer; trying again");
            }
            done => return done,
        }
        tokio::time::sleep(shared.options.period).await;
    }
}

/// Does what is to be done before any sync begins, and takes over what was begun.
async fn take_over(shared: &Shared) -> StoreResult<Vec<Claim>> {
    reconcile::tasks(shared).await?;
    reconcile::report_unowned(&shared.parts).await?;
    let taken_over = match shared.options.is_alone {
        true => shared.parts.catalog.sync_take_over(shared.lease()).await?,
        false => Vec::new(),
    };
    let taken_over = reconcile::end_without_store(&shared.parts, taken_over).await?;
    for claim in &taken_over {
        tracing::info!(sync_id = %claim.sync.id, attempt = claim.sync.attempt, "taking over a sync that a restart interrupted");
        register(shared, claim);
    }
    Ok(taken_over)
}

async fn work(shared: Arc<Shared>, mut taken_over: Vec<Claim>) {
    taken_over.reverse();
    let mut syncs = JoinSet::new();
    let mut beside = JoinSet::new();
    let mut places = 0;
    beside.spawn(others::listen(Arc::clone(&shared)));
    if shared.has_role(NodeRole::Worker) {
        places = shared.options.running_syncs;
        beside.spawn(reconcile::work(Arc::clone(&shared)));
        beside.spawn(upkeep::work(Arc::clone(&shared)));
    }
    if shared.has_role(NodeRole::Scheduler) {
        beside.spawn(scheduler::work(Arc::clone(&shared)));
    }
    let mut renewed = Instant::now();
    while !shared.is_stopping() {
        let mut all_is_claimed = false;
        while syncs.len() < places {
            let claimed = match taken_over.pop() {
                Some(claim) => Ok(Some(claim)),
                None => claim(&shared).await,
            };
            let Ok(Some(claim)) = claimed else {
                all_is_claimed = claimed.is_ok();
                break;
            };
            syncs.spawn(run_registered(Arc::clone(&shared), claim));
        }
        tokio::select! {
            biased;
            () = shared.stopping() => {}
            () = shared.wake.notified() => {}
            Some(_) = syncs.join_next(), if !syncs.is_empty() => {}
            () = tokio::time::sleep(idle_for(&shared, all_is_claimed).await) => {}
        }
        if renewed.elapsed() >= shared.options.lease / RENEWALS {
            renewed = Instant::now();
            renew(&shared).await;
        }
        if let Err(error) = cancel_unwanted(&shared).await {
            error.complain("cannot read which syncs are wanted");
        }
    }
    // Each sync sees the stop for itself and commits what it has in hand.
    while syncs.join_next().await.is_some() {}
    if let Err(error) = shared.parts.catalog.node_leave(shared.node.id).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the node could not give back its leases; its syncs wait for their end, or for the next start"
        );
    }
    while let Some(ended) = beside.join_next().await {
        if let Err(error) = ended {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a task beside the syncs ended in a panic; the next start goes on with it"
            );
        }
    }
}

/// How long to wait if nothing happens.
async fn idle_for(shared: &Shared, all_is_claimed: bool) -> Duration {
    let period = others::look_every(shared).min(shared.options.lease / RENEWALS);
    if !all_is_claimed {
        return idle(period, false, None);
    }
    // The next claim tells of an error.
    let resume_at = shared.parts.catalog.sync_next_resume().await.ok().flatten();
    idle(period, true, resume_at.map(|at| at.since(shared.parts.clock.now())))
}

/// Until the next waiting sync is to go on, and no longer than the period. While something could not be claimed, for want of a
/// place or because the catalog does not answer, a sync that is due would be waited for without a pause.
fn idle(period: Duration, all_is_claimed: bool, until_resume: Option<Duration>) -> Duration {
    until_resume.filter(|_| all_is_claimed).map_or(period, |until| period.min(until.max(SOONEST)))
}

/// Says that this node is there and still has its syncs, and stops those that it has lost: they are another's to go on with.
async fn renew(shared: &Shared) {
    // Nothing is claimed meanwhile.
    let running: Vec<SyncId> = shared.running().keys().copied().collect();
    let held = match shared.renew().await {
        Ok(held) => held,
        Err(error) => return error.complain("cannot renew the leases"),
    };
    for sync_id in running.iter().filter(|id| !held.contains(id)) {
        // One that waits or has ended a moment ago is not there either, and then this does nothing.
        shared.cancel(*sync_id, Why::Lost);
    }
    for sync_id in held.into_iter().filter(|id| !running.contains(id)) {
        give_back(shared, sync_id).await;
    }
}

/// This node has a sync that it knows nothing of: the answer to its claim was lost, or the database forgot how it ended. It would have it, and
/// not run it, for as long as it is there.
async fn give_back(shared: &Shared, sync_id: SyncId) {
    tracing::warn!(%sync_id, "a sync is not run by the node that has it; it is given back");
    match shared.parts.catalog.sync_give_back(sync_id, shared.node.id).await {
        Ok(()) => shared.look_for_work(),
        // It is looked at again when the leases are renewed the next time.
        Err(error) => error.complain("cannot give back a sync"),
    }
}

async fn claim(shared: &Shared) -> StoreResult<Option<Claim>> {
    let now = shared.parts.clock.now();
    let claim = shared.parts.catalog.sync_claim(shared.lease(), &shared.options.limits, now).await;
    match &claim {
        Ok(Some(claim)) => {
            register(shared, claim);
            fault::point("engine.claimed");
        }
        Ok(None) => {}
        Err(error) => error.complain("cannot claim a sync"),
    }
    claim
}

/// Cancels what runs here and the catalog wants ended: the collection was deleted with all it held, or the cancel came
/// between a sync's claim and its registration.
async fn cancel_unwanted(shared: &Shared) -> StoreResult<()> {
    let running: Vec<_> = shared.running().iter().map(|(id, running)| (*id, running.connector_id)).collect();
    for (sync_id, connector_id) in running {
        let sync = shared.parts.catalog.sync_get(connector_id, sync_id).await?;
        if sync.is_none_or(|sync| sync.status == SyncStatus::Cancelling) {
            shared.cancel(sync_id, Why::Unwanted);
        }
    }
    Ok(())
}

/// Makes the sync known to those who cancel it or wait for its end.
fn register(shared: &Shared, claim: &Claim) {
    let running = Running {
        store_id: claim.sync.store_id,
        connector_id: claim.sync.connector_id,
        fence: claim.fence,
        cancel: Cancel::new(),
        ended: watch::Sender::new(false),
        progress: watch::Sender::new(None),
    };
    if let Some(lost) = shared.running().insert(claim.sync.id, running) {
        lost.cancel.raise(Why::Lost);
    }
    shared.tell(claim.sync.id);
}

async fn run_registered(shared: Arc<Shared>, claim: Claim) {
    let (sync_id, fence) = (claim.sync.id, claim.fence);
    // A task of its own, so that a panic in it is an ended sync and not a dead worker.
    if let Err(error) = tokio::spawn(run::run(Arc::clone(&shared), claim.clone())).await {
        tracing::error!(%sync_id, error = &error as &dyn std::error::Error, "a sync ended in a panic");
        if tokio::spawn(run::broke_down(Arc::clone(&shared), claim)).await.is_err() {
            tracing::error!(%sync_id, "its end could not be recorded; the next start goes on with it");
        }
    }
    shared.forget(sync_id, fence);
    shared.tell(sync_id);
    fault::point("engine.finished");
    // A sync that was queued behind this one may begin.
    shared.wake.notify_one();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_without_a_place_waits_for_one_and_not_for_a_sync_that_is_due() {
        let (period, soon) = (Duration::from_secs(5), Duration::from_secs(2));
        for (all_is_claimed, until_resume, pause) in [
            (true, None, period),
            (true, Some(soon), soon),
            (true, Some(Duration::ZERO), SOONEST),
            (true, Some(period * 2), period),
            (false, Some(soon), period),
            (false, Some(Duration::ZERO), period),
        ] {
            assert_eq!(idle(period, all_is_claimed, until_resume), pause);
        }
    }
}
