//! Lists: their order, and what they are narrowed to.

use std::sync::Arc;

use inlet_model::Timestamp;
use inlet_model::sync::{Outcome, SyncStatus};

use super::given::{Given, first};
use crate::catalog::{
    Catalog, Connector, ConnectorFilter, ConnectorStatus, Created, Effect, NameFilter, Order, PageQuery,
    Sync, SyncFilter,
};

/// A first page of this many in this order.
fn ordered(order: Order, limit: usize) -> PageQuery {
    PageQuery { order, ..first(limit) }
}

async fn five_connectors(given: &Given) -> Vec<Connector> {
    let collection = given.stored_collection().await;
    let mut connectors = Vec::new();
    for _ in 0..5 {
        connectors.push(given.stored_connector_in(&collection).await);
    }
    connectors
}

async fn connectors(given: &Given, of: &Connector, filter: ConnectorFilter) -> Vec<Connector> {
    let (space_id, collection_id) = (&of.space_id, &of.collection_id);
    let page = given.catalog.connector_list(space_id, collection_id, filter, first(99)).await.unwrap();
    page.unwrap().items
}

/// Five syncs of one connector, the last of them queued: succeeded, failed, cancelled, failed, queued.
async fn five_syncs(given: &Given) -> Vec<Sync> {
    let connector = given.stored_connector().await;
    let mut syncs = Vec::new();
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled, Outcome::Failed] {
        syncs.push(given.finished_sync(&connector, outcome).await);
    }
    syncs.push(given.queued_sync(&connector).await);
    syncs
}

async fn syncs(given: &Given, of: &Sync, filter: SyncFilter) -> Vec<Sync> {
    given.catalog.sync_list(of.connector_id, filter, first(99)).await.unwrap().items
}

/// Every list can begin with the oldest.
pub async fn every_list_can_begin_with_the_oldest(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let oldest = ordered(Order::OldestFirst, 99);
    let syncs = five_syncs(&given).await;
    let sync = &syncs[0];
    let found = given.catalog.sync_list(sync.connector_id, SyncFilter::default(), oldest.clone()).await;
    assert_eq!(found.unwrap().items, syncs);
    let of = five_connectors(&given).await;
    let (space_id, collection_id) = (&of[0].space_id, &of[0].collection_id);
    let filter = ConnectorFilter::default();
    let found = given.catalog.connector_list(space_id, collection_id, filter, oldest.clone()).await.unwrap();
    assert_eq!(found.unwrap().items, of);
    let later = given.stored_collection_in(space_id).await;
    let found = given.catalog.collection_list(space_id, NameFilter::default(), oldest.clone()).await.unwrap();
    let found = found.unwrap().items;
    assert_eq!((&found[0].id, &found[1..]), (collection_id, &[later][..]));
    let spaces = given.catalog.space_list(NameFilter::default(), oldest).await.unwrap().items;
    assert!(spaces.is_sorted_by_key(|space| (space.created_at, space.id.clone())) && spaces.len() == 3);
}

/// What one order gives page by page the other gives backwards, though things of one moment stand next to each other.
pub async fn pages_of_either_order_meet_in_the_middle(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let at = given.now();
    for _ in 0..7 {
        let connector = Connector { created_at: at, ..given.a_connector(&collection) };
        assert_eq!(given.catalog.connector_create(connector, None).await.unwrap(), Effect::Done);
    }
    let mut found = Vec::new();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let (mut seen, mut query) = (Vec::new(), ordered(order, 3));
        loop {
            let filter = ConnectorFilter::default();
            let (space_id, id) = (&collection.space_id, &collection.id);
            let page =
                given.catalog.connector_list(space_id, id, filter, query.clone()).await.unwrap().unwrap();
            seen.extend(page.items.into_iter().map(|connector| connector.id));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen.len(), 7);
        found.push(seen);
    }
    found[1].reverse();
    assert_eq!(found[0], found[1]);
}

/// Spaces and collections are found by their whole name, several of one name too.
pub async fn spaces_and_collections_are_found_by_name(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    given.stored_space().await;
    let named = |name: &str| NameFilter { name: Some(name.to_owned()), ..NameFilter::default() };
    let found = given.catalog.space_list(named(&space.name), first(9)).await.unwrap();
    assert_eq!((found.items, found.next), (vec![space.clone()], None));
    let (one, two) =
        (given.stored_collection_in(&space.id).await, given.stored_collection_in(&space.id).await);
    let two = given.catalog.collection_rename(&space.id, &two.id, &one.name, given.now()).await.unwrap();
    let found = given.catalog.collection_list(&space.id, named(&one.name), first(9)).await.unwrap().unwrap();
    assert_eq!(found.items, [two.unwrap(), one.clone()]);
    for other in [one.name[1..].to_owned(), one.name.to_uppercase(), "%".to_owned()] {
        let found = given.catalog.collection_list(&space.id, named(&other), first(9)).await.unwrap();
        assert_eq!(found.unwrap().items, [], "{other}");
    }
}

