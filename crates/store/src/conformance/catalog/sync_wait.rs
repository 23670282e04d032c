//! Syncs that are left alone for a while.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::SyncStatus;

use super::given::{Given, a_failure};
use crate::catalog::{
    CancelEffect, Catalog, ClaimKind, Connector, ConnectorStatus, Effect, OnConflict, Sync, Wait,
};

const HOUR: Duration = Duration::from_secs(3600);

/// A sync that waits says until when and for what, holds its connector, and is nobody's.
pub async fn a_waiting_sync_says_what_it_waits_for(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claim = given.running_sync(&connector).await;
    let wait = given.a_wait(HOUR);
    let waiting =
        given.catalog.sync_wait(claim.sync.id, claim.fence, wait.clone(), given.now()).await.unwrap();
    let expected = Sync {
        status: SyncStatus::Waiting,
        resume_at: Some(wait.resume_at),
        waits_for: Some(a_failure()),
        retries: 1,
        ..claim.sync
    };
    assert_eq!(waiting, Some(expected.clone()));
    assert_eq!(given.sync(&expected).await, expected);
    assert_eq!(given.catalog.sync_next_resume().await.unwrap(), Some(wait.resume_at));
    let next = given.catalog.sync_trigger(given.a_sync(&connector), OnConflict::Reject, None).await.unwrap();
    assert_eq!(next, Effect::Conflict(Some(expected)));
    assert_eq!(given.claim().await, None);
}

/// When its time has come it is claimed before all that was never begun: one attempt more, a greater fence, the settings it
/// began with.
pub async fn a_sync_that_has_waited_goes_on(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let before = given.running_sync(&connector).await;
    given.catalog.sync_wait(before.sync.id, before.fence, given.a_wait(HOUR), given.now()).await.unwrap();
    let changed =
        Connector { status: ConnectorStatus::Paused, name: "Changed".to_owned(), ..connector.clone() };
    given.catalog.connector_update(changed).await.unwrap();
    let queued = given.queued_sync(&given.stored_connector().await).await;
    given.let_pass(HOUR);
    let claim = given.claim().await.unwrap();
    assert_eq!(claim.kind, ClaimKind::Resumed);
    assert_eq!(claim.sync, Sync { attempt: 2, retries: 1, ..before.sync });
    assert!(claim.fence > before.fence);
    assert_eq!(claim.connector.map(|found| found.name), Some(connector.name));
    assert_eq!(given.catalog.sync_next_resume().await.unwrap(), None);
    assert_eq!(given.claim().await.map(|claim| claim.sync.id), Some(queued.id));
}

/// Retries are counted while nothing is committed between them.
pub async fn retries_are_counted_until_there_is_progress(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let mut claim = given.running_sync(&given.stored_connector().await).await;
    for (progressed, retries) in [(false, 1), (false, 2), (true, 1), (false, 2)] {
        let wait = Wait { progressed, ..given.a_wait(Duration::ZERO) };
        let waiting = given.catalog.sync_wait(claim.sync.id, claim.fence, wait, given.now()).await.unwrap();
        assert_eq!(waiting.map(|sync| sync.retries), Some(retries));
        claim = given.claim().await.unwrap();
    }
}

/// A sync that is being cancelled, or that another claim has, does not wait.
pub async fn only_the_latest_claim_of_a_running_sync_waits(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let cancelling = given.cancelling_sync(&given.stored_connector().await).await;
    let wait = given.a_wait(HOUR);
    let stayed =
        given.catalog.sync_wait(cancelling.sync.id, cancelling.fence, wait, given.now()).await.unwrap();
    assert_eq!(stayed, Some(cancelling.sync.clone()));
    given
        .catalog
        .sync_finish(&given.a_run(&cancelling, inlet_model::sync::Outcome::Cancelled))
        .await
        .unwrap();

    let before = given.running_sync(&given.stored_connector().await).await;
    let taken_over = given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap().remove(0);
    let wait = given.a_wait(HOUR);
    let stayed = given.catalog.sync_wait(before.sync.id, before.fence, wait, given.now()).await.unwrap();
    assert_eq!(stayed, Some(taken_over.sync));
}

/// A sync that waits is cancelled at once, and does not go on.
pub async fn a_waiting_sync_is_cancelled_at_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let sync = given.waiting_sync(&connector, HOUR).await;
    let now = given.now();
    let effect = given.catalog.sync_cancel(connector.id, Some(sync.id), now).await.unwrap();
    let cancelled = Sync {
        status: SyncStatus::Cancelled,
        finished_at: Some(now),
        resume_at: None,
        waits_for: None,
        ..sync
    };
    assert_eq!(effect, CancelEffect::Cancelled(cancelled));
    given.let_pass(HOUR);
    assert_eq!(given.claim().await, None);
}

/// One that had done something when it began to wait says so when it is cancelled.
pub async fn a_waiting_sync_that_is_cancelled_keeps_what_its_run_has_done(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claim = given.running_sync(&connector).await;
    let run = given.a_run(&claim, inlet_model::sync::Outcome::Cancelled);
    let wait = Wait { run: Some(run.clone()), ..given.a_wait(HOUR) };
    given.catalog.sync_wait(claim.sync.id, claim.fence, wait, given.now()).await.unwrap();
    given.catalog.sync_cancel(connector.id, Some(claim.sync.id), given.now()).await.unwrap();
    let cancelled = given.sync(&claim.sync).await;
    assert_eq!((cancelled.status, cancelled.counts), (SyncStatus::Cancelled, run.counts));
    assert_eq!((cancelled.streams, cancelled.last_progress_at), (run.streams, Some(run.last_progress_at)));
}
