//! Connectors.

use std::sync::Arc;

use inlet_model::schedule::Schedule;
use inlet_model::secret::SealedConfig;
use inlet_model::sync::SyncStatus;
use serde_json::json;
use tokio::task::JoinSet;

use super::given::{Given, after, first, sealed};
use crate::catalog::{
    Catalog, Collection, Connector, ConnectorDeleteEffect, ConnectorFilter, ConnectorStatus,
    DeletedConnector, Effect, ExpectedVersion, PurgeId, Remains, Task, TaskKind, UpdateEffect,
};

async fn stored(given: &Given, connector: &Connector) -> Option<Connector> {
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    given.catalog.connector_get(space_id, collection_id, connector.id).await.unwrap()
}

async fn delete(given: &Given, connector: &Connector) -> Option<DeletedConnector> {
    delete_if(given, connector, ExpectedVersion::Any).await.deleted()
}

async fn delete_if(given: &Given, connector: &Connector, expected: ExpectedVersion) -> ConnectorDeleteEffect {
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    given
        .catalog
        .connector_delete(space_id, collection_id, connector.id, expected, Remains::Kept, given.now())
        .await
        .unwrap()
}

/// A connector is stored as it was given, with and without selected streams.
pub async fn a_connector_is_stored_as_it_was_given(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let chosen = given.stored_connector_in(&collection).await;
    assert!(chosen.streams.is_some());
    let all = Connector { streams: None, status: ConnectorStatus::Paused, ..given.a_connector(&collection) };
    assert_eq!(given.catalog.connector_create(all.clone(), None).await.unwrap(), Effect::Done);
    assert_eq!(stored(&given, &chosen).await, Some(chosen.clone()));
    assert_eq!(stored(&given, &all).await, Some(all.clone()));
    let page = given
        .catalog
        .connector_list(&collection.space_id, &collection.id, ConnectorFilter::default(), first(9))
        .await
        .unwrap();
    assert_eq!(page.unwrap().items, [all, chosen]);
}

/// A connector is found only in its collection.
pub async fn a_connector_is_found_only_in_its_collection(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let beside = given.stored_collection_in(&connector.space_id).await;
    let elsewhere = given.stored_collection().await;
    for place in [beside, elsewhere] {
        let found = given.catalog.connector_get(&place.space_id, &place.id, connector.id).await.unwrap();
        assert_eq!(found, None);
    }
    assert_eq!(stored(&given, &given.a_connector(&given.stored_collection().await)).await, None);
}

/// A connector needs its collection, the very one: not one that was made again under the same id.
pub async fn a_connector_needs_the_very_collection(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let never_made = given.a_connector(&given.a_collection(&space.id));
    assert_eq!(given.catalog.connector_create(never_made, None).await.unwrap(), Effect::Conflict(()));

    let old = given.stored_collection_in(&space.id).await;
    given.catalog.collection_delete(&space.id, &old.id, false, false, given.now()).await.unwrap();
    let late = given.a_connector(&old);
    assert_eq!(given.catalog.connector_create(late.clone(), None).await.unwrap(), Effect::Conflict(()));
    let again = Collection { id: old.id.clone(), ..given.a_collection(&space.id) };
    given.catalog.collection_create(again.clone(), None).await.unwrap();
    assert_eq!(given.catalog.connector_create(late, None).await.unwrap(), Effect::Conflict(()));
    let page = given
        .catalog
        .connector_list(&space.id, &again.id, ConnectorFilter::default(), first(9))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page.items, []);
}

/// A list has only what is in its collection; it is empty when nothing is, and `None` without a collection.
pub async fn only_connectors_of_the_collection_are_listed(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let empty = given.stored_collection_in(&connector.space_id).await;
    let page = given
        .catalog
        .connector_list(&empty.space_id, &empty.id, ConnectorFilter::default(), first(9))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((page.items, page.next), (Vec::new(), None));
    let nowhere = given.a_collection(&connector.space_id);
    let page = given
        .catalog
        .connector_list(&nowhere.space_id, &nowhere.id, ConnectorFilter::default(), first(9))
        .await
        .unwrap();
    assert_eq!(page, None);
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    let page = given
        .catalog
        .connector_list(space_id, collection_id, ConnectorFilter::default(), first(9))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page.items, [connector]);
}

/// Paging skips and repeats nothing while connectors come and go.
pub async fn paging_skips_and_repeats_nothing_while_connectors_come_and_go(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let mut expected = Vec::new();
    for _ in 0..9 {
        expected.push(given.stored_connector_in(&collection).await);
    }
    expected.reverse();
    let mut seen = Vec::new();
    let mut query = first(2);
    loop {
        let page = given
            .catalog
            .connector_list(&collection.space_id, &collection.id, ConnectorFilter::default(), query)
            .await
            .unwrap();
        let page = page.unwrap();
        seen.extend(page.items);
        // One more in front; and what was just seen last goes, though the next page starts behind it.
        given.stored_connector_in(&collection).await;
        delete(&given, seen.last().unwrap()).await;
        let Some(next) = page.next else { break };
        query = after(next, 2);
    }
    assert_eq!(seen, expected);
}