/// Connectors are narrowed by name, type and status, and by all of them together.
pub async fn connectors_are_narrowed_by_name_type_and_status(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let stored = five_connectors(&given).await;
    let paused = Connector { status: ConnectorStatus::Paused, ..stored[1].clone() };
    given.catalog.connector_update(paused).await.unwrap();
    let collection =
        given.catalog.collection_get(&stored[0].space_id, &stored[0].collection_id).await.unwrap();
    let other = Connector {
        kind: "external_source".to_owned(),
        name: stored[1].name.clone(),
        ..given.a_connector(&collection.unwrap())
    };
    given.catalog.connector_create(other.clone(), None).await.unwrap();
    let ids = async |filter| -> Vec<_> {
        let found = connectors(&given, &other, filter).await;
        found.into_iter().map(|connector| connector.id).collect()
    };
    let any = ConnectorFilter::default;
    let named = ConnectorFilter { name: Some(other.name.clone()), ..any() };
    assert_eq!(ids(named.clone()).await, [other.id, stored[1].id]);
    let of_kind = ConnectorFilter { kind: Some("external_source".to_owned()), ..any() };
    assert_eq!(ids(of_kind.clone()).await, [other.id]);
    let paused = ConnectorFilter { status: Some(ConnectorStatus::Paused), ..any() };
    assert_eq!(ids(paused.clone()).await, [stored[1].id]);
    assert_eq!(ids(ConnectorFilter { status: paused.status, ..named }).await, [stored[1].id]);
    assert_eq!(ids(ConnectorFilter { status: paused.status, ..of_kind }).await, []);
    assert_eq!(ids(any()).await.len(), 6);
}

/// Syncs are narrowed to one state or several.
pub async fn syncs_are_narrowed_to_states(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let stored = five_syncs(&given).await;
    let of = |statuses: &[SyncStatus]| SyncFilter { statuses: statuses.to_vec(), ..SyncFilter::default() };
    let failed = syncs(&given, &stored[0], of(&[SyncStatus::Failed])).await;
    assert_eq!(failed, [stored[3].clone(), stored[1].clone()]);
    let several = [SyncStatus::Succeeded, SyncStatus::Queued, SyncStatus::Cancelled, SyncStatus::Queued];
    let found = syncs(&given, &stored[0], of(&several)).await;
    assert_eq!(found, [stored[4].clone(), stored[2].clone(), stored[0].clone()]);
    assert_eq!(syncs(&given, &stored[0], of(&[SyncStatus::Running])).await, []);
    assert_eq!(syncs(&given, &stored[0], of(&SyncStatus::ALL)).await.len(), 5);
}

/// Syncs of several states come in one order, page by page, in either direction.
pub async fn syncs_of_several_states_are_paged_in_one_order(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let mut expected = Vec::new();
    for round in 0..12 {
        let outcome = [Outcome::Succeeded, Outcome::Failed, Outcome::Failed, Outcome::Cancelled][round % 4];
        let sync = given.finished_sync(&connector, outcome).await;
        if outcome != Outcome::Cancelled {
            expected.push(sync.id);
        }
    }
    let filter =
        SyncFilter { statuses: vec![SyncStatus::Failed, SyncStatus::Succeeded], ..SyncFilter::default() };
    for limit in 1..=10 {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let (mut seen, mut query) = (Vec::new(), ordered(order, limit));
            loop {
                let page =
                    given.catalog.sync_list(connector.id, filter.clone(), query.clone()).await.unwrap();
                assert!(page.items.len() == limit || page.next.is_none());
                seen.extend(page.items.into_iter().map(|sync| sync.id));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            if order == Order::NewestFirst {
                seen.reverse();
            }
            assert_eq!(seen, expected, "{limit} {order:?}");
        }
    }
}

/// Only what was made between two times, they themselves excluded, with and without a cursor.
pub async fn a_time_of_creation_bounds_every_list(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let stored = five_connectors(&given).await;
    let between = |one: Timestamp, other: Timestamp| Created { after: Some(one), before: Some(other) };
    let created = between(stored[0].created_at, stored[3].created_at);
    let found =
        connectors(&given, &stored[0], ConnectorFilter { created, ..ConnectorFilter::default() }).await;
    assert_eq!(found, [stored[2].clone(), stored[1].clone()]);
    let (space_id, collection_id) = (&stored[0].space_id, &stored[0].collection_id);
    let filter = ConnectorFilter { created, ..ConnectorFilter::default() };
    let mut query = ordered(Order::OldestFirst, 1);
    let page = given.catalog.connector_list(space_id, collection_id, filter.clone(), query.clone()).await;
    query.after = page.unwrap().unwrap().next;
    let page = given.catalog.connector_list(space_id, collection_id, filter, query).await.unwrap().unwrap();
    assert_eq!((page.items, page.next), (vec![stored[2].clone()], None));

    let syncs_stored = five_syncs(&given).await;
    let created = Created { after: Some(syncs_stored[2].created_at), before: None };
    let filter = SyncFilter { statuses: vec![SyncStatus::Failed, SyncStatus::Queued], created };
    let found = syncs(&given, &syncs_stored[0], filter).await;
    assert_eq!(found, [syncs_stored[4].clone(), syncs_stored[3].clone()]);
    let space = given.stored_space().await;
    let since = NameFilter { created: Created { after: Some(space.created_at), before: None }, name: None };
    assert_eq!(given.catalog.space_list(since, first(9)).await.unwrap().items, []);
    let one = given.stored_collection_in(&space.id).await;
    let two = given.stored_collection_in(&space.id).await;
    let before = NameFilter { created: Created { after: None, before: Some(two.created_at) }, name: None };
    let found = given.catalog.collection_list(&space.id, before, first(9)).await.unwrap().unwrap();
    assert_eq!(found.items, [one]);
}
