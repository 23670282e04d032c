//! Copying the outcome of a run.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};

use super::given::Given;
use crate::StoreErrorKind;
use crate::catalog::{Catalog, Claim, Sync};
use crate::collection::Run;

fn ended(claim: &Claim, run: &Run, status: SyncStatus) -> Sync {
    Sync {
        status,
        attempt: run.attempt,
        last_progress_at: Some(run.last_progress_at),
        finished_at: run.finished_at,
        counts: run.counts,
        streams: run.streams.clone(),
        failure: run.failure.clone(),
        ..claim.sync.clone()
    }
}

/// The outcome is copied from the run, with counters, streams, failure, attempt and times.
pub async fn the_outcome_is_copied_from_the_run(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for (outcome, status) in
        [(Outcome::Succeeded, SyncStatus::Succeeded), (Outcome::Failed, SyncStatus::Failed)]
    {
        let claim = given.running_sync(&connector).await;
        let run = Run { attempt: 3, ..given.a_run(&claim, outcome) };
        given.catalog.sync_finish(&run).await.unwrap();
        assert_eq!(given.sync(&claim.sync).await, ended(&claim, &run, status));
    }
}

/// A sync that has ended stays as it is, also if a run says otherwise.
pub async fn a_sync_that_has_ended_stays_as_it_is(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for first in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        let claim = given.running_sync(&connector).await;
        given.catalog.sync_finish(&given.a_run(&claim, first)).await.unwrap();
        let before = given.sync(&claim.sync).await;
        for second in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
            given.catalog.sync_finish(&given.a_run(&claim, second)).await.unwrap();
        }
        assert_eq!(given.sync(&claim.sync).await, before);
    }
}

/// A running sync whose run was cancelled ends cancelled.
pub async fn a_running_sync_whose_run_was_cancelled_ends_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let claim = given.running_sync(&given.stored_connector().await).await;
    let run = given.a_run(&claim, Outcome::Cancelled);
    given.catalog.sync_finish(&run).await.unwrap();
    assert_eq!(given.sync(&claim.sync).await, ended(&claim, &run, SyncStatus::Cancelled));
}

/// A cancelling sync ends as its run did: succeeded, if its last commit was already durable.
pub async fn a_cancelling_sync_ends_as_its_run_did(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        let claim = given.cancelling_sync(&connector).await;
        let run = given.a_run(&claim, outcome);
        given.catalog.sync_finish(&run).await.unwrap();
        assert_eq!(given.sync(&claim.sync).await, ended(&claim, &run, outcome.into()));
    }
}

/// A run that has not ended finishes nothing; it is refused as a mistake of the caller.
pub async fn a_run_that_has_not_ended_finishes_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let claim = given.running_sync(&given.stored_connector().await).await;
    let run = Run { outcome: None, finished_at: None, ..given.a_run(&claim, Outcome::Succeeded) };
    let refused = given.catalog.sync_finish(&run).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Internal);
    assert_eq!(given.sync(&claim.sync).await, claim.sync);
}

/// The run of an unknown sync is passed over: a store may remember a sync that the catalog has forgotten.
pub async fn the_run_of_an_unknown_sync_is_passed_over(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claim = given.running_sync(&connector).await;
    let unknown = Run { sync_id: given.a_sync(&connector).id, ..given.a_run(&claim, Outcome::Succeeded) };
    given.catalog.sync_finish(&unknown).await.unwrap();
    assert_eq!(given.catalog.sync_get(connector.id, unknown.sync_id).await.unwrap(), None);
    assert_eq!(given.sync(&claim.sync).await, claim.sync);
}

/// A finished sync frees its connector, and is not taken over.
pub async fn a_finished_sync_frees_its_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    given.finished_sync(&connector, Outcome::Succeeded).await;
    assert_eq!(given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap(), []);
    given.running_sync(&connector).await;
}