/// An update replaces name, config, secrets, streams, schedule and status, and counts the version up.
pub async fn an_update_replaces_the_settings_and_counts_the_version_up(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let first = given.stored_connector().await;
    let wanted = Connector {
        name: "Another".to_owned(),
        config: SealedConfig::new(
            json!({"path": "/elsewhere"}),
            [("/password".to_owned(), sealed(1))].into(),
        ),
        streams: None,
        schedule: Schedule::Every("90m".parse().unwrap()),
        status: ConnectorStatus::Paused,
        updated_at: given.now(),
        ..first
    };
    let expected = Connector { version: 2, ..wanted.clone() };
    let effect = given.catalog.connector_update(wanted).await.unwrap();
    assert_eq!(effect, UpdateEffect::Updated(expected.clone()));
    assert_eq!(stored(&given, &expected).await, Some(expected.clone()));
    let effect = given.catalog.connector_update(expected.clone()).await.unwrap();
    assert_eq!(effect, UpdateEffect::Updated(Connector { version: 3, ..expected }));
}

/// An update leaves what cannot change: kind, store and time of creation.
pub async fn an_update_leaves_what_cannot_change(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let wanted = Connector {
        kind: "postgres".to_owned(),
        store_id: given.a_collection(&connector.space_id).store_id,
        created_at: given.now(),
        ..connector.clone()
    };
    let effect = given.catalog.connector_update(wanted).await.unwrap();
    let expected = Connector { version: 2, ..connector };
    assert_eq!(effect, UpdateEffect::Updated(expected.clone()));
    assert_eq!(stored(&given, &expected).await, Some(expected));
}

/// An update of another version changes nothing, and shows how the connector stands.
pub async fn an_update_of_another_version_changes_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    given.catalog.connector_update(connector.clone()).await.unwrap();
    let standing = Connector { version: 2, ..connector.clone() };
    for version in [1, 3] {
        let wanted = Connector { version, name: "Lost".to_owned(), ..connector.clone() };
        let effect = given.catalog.connector_update(wanted).await.unwrap();
        assert_eq!(effect, UpdateEffect::Stale(standing.clone()));
    }
    assert_eq!(stored(&given, &standing).await, Some(standing));
}

/// Of parallel updates of one version one wins.
pub async fn of_parallel_updates_of_one_version_one_wins(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let mut updates = JoinSet::new();
    for number in 0..20 {
        let wanted = Connector { name: format!("Update {number}"), ..connector.clone() };
        let catalog = Arc::clone(&given.catalog);
        updates.spawn(async move { catalog.connector_update(wanted).await.unwrap() });
    }
    let effects = updates.join_all().await;
    let standing = stored(&given, &connector).await.unwrap();
    assert_eq!(standing.version, 2);
    let count = |wanted: UpdateEffect<Connector>| effects.iter().filter(|effect| **effect == wanted).count();
    assert_eq!(count(UpdateEffect::Updated(standing.clone())), 1);
    assert_eq!(count(UpdateEffect::Stale(standing)), 19);
}

/// An update says when there is no such connector, in that collection.
pub async fn an_unknown_connector_is_absent_to_an_update(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let beside = given.stored_collection_in(&connector.space_id).await;
    let misplaced = Connector { collection_id: beside.id.clone(), ..connector.clone() };
    for unknown in [given.a_connector(&beside), misplaced] {
        let effect = given.catalog.connector_update(unknown).await.unwrap();
        assert_eq!(effect, UpdateEffect::Absent);
    }
    assert_eq!(stored(&given, &connector).await, Some(connector));
}

/// A deleted connector is hidden for good: not got, not listed, not updated, not deleted again.
pub async fn a_deleted_connector_is_hidden_for_good(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    assert!(delete(&given, &connector).await.is_some());
    assert_eq!(stored(&given, &connector).await, None);
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    let page = given
        .catalog
        .connector_list(space_id, collection_id, ConnectorFilter::default(), first(9))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page.items, []);
    let effect = given.catalog.connector_update(connector.clone()).await.unwrap();
    assert_eq!(effect, UpdateEffect::Absent);
    assert_eq!(delete(&given, &connector).await, None);
}

/// Deleting a connector queues closing it in its store, and returns that task.
pub async fn deleting_a_connector_queues_closing_it(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let deleted = delete(&given, &connector).await.unwrap();
    let kind = TaskKind::CloseConnector { store_id: connector.store_id, connector_id: connector.id };
    assert_eq!(deleted.task.kind, kind);
    assert_eq!((deleted.cancelling, deleted.cancelled), (None, None));
    assert_eq!(given.catalog.task_list(9).await.unwrap(), [deleted.task]);
    assert_eq!(given.catalog.purge_list(PurgeId(0), 9).await.unwrap(), []);
}

