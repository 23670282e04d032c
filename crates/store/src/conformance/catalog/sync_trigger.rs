//! Asking for a sync.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncMode, SyncStatus, SyncTrigger};
use tokio::task::JoinSet;

use super::given::{Given, first};
use crate::StoreErrorKind;
use crate::catalog::{
    Catalog, Connector, ConnectorStatus, Effect, ExpectedVersion, OnConflict, Remains, Sync, SyncFilter,
};

/// A triggered sync is queued as it was given.
pub async fn a_triggered_sync_is_queued_as_it_was_given(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for (trigger, mode) in [
        (SyncTrigger::Api, SyncMode::Incremental),
        (SyncTrigger::Cli, SyncMode::FullRefresh),
        (SyncTrigger::Schedule, SyncMode::Incremental),
    ] {
        let connector = given.stored_connector().await;
        let sync = Sync { trigger, mode, ..given.a_sync(&connector) };
        assert_eq!(
            given.catalog.sync_trigger(sync.clone(), OnConflict::Reject, None).await.unwrap(),
            Effect::Done
        );
        assert_eq!(given.sync(&sync).await, sync);
        assert_eq!(
            given.catalog.sync_list(connector.id, SyncFilter::default(), first(9)).await.unwrap().items,
            [sync]
        );
    }
}

/// A sync that has not ended, in any of its states, is the conflict; nothing is queued.
pub async fn a_sync_that_has_not_ended_is_the_conflict(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let cancelling = given.cancelling_sync(&given.stored_connector().await).await.sync;
    let running = given.running_sync(&given.stored_connector().await).await.sync;
    let queued = given.queued_sync(&given.stored_connector().await).await;
    for in_the_way in [queued, running, cancelling] {
        let refused = Sync { id: given.a_sync(&given.stored_connector().await).id, ..in_the_way.clone() };
        let refused = Sync { status: SyncStatus::Queued, ..refused };
        let effect = given.catalog.sync_trigger(refused.clone(), OnConflict::Reject, None).await.unwrap();
        assert_eq!(effect, Effect::Conflict(Some(in_the_way)));
        assert_eq!(given.catalog.sync_get(refused.connector_id, refused.id).await.unwrap(), None);
    }
}

/// One sync waits behind the active one; a second is in the way of the third.
pub async fn one_sync_waits_behind_the_active_one(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let running = given.running_sync(&connector).await.sync;
    let (second, third) = (given.a_sync(&connector), given.a_sync(&connector));
    let queue = |sync: &Sync| given.catalog.sync_trigger(sync.clone(), OnConflict::Queue, None);
    assert_eq!(queue(&second).await.unwrap(), Effect::Done);
    assert_eq!(queue(&third).await.unwrap(), Effect::Conflict(Some(second.clone())));
    assert_eq!(given.sync(&running).await, running);
    assert_eq!(given.sync(&second).await, second);
    assert_eq!(given.claim().await, None, "its connector is not free");
}

/// What takes the place of others cancels them: what is queued has ended, what is active is to end.
pub async fn what_takes_the_place_of_others_cancels_them(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let running = given.running_sync(&connector).await.sync;
    let [second, third, fourth] = [0; 3].map(|_| given.a_sync(&connector));
    given.catalog.sync_trigger(second.clone(), OnConflict::Queue, None).await.unwrap();
    for next in [&third, &fourth] {
        let effect = given.catalog.sync_trigger(next.clone(), OnConflict::Replace, None).await.unwrap();
        assert_eq!(effect, Effect::Done);
    }
    assert_eq!(given.sync(&running).await.status, SyncStatus::Cancelling);
    for cancelled in [second, third] {
        assert_eq!(given.sync(&cancelled).await.status, SyncStatus::Cancelled);
    }
    assert_eq!(given.sync(&fourth).await, fourth);
}

/// A trigger that was answered with a sync there was already is answered so again, and its key serves no other request.
pub async fn an_answer_with_a_sync_that_was_there_is_kept(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (request, other) = (given.idempotent(1, 1), given.idempotent(1, 2));
    assert_eq!(given.catalog.sync_found(request.clone()).await.unwrap(), Effect::Done);
    let again = given.catalog.sync_found(request.clone()).await.unwrap();
    assert_eq!(again, Effect::Replayed(request.answer));
    let connector = given.stored_connector().await;
    let trigger = given.catalog.sync_trigger(given.a_sync(&connector), OnConflict::Reject, Some(other));
    assert_eq!(trigger.await.unwrap(), Effect::Mismatch);
}

