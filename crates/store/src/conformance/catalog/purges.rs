//! Purges: records that are still to be removed.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};
use inlet_model::{ConnectorId, StoreId, StreamName};
use tokio::task::JoinSet;

use super::given::Given;
use crate::catalog::{Catalog, Connector, ExpectedVersion, Purge, PurgeEffect, PurgeId, Remains, SyncLimits};

fn stream(name: &str) -> Option<StreamName> {
    Some(StreamName::new(name).unwrap())
}

async fn queue(given: &Given, of: &[&Connector], stream: Option<StreamName>) -> PurgeEffect {
    let ids = of.iter().map(|connector| connector.id).collect();
    given.catalog.purge_queue(of[0].store_id, ids, stream).await.unwrap()
}

async fn all(given: &Given) -> Vec<Purge> {
    given.catalog.purge_list(PurgeId(0), 99).await.unwrap()
}

fn shown(purges: &[Purge]) -> Vec<(StoreId, ConnectorId, Option<&str>)> {
    let mut shown = Vec::new();
    for Purge { store_id, connector_id, stream, .. } in purges {
        shown.push((*store_id, *connector_id, stream.as_ref().map(StreamName::as_str)));
    }
    shown
}

/// A purge is queued for each connector, of one stream or of all.
pub async fn a_purge_is_queued_for_each_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let (one, two) =
        (given.stored_connector_in(&collection).await, given.stored_connector_in(&collection).await);
    let beside = given.stored_connector().await;
    assert_eq!(queue(&given, &[&one, &two], stream("s")).await, PurgeEffect::Queued);
    assert_eq!(queue(&given, &[&beside], None).await, PurgeEffect::Queued);
    let store_id = collection.store_id;
    let expected =
        [(store_id, one.id, Some("s")), (store_id, two.id, Some("s")), (beside.store_id, beside.id, None)];
    assert_eq!(shown(&all(&given).await), expected);
    let of_store = given.catalog.purge_list_of(store_id).await.unwrap();
    assert_eq!(shown(&of_store), expected[..2]);
}

/// To ask again for what is queued already queues nothing; other streams are other purges.
pub async fn a_purge_that_is_queued_already_is_not_queued_again(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for _ in 0..3 {
        for stream in [None, stream("s"), stream("t")] {
            assert_eq!(queue(&given, &[&connector], stream).await, PurgeEffect::Queued);
        }
    }
    assert_eq!(all(&given).await.len(), 3);
    given.catalog.purge_done(all(&given).await[0].id).await.unwrap();
    queue(&given, &[&connector], None).await;
    assert_eq!(all(&given).await.len(), 3, "what is done can be wanted anew");
}

/// A sync that is active is named, and nothing is queued for anybody.
pub async fn a_sync_that_is_active_stands_in_the_way_of_all(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let (free, held) =
        (given.stored_connector_in(&collection).await, given.stored_connector_in(&collection).await);
    let running = given.running_sync(&held).await;
    let effect = queue(&given, &[&free, &held], None).await;
    assert_eq!(effect, PurgeEffect::Held(Box::new(given.sync(&running.sync).await)));
    given.catalog.sync_cancel(held.id, None, given.now()).await.unwrap();
    let effect = queue(&given, &[&held], stream("s")).await;
    assert!(matches!(effect, PurgeEffect::Held(sync) if sync.status == SyncStatus::Cancelling));
    assert_eq!(all(&given).await, []);
    given.catalog.sync_finish(&given.a_run(&running, Outcome::Cancelled)).await.unwrap();
    assert_eq!(queue(&given, &[&free, &held], None).await, PurgeEffect::Queued);
}

/// A sync that is queued does not stand in the way: it begins when the purge is done.
pub async fn a_sync_that_is_queued_stands_in_nobodys_way(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let sync = given.queued_sync(&connector).await;
    assert_eq!(queue(&given, &[&connector], None).await, PurgeEffect::Queued);
    assert_eq!(given.sync(&sync).await.status, SyncStatus::Queued);
}

