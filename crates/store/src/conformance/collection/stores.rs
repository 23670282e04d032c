//! The stores: each collection by its id, made when it is opened first, gone when it is removed.

use std::sync::Arc;

use inlet_model::StoreId;
use inlet_model::sync::Outcome;
use tokio::task::JoinSet;

use super::given::{Given, kind, name};
use super::items::{WHOLE, key_of, put, puts};
use super::seen::{ALL, all_records};
use crate::CollectionStore;
use crate::StoreErrorKind::Closed;
use crate::collection::{ChangeCursor, RejectedQuery};

/// To open a store twice gives the same data, and what one writes the other sees.
pub async fn a_store_opened_twice_is_one(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let again = given.stores.open(given.store_id).await.unwrap();
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    assert_eq!(again.seed(), given.store.seed());
    assert_eq!(again.records(all_records()).await.unwrap().records, given.all_records().await);
    drop(again);
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(2, "a")])]).await;
    let again = given.stores.open(given.store_id).await.unwrap();
    assert_eq!(again.records(all_records()).await.unwrap().records.len(), 2);
}

/// Stores of different ids share nothing, not even the seed.
pub async fn stores_of_different_ids_share_nothing(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    let other = given.stores.open(given.store_id()).await.unwrap();
    assert_ne!(other.seed(), given.store.seed());
    assert_eq!(other.records(all_records()).await.unwrap().records, []);
    assert_eq!(other.run(sync.sync_id).await.unwrap(), None);
    assert_eq!(other.stats().await.unwrap().last_change, 0);
}

/// The list names every store there is, after a restart too.
pub async fn every_store_is_listed(given: Given) {
    let mut ids = vec![given.store_id];
    for _ in 0..5 {
        let id = given.store_id();
        given.stores.open(id).await.unwrap();
        ids.push(id);
    }
    assert_eq!(listed(&given).await, ids);
    let given = given.reopened().await;
    assert_eq!(listed(&given).await, ids);
    given.stores.remove(ids.remove(2)).await.unwrap();
    assert_eq!(listed(&given).await, ids);
    let given = given.reopened().await;
    assert_eq!(listed(&given).await, ids);
}

/// A store that was removed is gone; opened again it is new and empty.
pub async fn a_removed_store_is_empty_when_opened_again(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=3, "a"))]).await;
    given.stores.remove(given.store_id).await.unwrap();
    let new = given.stores.open(given.store_id).await.unwrap();
    assert_eq!(new.records(all_records()).await.unwrap().records, []);
    assert_eq!(new.stats().await.unwrap().last_change, 0);
    assert_eq!(new.run(sync.sync_id).await.unwrap(), None);
    let given = given.reopened().await;
    assert_eq!(given.all_records().await, []);
    let sync = given.begun(given.connector(), &["s"]).await;
    assert_eq!(given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=2, "a"))]).await.last_change, 2);
}

/// Those who still have a removed store open are told so by every method, also when it was opened again since.
pub async fn a_removed_store_is_closed_for_those_who_have_it_open(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=3, "a"))]).await;
    given.stores.remove(given.store_id).await.unwrap();
    assert_all_closed(&given).await;
    let new = given.stores.open(given.store_id).await.unwrap();
    assert_all_closed(&given).await;
    assert_eq!(new.stats().await.unwrap().records, 0);
}

/// To remove what is not there, or twice, is no error.
pub async fn a_store_can_be_removed_twice(given: Given) {
    let unknown = given.store_id();
    for _ in 0..2 {
        given.stores.remove(unknown).await.unwrap();
        given.stores.remove(given.store_id).await.unwrap();
    }
    assert_eq!(given.stores.list().await.unwrap(), []);
}

/// The other stores do not notice.
pub async fn to_remove_a_store_leaves_the_others(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    let other = given.store_id();
    given.stores.open(other).await.unwrap();
    given.stores.remove(other).await.unwrap();
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(2, "a")])]).await;
    assert_eq!(given.ids("s").await, [1, 2]);
}

/// A store that is removed while it is written to and read: each call before counts, each after is told that it is closed.
pub async fn a_store_can_be_removed_while_it_is_used(given: Given) {
    let connector = given.connector();
    let mut users = JoinSet::new();
    for number in 0..6_u8 {
        let store = Arc::clone(&given.store);
        let push = given.a_push(connector, "s", &[number]);
        users.spawn(async move {
            loop {
                let used = match number % 2 {
                    0 => store.push(push.clone()).await.map(drop),
                    _ => store.inbox_streams(connector).await.map(drop),
                };
                if let Err(error) = used {
                    return error.kind();
                }
            }
        });
    }
    while given.inbox(connector).await.is_empty() {
        tokio::task::yield_now().await;
    }
    given.stores.remove(given.store_id).await.unwrap();
    assert_eq!(users.join_all().await, [Closed; 6]);
    assert_eq!(given.stores.list().await.unwrap(), []);
}