/// A sync that is queued is not begun while its connector is paused.
pub async fn a_queued_sync_waits_while_its_connector_is_paused(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let queued = given.queued_sync(&connector).await;
    let paused = Connector { status: ConnectorStatus::Paused, ..connector.clone() };
    given.catalog.connector_update(paused).await.unwrap();
    assert_eq!(given.claim().await, None);
    given.catalog.connector_update(Connector { version: 2, ..connector }).await.unwrap();
    assert_eq!(given.claim().await.unwrap().sync.id, queued.id);
}

/// A sync that has ended, however it did, is no conflict.
pub async fn a_sync_that_has_ended_is_no_conflict(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        given.finished_sync(&connector, outcome).await;
    }
    given.queued_sync(&connector).await;
}

/// Of a hundred parallel triggers one wins, and is named to all others.
pub async fn of_a_hundred_parallel_triggers_one_wins_and_is_named_to_all_others(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let mut triggers = JoinSet::new();
    for _ in 0..100 {
        let (catalog, sync) = (Arc::clone(&given.catalog), given.a_sync(&connector));
        triggers.spawn(async move { catalog.sync_trigger(sync, OnConflict::Reject, None).await.unwrap() });
    }
    let effects = triggers.join_all().await;
    let page = given.catalog.sync_list(connector.id, SyncFilter::default(), first(100)).await.unwrap();
    let [winner] = page.items.as_slice() else { panic!("{} syncs were queued", page.items.len()) };
    let named = Effect::Conflict(Some(winner.clone()));
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::Done).count(), 1);
    assert_eq!(effects.iter().filter(|effect| **effect == named).count(), 99);
}

/// Triggers of different connectors do not conflict.
pub async fn triggers_of_different_connectors_do_not_conflict(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    for _ in 0..3 {
        given.queued_sync(&given.stored_connector_in(&collection).await).await;
    }
}

/// A connector that was never made, was deleted, or is in another place cannot be triggered.
pub async fn a_connector_that_is_not_there_cannot_be_triggered(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let beside = given.stored_collection_in(&connector.space_id).await;
    let never_made = given.a_connector(&beside);
    let misplaced = Connector { collection_id: beside.id.clone(), ..connector.clone() };
    let deleted = given.stored_connector_in(&beside).await;
    given
        .catalog
        .connector_delete(
            &beside.space_id,
            &beside.id,
            deleted.id,
            ExpectedVersion::Any,
            Remains::Kept,
            given.now(),
        )
        .await
        .unwrap();
    for unknown in [never_made, misplaced, deleted] {
        let sync = given.a_sync(&unknown);
        let effect = given.catalog.sync_trigger(sync.clone(), OnConflict::Reject, None).await.unwrap();
        assert_eq!(effect, Effect::Conflict(None));
        assert_eq!(given.catalog.sync_get(sync.connector_id, sync.id).await.unwrap(), None);
    }
}

/// A paused connector cannot be triggered, until it is active again.
pub async fn a_paused_connector_cannot_be_triggered(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let paused = Connector { status: ConnectorStatus::Paused, ..connector.clone() };
    given.catalog.connector_update(paused).await.unwrap();
    let effect =
        given.catalog.sync_trigger(given.a_sync(&connector), OnConflict::Reject, None).await.unwrap();
    assert_eq!(effect, Effect::Conflict(None));
    let active = Connector { version: 2, ..connector.clone() };
    given.catalog.connector_update(active).await.unwrap();
    given.queued_sync(&connector).await;
}

/// A sync begins its life queued; any other is refused as a mistake of the caller.
pub async fn a_sync_begins_its_life_queued(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for status in SyncStatus::ALL.into_iter().filter(|status| *status != SyncStatus::Queued) {
        let sync = Sync { status, ..given.a_sync(&connector) };
        let refused = given.catalog.sync_trigger(sync, OnConflict::Reject, None).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Internal, "{status}");
    }
    assert_eq!(
        given.catalog.sync_list(connector.id, SyncFilter::default(), first(9)).await.unwrap().items,
        []
    );
}
