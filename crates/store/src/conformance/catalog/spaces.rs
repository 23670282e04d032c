//! Spaces.

use std::collections::HashSet;
use std::sync::Arc;

use inlet_model::SpaceId;
use inlet_model::sync::SyncStatus;
use tokio::task::JoinSet;

use super::given::{Given, after, first};
use crate::catalog::{Catalog, ConnectorFilter, DeleteEffect, Effect, NameFilter, Space, TaskKind};

/// A new catalog has a default space with a default collection.
pub async fn a_new_catalog_has_a_default_space_with_a_default_collection(catalog: Arc<dyn Catalog>) {
    let spaces = catalog.space_list(NameFilter::default(), first(10)).await.unwrap();
    assert_eq!(spaces.items.iter().map(|space| space.id.as_str()).collect::<Vec<_>>(), ["default"]);
    assert_eq!(spaces.next, None);
    let space = "default".parse().unwrap();
    let collections =
        catalog.collection_list(&space, NameFilter::default(), first(10)).await.unwrap().unwrap();
    assert_eq!(collections.items.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), ["default"]);
    assert_eq!(catalog.collection_stores().await.unwrap(), [collections.items[0].store_id]);
}

/// A space is stored as it was given.
pub async fn a_space_is_stored_as_it_was_given(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    assert_eq!(given.catalog.space_get(&space.id).await.unwrap(), Some(space.clone()));
    assert_eq!(given.catalog.space_list(NameFilter::default(), first(1)).await.unwrap().items, [space]);
}

/// An unknown space is `None`.
pub async fn an_unknown_space_is_none(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    assert_eq!(given.catalog.space_get(&given.a_space().id).await.unwrap(), None);
}

/// A taken id is a conflict that shows who has it, and changes nothing.
pub async fn a_taken_id_is_a_conflict_that_shows_who_has_it(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let second = Space { id: space.id.clone(), ..given.a_space() };
    let effect = given.catalog.space_create(second, None).await.unwrap();
    assert_eq!(effect, Effect::Conflict(space.clone()));
    assert_eq!(given.catalog.space_get(&space.id).await.unwrap(), Some(space));
}

/// The order of the list is by time, newest first, and for the same time by id, greatest first.
pub async fn spaces_are_listed_newest_first_then_greatest_id_first(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let now = given.now();
    for (id, created_at) in [("m", now), ("a", given.now()), ("z", now), ("b", now)] {
        let space = Space { id: id.parse().unwrap(), created_at, ..given.a_space() };
        assert_eq!(given.catalog.space_create(space, None).await.unwrap(), Effect::Done);
    }
    let mut seen = Vec::new();
    let mut query = first(1);
    loop {
        let page = given.catalog.space_list(NameFilter::default(), query).await.unwrap();
        seen.extend(page.items.iter().map(|space| space.id.to_string()));
        let Some(next) = page.next else { break };
        query = after(next, 1);
    }
    assert_eq!(seen, ["a", "z", "m", "b", "default"]);
}

/// The last page has no next, not even if it is full.
pub async fn the_last_page_has_no_next(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for _ in 0..3 {
        given.stored_space().await;
    }
    for (limit, more) in [(3, true), (4, false), (5, false)] {
        let page = given.catalog.space_list(NameFilter::default(), first(limit)).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (limit.min(4), more));
    }
    let page = given.catalog.space_list(NameFilter::default(), first(2)).await.unwrap();
    let page = given.catalog.space_list(NameFilter::default(), after(page.next.unwrap(), 2)).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
}

/// Paging skips and repeats nothing while spaces are added.
pub async fn paging_skips_and_repeats_nothing_while_spaces_are_added(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let mut expected = vec!["default".to_owned()];
    for _ in 0..6 {
        expected.push(given.stored_space().await.id.to_string());
    }
    expected.reverse();
    let mut seen = Vec::new();
    let mut query = first(2);
    loop {
        let page = given.catalog.space_list(NameFilter::default(), query).await.unwrap();
        seen.extend(page.items.iter().map(|space| space.id.to_string()));
        given.stored_space().await;
        let Some(next) = page.next else { break };
        query = after(next, 2);
    }
    assert_eq!(seen, expected);
}

/// An empty space is deleted.
pub async fn an_empty_space_is_deleted(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let effect = given.catalog.space_delete(&space.id, false, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::Deleted);
    assert_eq!(given.catalog.space_get(&space.id).await.unwrap(), None);
    assert_eq!(given.catalog.task_list(10).await.unwrap(), []);
}

/// A space that holds a collection, even an empty one, goes only with `cascade`.
pub async fn a_space_with_a_collection_goes_only_with_cascade(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let id = &collection.space_id;
    let effect = given.catalog.space_delete(id, false, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::NotEmpty);
    assert!(given.catalog.space_get(id).await.unwrap().is_some());
    assert_eq!(given.catalog.collection_get(id, &collection.id).await.unwrap(), Some(collection.clone()));
    assert_eq!(given.catalog.task_list(10).await.unwrap(), []);
    let effect = given.catalog.space_delete(id, true, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::Deleted);
    assert_eq!(given.catalog.space_get(id).await.unwrap(), None);
}

