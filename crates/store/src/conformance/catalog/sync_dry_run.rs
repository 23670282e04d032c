//! Dry runs: syncs that only find out what they would do.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};

use super::given::Given;
use crate::catalog::{Catalog, Claim, Effect, OnConflict, Sync};

async fn dry_run(given: &Given) -> Claim {
    let sync = Sync { dry_run: true, ..given.a_sync(&given.stored_connector().await) };
    let queued = given.catalog.sync_trigger(sync.clone(), OnConflict::Reject, None).await.unwrap();
    assert_eq!(queued, Effect::Done);
    assert_eq!(given.sync(&sync).await, sync);
    given.claim().await.unwrap()
}

/// It is as long as the sync, as it was given.
pub async fn a_dry_run_ends_with_what_it_has_found(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let claim = dry_run(&given).await;
    assert_eq!(given.catalog.sync_preview(claim.sync.id).await.unwrap(), None);
    let run = given.a_run(&claim, Outcome::Succeeded);
    given.catalog.sync_finish_dry(&run, claim.fence, "{\"a\":1.10}".to_owned()).await.unwrap();
    let ended = given.sync(&claim.sync).await;
    assert_eq!((ended.status, ended.dry_run, ended.counts), (SyncStatus::Succeeded, true, run.counts));
    assert_eq!(given.catalog.sync_preview(claim.sync.id).await.unwrap().as_deref(), Some("{\"a\":1.10}"));
    given.catalog.sync_finish_dry(&run, claim.fence, "again".to_owned()).await.unwrap();
    assert_eq!(given.catalog.sync_preview(claim.sync.id).await.unwrap().as_deref(), Some("{\"a\":1.10}"));
}

/// One that was only asleep ends nothing.
pub async fn only_the_latest_claim_ends_a_dry_run(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let first = dry_run(&given).await;
    let second = given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap().remove(0);
    let run = given.a_run(&first, Outcome::Succeeded);
    given.catalog.sync_finish_dry(&run, first.fence, "first".to_owned()).await.unwrap();
    assert_eq!(given.sync(&first.sync).await, second.sync);
    assert_eq!(given.catalog.sync_preview(first.sync.id).await.unwrap(), None);
}

/// A sync that is not there has none.
pub async fn a_sync_that_is_not_there_has_found_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let claim = dry_run(&given).await;
    let unknown = given.a_sync(&given.stored_connector().await);
    assert_eq!(given.catalog.sync_preview(unknown.id).await.unwrap(), None);
    let run = given.a_run(&claim, Outcome::Cancelled);
    given.catalog.sync_finish_dry(&run, claim.fence, "{}".to_owned()).await.unwrap();
    assert_eq!(given.sync(&claim.sync).await.status, SyncStatus::Cancelled);
    assert!(given.catalog.sync_preview(claim.sync.id).await.unwrap().is_some());
}

/// It was no sync: a connector is not paused for it, and nothing follows it.
pub async fn a_dry_run_that_fails_is_no_failure_of_its_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let claim = dry_run(&given).await;
    let run = given.a_run(&claim, Outcome::Failed);
    given.catalog.sync_finish_dry(&run, claim.fence, "{}".to_owned()).await.unwrap();
    let sync = given.sync(&claim.sync).await;
    assert_eq!(sync.status, SyncStatus::Failed);
    let (space_id, collection_id) = (&sync.space_id, &sync.collection_id);
    let connector = given.catalog.connector_get(space_id, collection_id, sync.connector_id).await.unwrap();
    assert_eq!(connector.map(|connector| connector.failures), Some(0));
}