/// Deleting a connector whose records are not to stay queues their purge in the same transaction.
pub async fn deleting_a_connector_with_its_records_queues_their_purge(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    let deleting = given.catalog.connector_delete(
        space_id,
        collection_id,
        connector.id,
        ExpectedVersion::Any,
        Remains::Purged,
        given.now(),
    );
    let deleted = deleting.await.unwrap().deleted().unwrap();
    assert_eq!(given.catalog.task_list(9).await.unwrap(), [deleted.task]);
    let purges = given.catalog.purge_list(PurgeId(0), 9).await.unwrap();
    assert_eq!(purges.len(), 1);
    assert_eq!((purges[0].store_id, purges[0].connector_id), (connector.store_id, connector.id));
    assert_eq!(purges[0].stream, None);
}

/// Deleting a connector cancels its queued sync at once.
pub async fn deleting_a_connector_cancels_its_queued_sync(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let queued = given.queued_sync(&connector).await;
    let deleted = delete(&given, &connector).await.unwrap();
    assert_eq!((deleted.cancelling, deleted.cancelled), (None, Some(queued.id)));
    let sync = given.sync(&queued).await;
    assert_eq!(sync.status, SyncStatus::Cancelled);
    assert!(sync.finished_at.is_some());
    assert_eq!(given.claim().await, None);
}

/// Deleting a connector wants its running sync cancelled; the worker that holds it ends it.
pub async fn deleting_a_connector_wants_its_running_sync_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claim = given.running_sync(&connector).await;
    let deleted = delete(&given, &connector).await.unwrap();
    assert_eq!((deleted.cancelling, deleted.cancelled), (Some(claim.sync.id), None));
    assert_eq!(given.sync(&claim.sync).await.status, SyncStatus::Cancelling);
    let run = given.a_run(&claim, inlet_model::sync::Outcome::Cancelled);
    given.catalog.sync_finish(&run).await.unwrap();
    assert_eq!(given.sync(&claim.sync).await.status, SyncStatus::Cancelled);
}

/// A connector is deleted only in its collection.
pub async fn a_connector_is_deleted_only_in_its_collection(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let beside = given.stored_collection_in(&connector.space_id).await;
    let misplaced = Connector { collection_id: beside.id, ..connector.clone() };
    assert_eq!(delete(&given, &misplaced).await, None);
    assert_eq!(stored(&given, &connector).await, Some(connector));
    assert_eq!(given.catalog.task_list(9).await.unwrap(), []);
}

/// A connector in another version than was expected is not deleted, nor anything of it changed.
pub async fn a_connector_of_another_version_is_not_deleted(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let queued = given.queued_sync(&connector).await;
    given.catalog.connector_update(connector.clone()).await.unwrap();
    let standing = Connector { version: 2, ..connector };
    for expected in [vec![], vec![1], vec![1, 3]] {
        let effect = delete_if(&given, &standing, ExpectedVersion::OneOf(expected)).await;
        assert_eq!(effect, ConnectorDeleteEffect::Stale { version: 2 });
    }
    assert_eq!(stored(&given, &standing).await, Some(standing.clone()));
    assert_eq!(given.sync(&queued).await, queued);
    assert_eq!(given.catalog.task_list(9).await.unwrap(), []);
    let effect = delete_if(&given, &standing, ExpectedVersion::OneOf(vec![7, 2])).await;
    assert!(effect.deleted().is_some());
    let effect = delete_if(&given, &standing, ExpectedVersion::OneOf(vec![7])).await;
    assert_eq!(effect, ConnectorDeleteEffect::Absent);
}

/// Of an update and a delete of one version in parallel one takes effect.
pub async fn of_an_update_and_a_delete_of_one_version_one_takes_effect(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for _ in 0..20 {
        let connector = given.stored_connector().await;
        let (updated, deleted) = tokio::join!(
            given.catalog.connector_update(connector.clone()),
            delete_if(&given, &connector, ExpectedVersion::OneOf(vec![connector.version])),
        );
        match (updated.unwrap(), deleted) {
            (UpdateEffect::Updated(standing), ConnectorDeleteEffect::Stale { version: 2 }) => {
                assert_eq!(stored(&given, &connector).await, Some(standing));
            }
            (UpdateEffect::Absent, ConnectorDeleteEffect::Deleted(_)) => {}
            both => panic!("{both:?}"),
        }
    }
}

/// Of parallel deletes one gets the task, and there is only that one.
pub async fn of_parallel_deletes_one_gets_the_task(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let mut deletes = JoinSet::new();
    for _ in 0..20 {
        let (catalog, connector, now) = (Arc::clone(&given.catalog), connector.clone(), given.now());
        deletes.spawn(async move {
            let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
            let deleting = catalog.connector_delete(
                space_id,
                collection_id,
                connector.id,
                ExpectedVersion::Any,
                Remains::Kept,
                now,
            );
            deleting.await.unwrap().deleted()
        });
    }
    let deleted = deletes.join_all().await.into_iter().flatten();
    let tasks: Vec<Task> = deleted.map(|deleted| deleted.task).collect();
    assert_eq!(tasks.len(), 1);
    assert_eq!(given.catalog.task_list(9).await.unwrap(), tasks);
}
