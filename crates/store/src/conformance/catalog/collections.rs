//! Collections.

use std::collections::HashSet;
use std::sync::Arc;

use inlet_model::sync::SyncStatus;

use super::given::{Given, after, first};
use crate::catalog::{
    Catalog, Collection, ConnectorFilter, DeleteEffect, Effect, ExpectedVersion, NameFilter, OnConflict,
    Remains, TaskKind,
};

/// A collection is stored as it was given.
pub async fn a_collection_is_stored_as_it_was_given(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let found = given.catalog.collection_get(&collection.space_id, &collection.id).await.unwrap();
    assert_eq!(found, Some(collection.clone()));
    let page =
        given.catalog.collection_list(&collection.space_id, NameFilter::default(), first(9)).await.unwrap();
    assert_eq!(page.unwrap().items, [collection]);
}

/// An unknown collection is `None`, in a space that is there and in one that is not.
pub async fn an_unknown_collection_is_none(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    for space_id in [&space.id, &given.a_space().id] {
        let id = given.a_collection(space_id).id;
        assert_eq!(given.catalog.collection_get(space_id, &id).await.unwrap(), None);
    }
}

/// Two spaces may have a collection of one id; within a space the second is told who has it.
pub async fn an_id_is_taken_only_within_its_space(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let one = given.stored_collection().await;
    let elsewhere = given.stored_space().await;
    let two = Collection { id: one.id.clone(), ..given.a_collection(&elsewhere.id) };
    assert_eq!(given.catalog.collection_create(two.clone(), None).await.unwrap(), Effect::Done);
    let three = Collection { id: one.id.clone(), ..given.a_collection(&one.space_id) };
    let effect = given.catalog.collection_create(three, None).await.unwrap();
    assert_eq!(effect, Effect::Conflict(Some(one.clone())));
    for stored in [one, two] {
        let found = given.catalog.collection_get(&stored.space_id, &stored.id).await.unwrap();
        assert_eq!(found, Some(stored));
    }
}

/// A collection needs a space; without it nothing is made, and the list is `None`.
pub async fn a_collection_needs_a_space(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let nowhere = given.a_space().id;
    let effect = given.catalog.collection_create(given.a_collection(&nowhere), None).await.unwrap();
    assert_eq!(effect, Effect::Conflict(None));
    assert_eq!(given.catalog.collection_list(&nowhere, NameFilter::default(), first(9)).await.unwrap(), None);
}

/// A list has only what is in its space, and is empty, not `None`, when nothing is.
pub async fn only_collections_of_the_space_are_listed(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    given.stored_collection().await;
    let space = given.stored_space().await;
    let empty =
        given.catalog.collection_list(&space.id, NameFilter::default(), first(9)).await.unwrap().unwrap();
    assert_eq!((empty.items, empty.next), (Vec::new(), None));
    let collection = given.stored_collection_in(&space.id).await;
    let page =
        given.catalog.collection_list(&space.id, NameFilter::default(), first(9)).await.unwrap().unwrap();
    assert_eq!(page.items, [collection]);
}

/// Paging skips and repeats nothing while collections are added.
pub async fn paging_skips_and_repeats_nothing_while_collections_are_added(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(given.stored_collection_in(&space.id).await);
    }
    expected.reverse();
    let mut seen = Vec::new();
    let mut query = first(3);
    loop {
        let page =
            given.catalog.collection_list(&space.id, NameFilter::default(), query).await.unwrap().unwrap();
        seen.extend(page.items);
        given.stored_collection_in(&space.id).await;
        let Some(next) = page.next else { break };
        query = after(next, 3);
    }
    assert_eq!(seen, expected);
}

/// A collection that has a connector goes only with `cascade`.
pub async fn a_collection_with_a_connector_goes_only_with_cascade(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let (space_id, id) = (&connector.space_id, &connector.collection_id);
    let effect = given.catalog.collection_delete(space_id, id, false, false, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::NotEmpty);
    let found = given.catalog.connector_get(space_id, id, connector.id).await.unwrap();
    assert_eq!(found, Some(connector.clone()));
    assert_eq!(given.catalog.task_list(9).await.unwrap(), []);

    let effect = given.catalog.collection_delete(space_id, id, true, false, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::Deleted);
    assert_eq!(given.catalog.collection_get(space_id, id).await.unwrap(), None);
    assert_eq!(given.catalog.connector_get(space_id, id, connector.id).await.unwrap(), None);
    assert_eq!(
        given.catalog.connector_list(space_id, id, ConnectorFilter::default(), first(9)).await.unwrap(),
        None
    );
}

/// A collection of which the caller knows that it has records goes only with `cascade`.
pub async fn a_collection_with_records_goes_only_with_cascade(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let (space_id, id) = (&collection.space_id, &collection.id);
    let effect = given.catalog.collection_delete(space_id, id, false, true, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::NotEmpty);
    assert!(given.catalog.collection_get(space_id, id).await.unwrap().is_some());
    let effect = given.catalog.collection_delete(space_id, id, true, true, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::Deleted);
    assert_eq!(given.catalog.collection_get(space_id, id).await.unwrap(), None);
}