/// A cascade takes all that a space holds: its collections and their connectors are gone, their syncs are wanted
/// cancelled, and removing each store is queued. Another space is left alone.
pub async fn a_cascade_takes_all_a_space_holds(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let bystander = given.stored_connector().await;
    let one = given.stored_collection().await;
    let two = given.stored_collection_in(&one.space_id).await;
    let running = given.running_sync(&given.stored_connector_in(&one).await).await.sync;
    let queued = given.queued_sync(&given.stored_connector_in(&two).await).await;
    let effect = given.catalog.space_delete(&one.space_id, true, given.now()).await.unwrap();
    assert_eq!(effect, DeleteEffect::Deleted);

    for (collection, sync) in [(&one, &running), (&two, &queued)] {
        let (space_id, id) = (&collection.space_id, &collection.id);
        assert_eq!(given.catalog.collection_get(space_id, id).await.unwrap(), None);
        assert_eq!(
            given.catalog.connector_list(space_id, id, ConnectorFilter::default(), first(9)).await.unwrap(),
            None
        );
        let found = given.catalog.connector_get(space_id, id, sync.connector_id).await.unwrap();
        assert_eq!(found, None);
    }
    assert_eq!(
        given.catalog.collection_list(&one.space_id, NameFilter::default(), first(9)).await.unwrap(),
        None
    );
    assert_eq!(given.sync(&running).await.status, SyncStatus::Cancelling);
    assert_eq!(given.sync(&queued).await.status, SyncStatus::Cancelled);
    let tasks = given.catalog.task_list(10).await.unwrap();
    let removed = tasks.iter().map(|task| match task.kind {
        TaskKind::RemoveStore { store_id } => store_id,
        TaskKind::CloseConnector { .. } => panic!("a store that goes needs no closing"),
    });
    assert_eq!(removed.collect::<HashSet<_>>(), HashSet::from([one.store_id, two.store_id]));
    assert!(given.catalog.collection_stores().await.unwrap().contains(&bystander.store_id));
}

/// A space gets another name; its id and its time of creation stay.
pub async fn a_space_gets_another_name_and_nothing_else(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (space, other) = (given.stored_space().await, given.stored_space().await);
    let now = given.now();
    let renamed = given.catalog.space_rename(&space.id, "Another ‘name’", now).await.unwrap();
    let expected = Space { name: "Another ‘name’".to_owned(), updated_at: now, ..space.clone() };
    assert_eq!(renamed, Some(expected.clone()));
    assert_eq!(given.catalog.space_get(&space.id).await.unwrap(), Some(expected));
    assert_eq!(given.catalog.space_get(&other.id).await.unwrap(), Some(other));
    let unknown = given.a_space().id;
    assert_eq!(given.catalog.space_rename(&unknown, "Nobody", given.now()).await.unwrap(), None);
}

/// To give a space or a collection the name that it has changes nothing, not even when it was last changed.
pub async fn the_name_that_a_space_has_changes_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let same = given.catalog.space_rename(&space.id, &space.name, given.now()).await.unwrap();
    assert_eq!(same, Some(space.clone()));
    let collection = given.stored_collection_in(&space.id).await;
    let renaming = given.catalog.collection_rename(&space.id, &collection.id, &collection.name, given.now());
    assert_eq!(renaming.await.unwrap(), Some(collection));
}

/// A delete says when there is no such space.
pub async fn an_unknown_space_is_absent_to_a_delete(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for cascade in [false, true] {
        let effect = given.catalog.space_delete(&given.a_space().id, cascade, given.now()).await.unwrap();
        assert_eq!(effect, DeleteEffect::Absent);
    }
}

/// A deleted id can be used again, and shows nothing of what had it.
pub async fn a_deleted_id_can_be_used_again(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let id = given.stored_collection().await.space_id;
    given.catalog.space_delete(&id, true, given.now()).await.unwrap();
    let again = Space { id: id.clone(), ..given.a_space() };
    assert_eq!(given.catalog.space_create(again.clone(), None).await.unwrap(), Effect::Done);
    assert_eq!(given.catalog.space_get(&id).await.unwrap(), Some(again));
    assert_eq!(
        given.catalog.collection_list(&id, NameFilter::default(), first(9)).await.unwrap().unwrap().items,
        []
    );
}

/// Of a hundred parallel creates of one id one wins, and all others are told who.
pub async fn of_a_hundred_parallel_creates_of_one_id_one_wins(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let id: SpaceId = "contested".parse().unwrap();
    let mut creates = JoinSet::new();
    for _ in 0..100 {
        let space = Space { id: id.clone(), ..given.a_space() };
        let catalog = Arc::clone(&given.catalog);
        creates.spawn(async move { (space.clone(), catalog.space_create(space, None).await.unwrap()) });
    }
    let (won, lost): (Vec<_>, Vec<_>) =
        creates.join_all().await.into_iter().partition(|(_, effect)| *effect == Effect::Done);
    assert_eq!((won.len(), lost.len()), (1, 99));
    let winner = given.catalog.space_get(&id).await.unwrap().unwrap();
    assert_eq!(won[0].0, winner);
    assert!(lost.into_iter().all(|(_, effect)| effect == Effect::Conflict(winner.clone())));
}
