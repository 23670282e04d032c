//! Finding syncs.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};

use super::given::{Given, after, first};
use crate::catalog::{Catalog, Connector, Effect, ExpectedVersion, Remains, Sync, SyncFilter, SyncTally};

async fn ended_syncs(given: &Given, connector: &Connector, count: usize) -> Vec<Sync> {
    let mut newest_first = Vec::new();
    for _ in 0..count {
        newest_first.insert(0, given.finished_sync(connector, Outcome::Succeeded).await);
    }
    newest_first
}

/// A sync is found only under its connector.
pub async fn a_sync_is_found_only_under_its_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (one, two) = (given.stored_connector().await, given.stored_connector().await);
    let sync = given.queued_sync(&one).await;
    assert_eq!(given.catalog.sync_get(one.id, sync.id).await.unwrap(), Some(sync.clone()));
    assert_eq!(given.catalog.sync_get(two.id, sync.id).await.unwrap(), None);
    assert_eq!(given.catalog.sync_get(one.id, given.a_sync(&one).id).await.unwrap(), None);
    assert_eq!(given.catalog.sync_list(two.id, SyncFilter::default(), first(9)).await.unwrap().items, []);
}

/// Syncs are listed newest first, in pages.
pub async fn syncs_are_listed_newest_first(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let syncs = ended_syncs(&given, &connector, 5).await;
    let page = given.catalog.sync_list(connector.id, SyncFilter::default(), first(9)).await.unwrap();
    assert_eq!((page.items.as_slice(), page.next), (syncs.as_slice(), None));
    let page = given.catalog.sync_list(connector.id, SyncFilter::default(), first(3)).await.unwrap();
    assert_eq!(page.items, syncs[..3]);
    let page = given
        .catalog
        .sync_list(connector.id, SyncFilter::default(), after(page.next.unwrap(), 3))
        .await
        .unwrap();
    assert_eq!((page.items.as_slice(), page.next), (&syncs[3..], None));
}

/// Paging skips and repeats nothing while syncs are added.
pub async fn paging_skips_and_repeats_nothing_while_syncs_are_added(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let expected = ended_syncs(&given, &connector, 7).await;
    let mut seen = Vec::new();
    let mut query = first(2);
    loop {
        let page = given.catalog.sync_list(connector.id, SyncFilter::default(), query).await.unwrap();
        seen.extend(page.items);
        given.finished_sync(&connector, Outcome::Succeeded).await;
        let Some(next) = page.next else { break };
        query = after(next, 2);
    }
    assert_eq!(seen, expected);
}

/// The last sync is the newest of each connector that has one; a connector without any is left out.
pub async fn the_last_sync_is_the_newest_of_each_connector_that_has_one(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (one, two) = (given.stored_connector().await, given.stored_connector().await);
    let without = given.stored_connector().await;
    ended_syncs(&given, &one, 2).await;
    let newest_of_two = ended_syncs(&given, &two, 1).await.remove(0);
    let newest_of_one = given.queued_sync(&one).await;
    let mut last = given.catalog.sync_last(&[one.id, without.id, two.id]).await.unwrap();
    last.sort_by_key(|sync| sync.created_at);
    assert_eq!(last, [newest_of_two, newest_of_one]);
    assert_eq!(given.catalog.sync_last(&[]).await.unwrap(), []);
}

/// Syncs that have not ended are counted by status and connector type, each count with the age of its oldest; those of
/// deleted connectors too.
pub async fn syncs_that_have_not_ended_are_counted_by_status_and_type(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    assert_eq!(given.catalog.sync_tally().await.unwrap(), []);
    let running = given.running_sync(&given.stored_connector().await).await.sync;
    let deleted = given.stored_connector().await;
    let cancelling = given.running_sync(&deleted).await.sync;
    let (space_id, collection_id) = (&deleted.space_id, &deleted.collection_id);
    given
        .catalog
        .connector_delete(
            space_id,
            collection_id,
            deleted.id,
            ExpectedVersion::Any,
            Remains::Kept,
            given.now(),
        )
        .await
        .unwrap();
    let oldest = given.queued_sync(&given.stored_connector().await).await;
    given.queued_sync(&given.stored_connector().await).await;
    let other = Connector { kind: "other".to_owned(), ..given.a_connector(&given.stored_collection().await) };
    assert_eq!(given.catalog.connector_create(other.clone(), None).await.unwrap(), Effect::Done);
    let of_other = given.queued_sync(&other).await;

    let mut tally = given.catalog.sync_tally().await.unwrap();
    tally.sort_by_key(|row| (row.status.as_str(), row.kind.clone()));
    let row = |status, kind: &str, syncs, oldest: &Sync| SyncTally {
        status,
        kind: kind.to_owned(),
        syncs,
        oldest_created_at: oldest.created_at,
    };
    let expected = [
        row(SyncStatus::Cancelling, "files", 1, &cancelling),
        row(SyncStatus::Queued, "files", 2, &oldest),
        row(SyncStatus::Queued, "other", 1, &of_other),
        row(SyncStatus::Running, "files", 1, &running),
    ];
    assert_eq!(tally, expected);
}

/// A sync that has ended is not counted.
pub async fn a_sync_that_has_ended_is_not_counted(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        given.finished_sync(&connector, outcome).await;
    }
    assert_eq!(given.catalog.sync_tally().await.unwrap(), []);
}
