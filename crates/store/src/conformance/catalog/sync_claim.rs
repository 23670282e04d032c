//! Giving syncs to workers.

use std::collections::HashSet;
use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};
use tokio::task::JoinSet;

use super::given::Given;
use crate::catalog::{Catalog, OnConflict, Sync, SyncLimits};

/// Nothing is claimed when nothing is queued.
pub async fn nothing_is_claimed_when_nothing_is_queued(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    assert_eq!(given.claim().await, None);
    let connector = given.stored_connector().await;
    given.finished_sync(&connector, Outcome::Succeeded).await;
    given.running_sync(&connector).await;
    assert_eq!(given.claim().await, None);
}

/// A claim begins the sync: running, attempt 1, begun now; and it brings the connector.
pub async fn a_claim_begins_the_sync(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let queued = given.queued_sync(&connector).await;
    let now = given.now();
    let claim =
        given.catalog.sync_claim(given.a_lease(1, now), &SyncLimits::default(), now).await.unwrap().unwrap();
    let begun = Sync { status: SyncStatus::Running, attempt: 1, started_at: Some(now), ..queued };
    assert_eq!(claim.sync, begun);
    assert_eq!(claim.connector, Some(connector));
}

/// The sync that was queued first is claimed first, whatever order they were stored in.
pub async fn the_longest_queued_sync_is_claimed_first(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let mut syncs = Vec::new();
    for _ in 0..4 {
        syncs.push(given.a_sync(&given.stored_connector().await));
    }
    for place in [2, 0, 3, 1] {
        given.catalog.sync_trigger(syncs[place].clone(), OnConflict::Reject, None).await.unwrap();
    }
    for sync in syncs {
        let claim = given.claim().await.unwrap();
        assert_eq!(claim.sync.id, sync.id);
    }
}

/// Each claim of a connector has a greater fence than all before.
pub async fn each_claim_of_a_connector_has_a_greater_fence(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let mut fences = Vec::new();
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        let claim = given.running_sync(&connector).await;
        fences.push(claim.fence);
        given.catalog.sync_finish(&given.a_run(&claim, outcome)).await.unwrap();
    }
    assert!(fences.is_sorted_by(|one, next| one < next), "{fences:?}");
}

/// A hundred parallel claims share out each sync once.
pub async fn a_hundred_parallel_claims_share_out_each_sync_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let mut queued = HashSet::new();
    for _ in 0..20 {
        queued.insert(given.queued_sync(&given.stored_connector_in(&collection).await).await.id);
    }
    let mut claims = JoinSet::new();
    for _ in 0..100 {
        let (catalog, now) = (Arc::clone(&given.catalog), given.now());
        let lease = given.a_lease(1, now);
        claims.spawn(async move { catalog.sync_claim(lease, &SyncLimits::default(), now).await.unwrap() });
    }
    let claimed: Vec<_> = claims.join_all().await.into_iter().flatten().map(|claim| claim.sync.id).collect();
    assert_eq!(claimed.len(), 20);
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), queued);
}

/// A claimed sync reads as running.
pub async fn a_claimed_sync_is_durable_as_running(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let claim = given.running_sync(&given.stored_connector().await).await;
    assert_eq!(given.sync(&claim.sync).await, claim.sync);
}