/// Openings and removals of one store at the same time leave it as the last of them says.
pub async fn openings_and_removals_at_once_do_no_harm(given: Given) {
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let (stores, id) = (Arc::clone(&given.stores), given.store_id);
        calls.spawn(async move {
            match number % 2 {
                0 => stores.open(id).await.map(drop).unwrap(),
                _ => stores.remove(id).await.unwrap(),
            }
        });
    }
    calls.join_all().await;
    let store = given.stores.open(given.store_id).await.unwrap();
    store.push(given.a_push(given.connector(), "s", b"{}")).await.unwrap();
    given.stores.remove(given.store_id).await.unwrap();
    assert_eq!(given.stores.list().await.unwrap(), []);
}

/// Of many who open a new store at once, all get the same.
pub async fn of_parallel_openings_all_get_the_same(given: Given) {
    let id = given.store_id();
    let mut openings = JoinSet::new();
    for _ in 0..30 {
        let stores = Arc::clone(&given.stores);
        openings.spawn(async move { stores.open(id).await.unwrap() });
    }
    let opened = openings.join_all().await;
    assert!(opened.iter().all(|store| store.seed() == opened[0].seed()));
    let connector = given.connector();
    opened[3].push(given.a_push(connector, "s", b"{}")).await.unwrap();
    for store in opened {
        assert_eq!(store.inbox_streams(connector).await.unwrap(), [name("s")]);
    }
}

/// More stores than may have their files open at once can be used one after another, all of them held open.
pub async fn seventy_stores_are_used_one_after_another(given: Given) {
    let connector = given.connector();
    let mut opened = Vec::new();
    for number in 0..70_u8 {
        let store = given.stores.open(given.store_id()).await.unwrap();
        store.push(given.a_push(connector, "s", &[number])).await.unwrap();
        opened.push(store);
    }
    for round in 0..2 {
        for (number, store) in (0..70_u8).zip(&opened) {
            assert_eq!(waiting(store, connector).await, vec![[number]; round + 1]);
            store.push(given.a_push(connector, "s", &[number])).await.unwrap();
        }
    }
}

/// And at the same time.
pub async fn seventy_stores_are_used_at_once(given: Given) {
    let connector = given.connector();
    let mut users = JoinSet::new();
    for number in 0..70_u8 {
        let stores = Arc::clone(&given.stores);
        let id = given.store_id();
        let push = given.a_push(connector, "s", &[number]);
        users.spawn(async move {
            let store = stores.open(id).await.unwrap();
            store.push(push).await.unwrap();
            assert_eq!(waiting(&store, connector).await, [vec![number]]);
            store
        });
    }
    let opened = users.join_all().await;
    assert_eq!(opened.len(), 70);
    assert_eq!(given.stores.list().await.unwrap().len(), 71);
    for store in &opened {
        assert_eq!(waiting(store, connector).await.len(), 1);
    }
}

async fn listed(given: &Given) -> Vec<StoreId> {
    let mut ids = given.stores.list().await.unwrap();
    ids.sort();
    ids
}

/// The lines of the pushes that wait.
async fn waiting(store: &Arc<dyn CollectionStore>, connector: inlet_model::ConnectorId) -> Vec<Vec<u8>> {
    let items = store.inbox_after(connector, &name("s"), 0, ALL).await.unwrap();
    items.into_iter().map(|item| item.lines).collect()
}

async fn assert_all_closed(given: &Given) {
    let claim = given.claim(given.connector(), &["s"]);
    let store = &given.store;
    assert_eq!(kind(given.try_begin(&claim).await), Closed);
    assert_eq!(kind(given.try_commit(&claim, Vec::new()).await), Closed);
    assert_eq!(kind(given.try_sweep(&claim, "s", 1).await), Closed);
    assert_eq!(kind(given.try_finish(&claim, Outcome::Succeeded).await), Closed);
    assert_eq!(kind(given.try_push(claim.connector_id, "s", b"{}").await), Closed);
    assert_eq!(kind(store.close_connector(claim.connector_id).await), Closed);
    assert_eq!(kind(store.run(claim.sync_id).await), Closed);
    assert_eq!(kind(store.rejected(claim.sync_id, RejectedQuery::behind(0, 1)).await), Closed);
    assert_eq!(kind(store.records(all_records()).await), Closed);
    assert_eq!(kind(store.record(None, &name("s"), &key_of(1)).await), Closed);
    assert_eq!(kind(store.changes(ChangeCursor::START, 1, 1).await), Closed);
    assert_eq!(kind(store.stats().await), Closed);
    assert_eq!(kind(store.inbox_streams(claim.connector_id).await), Closed);
    assert_eq!(kind(store.inbox_after(claim.connector_id, &name("s"), 0, 1).await), Closed);
}