/// An empty collection goes without `cascade`, also if it had connectors that were deleted; removing its store is queued.
pub async fn an_empty_collection_goes_without_cascade(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let (space_id, id) = (&connector.space_id, &connector.collection_id);
    given
        .catalog
        .connector_delete(space_id, id, connector.id, ExpectedVersion::Any, Remains::Kept, given.now())
        .await
        .unwrap();
    let effect = given.catalog.collection_delete(space_id, id, false, false, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::Deleted);
    let tasks = given.catalog.task_list(9).await.unwrap();
    let removal = TaskKind::RemoveStore { store_id: connector.store_id };
    assert_eq!(tasks.last().map(|task| task.kind), Some(removal));
}

/// A cascade cancels what its connectors have not ended, and leaves what has ended and what is elsewhere.
pub async fn a_cascade_cancels_what_its_connectors_have_not_ended(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let one = given.stored_connector_in(&collection).await;
    let ended = given.finished_sync(&one, inlet_model::sync::Outcome::Succeeded).await;
    let running = given.running_sync(&one).await.sync;
    let two = given.stored_connector_in(&collection).await;
    let queued = given.queued_sync(&two).await;
    let bystander = given.queued_sync(&given.stored_connector().await).await;
    let now = given.now();
    given.catalog.collection_delete(&collection.space_id, &collection.id, true, true, now).await.unwrap();

    assert_eq!(given.sync(&ended).await, ended);
    assert_eq!(given.sync(&running).await.status, SyncStatus::Cancelling);
    let queued = given.sync(&queued).await;
    assert_eq!((queued.status, queued.finished_at), (SyncStatus::Cancelled, Some(now)));
    assert_eq!(given.sync(&bystander).await, bystander);
    let tasks = given.catalog.task_list(9).await.unwrap();
    let removal = TaskKind::RemoveStore { store_id: collection.store_id };
    assert_eq!(tasks.iter().map(|task| task.kind).collect::<Vec<_>>(), [removal]);
}

/// A collection gets another name; its store and its namesakes in other spaces stay.
pub async fn a_collection_gets_another_name_and_nothing_else(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let other_space = given.stored_space().await;
    let namesake = Collection {
        space_id: other_space.id.clone(),
        id: collection.id.clone(),
        ..given.a_collection(&other_space.id)
    };
    given.catalog.collection_create(namesake.clone(), None).await.unwrap();
    let (space_id, id, now) = (&collection.space_id, &collection.id, given.now());
    let renamed = given.catalog.collection_rename(space_id, id, "Another", now).await.unwrap();
    let expected = Collection { name: "Another".to_owned(), updated_at: now, ..collection.clone() };
    assert_eq!(renamed, Some(expected.clone()));
    assert_eq!(given.catalog.collection_get(space_id, id).await.unwrap(), Some(expected));
    let found = given.catalog.collection_get(&other_space.id, id).await.unwrap();
    assert_eq!(found, Some(namesake));
    let unknown = given.a_collection(space_id).id;
    assert_eq!(given.catalog.collection_rename(space_id, &unknown, "N", given.now()).await.unwrap(), None);
}

/// A delete says when there is no such collection.
pub async fn an_unknown_collection_is_absent_to_a_delete(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    for space_id in [&space.id, &given.a_space().id] {
        let id = given.a_collection(space_id).id;
        let effect = given.catalog.collection_delete(space_id, &id, true, true, given.now()).await.unwrap();
        assert_eq!(effect, DeleteEffect::Absent);
    }
}

/// A collection made again under the same id shows nothing of the old one.
pub async fn a_collection_made_again_shows_nothing_of_the_old_one(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let old = given.stored_connector().await;
    let (space_id, id) = (&old.space_id, &old.collection_id);
    given.catalog.collection_delete(space_id, id, true, true, given.now()).await.unwrap();
    let new = Collection { id: id.clone(), ..given.a_collection(space_id) };
    assert_eq!(given.catalog.collection_create(new.clone(), None).await.unwrap(), Effect::Done);
    assert_eq!(given.catalog.collection_get(space_id, id).await.unwrap(), Some(new));
    assert_eq!(
        given
            .catalog
            .connector_list(space_id, id, ConnectorFilter::default(), first(9))
            .await
            .unwrap()
            .unwrap()
            .items,
        []
    );
    assert_eq!(given.catalog.connector_get(space_id, id, old.id).await.unwrap(), None);
    let effect = given.catalog.sync_trigger(given.a_sync(&old), OnConflict::Reject, None).await.unwrap();
    assert_eq!(effect, Effect::Conflict(None));
}

/// The stores are those of the collections that are there.
pub async fn the_stores_are_those_of_the_collections_there_are(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let started: HashSet<_> = given.catalog.collection_stores().await.unwrap().into_iter().collect();
    let kept = given.stored_collection().await;
    let gone = given.stored_collection_in(&kept.space_id).await;
    given.catalog.collection_delete(&gone.space_id, &gone.id, false, false, given.now()).await.unwrap();
    let stores: HashSet<_> = given.catalog.collection_stores().await.unwrap().into_iter().collect();
    assert_eq!(&stores - &started, HashSet::from([kept.store_id]));
    assert!(stores.is_superset(&started));
}
