//! Cancelling on request.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};

use super::given::Given;
use crate::catalog::{CancelEffect, Catalog, Sync};

async fn cancel(given: &Given, sync: &Sync) -> CancelEffect {
    given.catalog.sync_cancel(sync.connector_id, Some(sync.id), given.now()).await.unwrap()
}

/// A queued sync is cancelled at once.
pub async fn a_queued_sync_is_cancelled_at_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let queued = given.queued_sync(&connector).await;
    let now = given.now();
    let effect = given.catalog.sync_cancel(connector.id, Some(queued.id), now).await.unwrap();
    let cancelled = Sync { status: SyncStatus::Cancelled, finished_at: Some(now), ..queued };
    assert_eq!(effect, CancelEffect::Cancelled(cancelled.clone()));
    assert_eq!(given.sync(&cancelled).await, cancelled);
}

/// A running sync is cancelling until its worker ends it, however often it is cancelled.
pub async fn a_running_sync_is_cancelling_until_its_worker_ends_it(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let running = given.running_sync(&given.stored_connector().await).await.sync;
    let cancelling = Sync { status: SyncStatus::Cancelling, ..running };
    for _ in 0..2 {
        assert_eq!(cancel(&given, &cancelling).await, CancelEffect::Cancelling(cancelling.clone()));
        assert_eq!(given.sync(&cancelling).await, cancelling);
    }
}

/// A sync that was cancelled stays so, and says so again.
pub async fn a_sync_that_was_cancelled_stays_so(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let queued = given.queued_sync(&connector).await;
    cancel(&given, &queued).await;
    let never_began = given.sync(&queued).await;
    let began = given.finished_sync(&connector, Outcome::Cancelled).await;
    for sync in [never_began, began] {
        assert_eq!(cancel(&given, &sync).await, CancelEffect::Cancelled(sync.clone()));
        assert_eq!(given.sync(&sync).await, sync);
    }
}

/// A sync that has succeeded or failed is said to be finished, and stays as it is.
pub async fn a_sync_that_has_ended_otherwise_is_said_to_be_finished(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for outcome in [Outcome::Succeeded, Outcome::Failed] {
        let sync = given.finished_sync(&connector, outcome).await;
        assert_eq!(cancel(&given, &sync).await, CancelEffect::AlreadyFinished(sync.clone()));
        assert_eq!(given.sync(&sync).await, sync);
    }
}

/// Without an id what has not ended is cancelled, in each of its states.
pub async fn without_an_id_what_has_not_ended_is_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let cancel_any = || given.catalog.sync_cancel(connector.id, None, given.now());

    let queued = given.queued_sync(&connector).await;
    let CancelEffect::Cancelled(cancelled) = cancel_any().await.unwrap() else { panic!("not cancelled") };
    assert_eq!((cancelled.id, cancelled.status), (queued.id, SyncStatus::Cancelled));
    assert_eq!(given.sync(&queued).await, cancelled);

    let running = given.running_sync(&connector).await.sync;
    for _ in 0..2 {
        let CancelEffect::Cancelling(cancelling) = cancel_any().await.unwrap() else {
            panic!("not cancelling")
        };
        assert_eq!((cancelling.id, cancelling.status), (running.id, SyncStatus::Cancelling));
        assert_eq!(given.sync(&running).await, cancelling);
    }
}

/// Without an id nothing that has ended is cancelled, and nothing of another connector.
pub async fn without_an_id_nothing_that_has_ended_is_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let bystander = given.running_sync(&given.stored_connector().await).await.sync;
    let cancel_any = || given.catalog.sync_cancel(connector.id, None, given.now());
    assert_eq!(cancel_any().await.unwrap(), CancelEffect::None);
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        given.finished_sync(&connector, outcome).await;
        assert_eq!(cancel_any().await.unwrap(), CancelEffect::None);
    }
    assert_eq!(given.sync(&bystander).await, bystander);
}

/// A sync is cancelled only under its connector.
pub async fn a_sync_is_cancelled_only_under_its_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let sync = given.queued_sync(&given.stored_connector().await).await;
    let other = given.stored_connector().await;
    let effect = given.catalog.sync_cancel(other.id, Some(sync.id), given.now()).await.unwrap();
    assert_eq!(effect, CancelEffect::None);
    assert_eq!(given.sync(&sync).await, sync);
    let unknown = given.a_sync(&other);
    assert_eq!(cancel(&given, &unknown).await, CancelEffect::None);
}

/// A cancelled sync is never claimed.
pub async fn a_cancelled_sync_is_never_claimed(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let sync = given.queued_sync(&given.stored_connector().await).await;
    cancel(&given, &sync).await;
    assert_eq!(given.claim().await, None);
}

/// A cancel and a claim at once agree: either the cancel came first, and nothing is claimed, or it is cancelling.
pub async fn a_cancel_and_a_claim_at_once_agree(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for _ in 0..20 {
        let sync = given.queued_sync(&connector).await;
        let (claim, effect) = tokio::join!(given.claim(), cancel(&given, &sync));
        match (claim, effect) {
            (None, CancelEffect::Cancelled(sync)) => assert_eq!(given.sync(&sync).await, sync),
            (Some(claim), CancelEffect::Cancelling(sync)) => {
                assert_eq!(claim.sync.id, sync.id);
                let run = given.a_run(&claim, Outcome::Cancelled);
                given.catalog.sync_finish(&run).await.unwrap();
            }
            (claim, effect) => panic!("{claim:?} and {effect:?} contradict each other"),
        }
    }
}
