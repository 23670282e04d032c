//! Queued syncs whose connector is not free.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::schedule::Schedule;
use inlet_model::sync::{Outcome, SyncStatus};

use super::given::Given;
use crate::catalog::{Catalog, Connector, ConnectorStatus, Effect, OnConflict, Sync, UpdateEffect};

/// A sync that waits behind the one that is active.
async fn queued_behind(given: &Given, connector: &Connector) -> Sync {
    let sync = given.a_sync(connector);
    let queued = given.catalog.sync_trigger(sync.clone(), OnConflict::Queue, None).await.unwrap();
    assert_eq!(queued, Effect::Done);
    sync
}

async fn set_status(given: &Given, connector: &Connector, status: ConnectorStatus) -> Connector {
    match given.catalog.connector_update(Connector { status, ..connector.clone() }).await.unwrap() {
        UpdateEffect::Updated(updated) => updated,
        other => panic!("{other:?}"),
    }
}

/// Claims nothing until `free` has been done, then what was queued.
async fn is_claimed_after(given: &Given, queued: &Sync, free: impl Future<Output = ()>) {
    assert_eq!(given.claim().await, None);
    free.await;
    assert_eq!(given.claim().await.unwrap().sync.id, queued.id);
}

/// A sync that is queued behind another begins when that has ended, whichever way it did.
pub async fn it_begins_when_the_one_before_it_has_ended(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let given = &given;
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        let connector = given.stored_connector().await;
        let claim = given.running_sync(&connector).await;
        let queued = queued_behind(given, &connector).await;
        let run = given.a_run(&claim, outcome);
        is_claimed_after(given, &queued, async { given.catalog.sync_finish(&run).await.unwrap() }).await;
    }
    let connector = given.stored_connector().await;
    let claim = given.running_sync(&connector).await;
    let queued = queued_behind(given, &connector).await;
    is_claimed_after(given, &queued, async {
        let (id, fence) = (claim.sync.id, claim.fence);
        let (status, now) = (SyncStatus::Failed, given.now());
        assert!(given.catalog.sync_abandon(id, fence, status, None, now).await.unwrap());
    })
    .await;
    let connector = given.stored_connector().await;
    let claim = given.cancelling_sync(&connector).await;
    let queued = queued_behind(given, &connector).await;
    let run = given.a_run(&claim, Outcome::Cancelled);
    is_claimed_after(given, &queued, async {
        given.catalog.sync_give_up(&run, claim.fence).await.unwrap();
    })
    .await;
}

/// Nor is it held up by one that was cancelled while it waited or asked.
pub async fn it_begins_when_one_that_waited_or_asked_is_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for asks in [false, true] {
        let connector = given.stored_connector().await;
        let before = match asks {
            true => given.asking_sync(&connector).await,
            false => given.waiting_sync(&connector, Duration::from_secs(100_000)).await,
        };
        let queued = queued_behind(&given, &connector).await;
        assert_eq!(given.claim().await, None);
        given.catalog.sync_cancel(connector.id, Some(before.id), given.now()).await.unwrap();
        // What it had asked about is to be taken back first.
        for discard in given.catalog.discard_list(10).await.unwrap() {
            given.catalog.discard_done(discard.sync_id).await.unwrap();
        }
        assert_eq!(given.claim().await.unwrap().sync.id, queued.id);
    }
}

/// It needs both: a connector that is not paused, and no sync before it.
pub async fn it_needs_a_connector_that_is_free_and_not_paused(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for resumes_first in [false, true] {
        let connector = given.stored_connector().await;
        let claim = given.running_sync(&connector).await;
        let queued = queued_behind(&given, &connector).await;
        let paused = set_status(&given, &connector, ConnectorStatus::Paused).await;
        let run = given.a_run(&claim, Outcome::Succeeded);
        if resumes_first {
            set_status(&given, &paused, ConnectorStatus::Active).await;
            assert_eq!(given.claim().await, None);
            given.catalog.sync_finish(&run).await.unwrap();
        } else {
            given.catalog.sync_finish(&run).await.unwrap();
            assert_eq!(given.claim().await, None);
            set_status(&given, &paused, ConnectorStatus::Active).await;
        }
        assert_eq!(given.claim().await.unwrap().sync.id, queued.id);
    }
}

/// The failure that pauses a connector holds up what is queued, until the connector is resumed.
pub async fn it_waits_when_the_one_before_it_was_a_failure_too_many(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let schedule = Schedule::Every("1h".parse().unwrap());
    let connector = Connector { schedule, ..given.stored_connector().await };
    let connector = set_status(&given, &connector, ConnectorStatus::Active).await;
    for _ in 1..connector.policy.pause_after_failures {
        given.finished_sync(&connector, Outcome::Failed).await;
    }
    let claim = given.running_sync(&connector).await;
    let queued = queued_behind(&given, &connector).await;
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Failed)).await.unwrap();
    assert_eq!(given.claim().await, None);
    let (space, collection) = (&connector.space_id, &connector.collection_id);
    let paused = given.catalog.connector_get(space, collection, connector.id).await.unwrap().unwrap();
    assert_eq!(paused.status, ConnectorStatus::Paused);
    set_status(&given, &paused, ConnectorStatus::Active).await;
    assert_eq!(given.claim().await.unwrap().sync.id, queued.id);
}