/// No sync of the connector is claimed before every purge of it is done; syncs of others are.
pub async fn no_sync_of_the_connector_is_claimed_before_its_purge_is_done(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (purged, free) = (given.stored_connector().await, given.stored_connector().await);
    queue(&given, &[&purged], None).await;
    queue(&given, &[&purged], stream("s")).await;
    let (waiting, other) = (given.queued_sync(&purged).await, given.queued_sync(&free).await);
    let claimed = async || given.claim().await.map(|claim| claim.sync.id);
    assert_eq!(claimed().await, Some(other.id));
    for purge in all(&given).await {
        assert_eq!(claimed().await, None);
        given.catalog.purge_done(purge.id).await.unwrap();
    }
    assert_eq!(claimed().await, Some(waiting.id));
}

/// The records that a deleted connector left can be purged later, and no sync of it is waited for.
pub async fn the_records_of_a_deleted_connector_can_be_purged(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let (space_id, collection_id, id) = (&connector.space_id, &connector.collection_id, connector.id);
    let deleting = given.catalog.connector_delete(
        space_id,
        collection_id,
        id,
        ExpectedVersion::Any,
        Remains::Kept,
        given.now(),
    );
    deleting.await.unwrap().deleted().unwrap();
    assert_eq!(queue(&given, &[&connector], None).await, PurgeEffect::Queued);
    assert_eq!(all(&given).await.len(), 1);
}

/// A store that no collection has, or has any more, takes no purge.
pub async fn a_store_that_no_collection_has_takes_no_purge(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    given.catalog.space_delete(&connector.space_id, true, given.now()).await.unwrap();
    assert_eq!(queue(&given, &[&connector], None).await, PurgeEffect::Absent);
    assert_eq!(all(&given).await, []);
}

/// Removing the store removes all; its purges are forgotten in the same transaction.
pub async fn the_purges_of_a_store_go_with_its_collection(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (gone, stays) = (given.stored_connector().await, given.stored_connector().await);
    queue(&given, &[&gone], None).await;
    queue(&given, &[&stays], None).await;
    let (space_id, id) = (&gone.space_id, &gone.collection_id);
    given.catalog.collection_delete(space_id, id, true, true, given.now()).await.unwrap();
    assert_eq!(shown(&all(&given).await), [(stays.store_id, stays.id, None)]);
}

/// Purges are listed oldest first, from any place, up to the limit.
pub async fn purges_are_listed_oldest_first_from_any_place(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for name in ["c", "a", "b"] {
        queue(&given, &[&connector], stream(name)).await;
    }
    let purges = all(&given).await;
    assert!(purges.is_sorted_by_key(|purge| purge.id));
    assert_eq!(given.catalog.purge_list(PurgeId(0), 2).await.unwrap(), purges[..2]);
    assert_eq!(given.catalog.purge_list(purges[0].id, 9).await.unwrap(), purges[1..]);
    assert_eq!(given.catalog.purge_list(purges[2].id, 9).await.unwrap(), []);
}

/// The number of a purge is never used again, so that "done" said late cannot hit another.
pub async fn the_number_of_a_purge_is_never_used_again(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    queue(&given, &[&connector], None).await;
    let first = all(&given).await.remove(0);
    given.catalog.purge_done(first.id).await.unwrap();
    queue(&given, &[&connector], None).await;
    let second = all(&given).await.remove(0);
    assert!(second.id > first.id);
    given.catalog.purge_done(first.id).await.unwrap();
    assert_eq!(all(&given).await, [second]);
}

/// Of a purge and a claim at the same time one comes first: never is a sync active while a purge of its connector is queued.
pub async fn a_purge_and_a_claim_at_once_agree(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for _ in 0..20 {
        let connector = given.stored_connector().await;
        let sync = given.queued_sync(&connector).await;
        let mut both = JoinSet::new();
        let (catalog, now) = (Arc::clone(&given.catalog), given.now());
        let lease = given.a_lease(1, now);
        both.spawn(
            async move { catalog.sync_claim(lease, &SyncLimits::default(), now).await.unwrap().is_some() },
        );
        let (catalog, id, store_id) = (Arc::clone(&given.catalog), connector.id, connector.store_id);
        both.spawn(async move {
            catalog.purge_queue(store_id, vec![id], None).await.unwrap() == PurgeEffect::Queued
        });
        let done = both.join_all().await;
        assert_eq!(done.iter().filter(|done| **done).count(), 1, "one of the two");
        let is_purged = !given.catalog.purge_list_of(connector.store_id).await.unwrap().is_empty();
        let is_active = given.sync(&sync).await.status.is_active();
        assert_ne!(is_purged, is_active);
        given.catalog.sync_cancel(connector.id, None, given.now()).await.unwrap();
    }
}
