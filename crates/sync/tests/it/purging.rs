//! What is done beside the worker: purges, and what follows from deletes.

use std::time::Duration;

use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Clock, NodeId, StoreId, SystemClock, SystemEntropy, Timestamp};
use inlet_source::{Message, Outlet, ReadRequest, SourceError};
use inlet_store::catalog::{
    Collection, Connector, Effect, ExpectedVersion, Lease, PurgeEffect, PurgeId, Remains, SyncLimits,
};
use inlet_store::collection::{ChangeCursor, ChangePage};
use inlet_sync::Engine;

use crate::fixture::{Fixture, batch, complete, end, list_three_and_hang, listing};

fn now() -> Timestamp {
    SystemClock.now()
}

/// Lists this many records of the stream `s`, to its end.
async fn list(count: i64, request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
    out.send(listing("s")).await.unwrap();
    for first in (0..count).step_by(1000) {
        let batch = batch(&request, "s", first..count.min(first + 1000), "a");
        out.send(Message::Batch { batch, checkpoint: Some(first.into()) }).await.unwrap();
    }
    out.send(complete("s", true)).await.unwrap();
    out.send(end("s")).await.unwrap();
    Ok(())
}

async fn delete_with_records(fixture: &Fixture, engine: &Engine) {
    let Connector { space_id, collection_id, id, .. } = &fixture.connector;
    let deleting = fixture.catalog.connector_delete(
        space_id,
        collection_id,
        *id,
        ExpectedVersion::Any,
        Remains::Purged,
        now(),
    );
    assert!(deleting.await.unwrap().deleted().is_some());
    engine.wake();
}

async fn queue_purge(fixture: &Fixture) {
    let Connector { store_id, id, .. } = &fixture.connector;
    let effect = fixture.catalog.purge_queue(*store_id, vec![*id], None).await.unwrap();
    assert_eq!(effect, PurgeEffect::Queued);
}

/// Waits until no purge of the fixture's collection and no task is queued.
async fn wait_until_done(fixture: &Fixture) {
    let waiting = async {
        loop {
            let purges = fixture.catalog.purge_list_of(fixture.connector.store_id).await.unwrap();
            if purges.is_empty() && fixture.catalog.task_list(1).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it is done within 30 seconds");
}

#[tokio::test]
async fn the_records_of_a_deleted_connector_go_in_several_commits_and_the_feed_tells_of_each() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| list(25_000, request, out));
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.counts.created, 25_000);
    delete_with_records(&fixture, &engine).await;
    wait_until_done(&fixture).await;
    let store = fixture.store().await;
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.records, stats.last_change), (0, 50_000));
    let ChangePage::Changes { changes: deleted, .. } =
        store.changes(ChangeCursor::behind(25_000), 30_000, 1 << 30).await.unwrap()
    else {
        panic!("nothing has expired")
    };
    assert_eq!(deleted.len(), 25_000);
    assert!(deleted.iter().all(|change| change.sync_id.is_none() && change.data.is_none()));
    let times: std::collections::BTreeSet<_> = deleted.iter().map(|change| change.at).collect();
    assert!(times.len() >= 3, "each step is a commit of its own");
    assert_eq!(store.run(sync.id).await.unwrap().unwrap().counts, sync.counts);
}

#[tokio::test]
async fn a_sync_that_was_asked_for_meanwhile_begins_after_the_purge_and_lists_everything_again() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| list(30, request, out));
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    fixture.script(|request, out| async move {
        assert!(request.streams[0].scopes.is_empty(), "nothing is known of what was read");
        list(10, request, out).await
    });
    queue_purge(&fixture).await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.counts.created), (SyncStatus::Succeeded, 10));
    assert_eq!((sync.counts.unchanged, sync.counts.deleted), (0, 0));
    assert_eq!(fixture.records().await.len(), 10);
    assert_eq!(fixture.store().await.stats().await.unwrap().last_change, 30 + 30 + 10);
}

#[tokio::test]
async fn a_purge_that_cannot_be_done_holds_up_nobody_and_stays_queued() {
    let fixture = Fixture::new(&["s"]).await;
    let other = another_collection(&fixture).await;
    let file = fixture.folder.path().join("collections").join(format!("{}.db", other.store_id));
    std::fs::write(&file, "this is no database, and long enough to be told from one").unwrap();
    let damaged = Connector {
        id: inlet_model::ConnectorId::new(now(), &SystemEntropy),
        collection_id: other.id.clone(),
        store_id: other.store_id,
        ..fixture.connector.clone()
    };
    assert_eq!(fixture.catalog.connector_create(damaged.clone(), None).await.unwrap(), Effect::Done);
    let effect = fixture.catalog.purge_queue(other.store_id, vec![damaged.id], None).await.unwrap();
    assert_eq!(effect, PurgeEffect::Queued);
    fixture.script(|request, out| list(30, request, out));
    let engine = fixture.engine().await;
    assert_eq!(fixture.sync_to_the_end(&engine).await.status, SyncStatus::Succeeded);
    queue_purge(&fixture).await;
    engine.wake();
    wait_until_done(&fixture).await;
    assert_eq!(fixture.records().await.len(), 0);
    let left = fixture.catalog.purge_list(PurgeId(0), 9).await.unwrap();
    assert_eq!(left.iter().map(|purge| purge.connector_id).collect::<Vec<_>>(), [damaged.id]);
}

#[tokio::test]
async fn a_purge_that_a_stop_interrupted_is_gone_on_with_by_the_next_start() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| list(100, request, out));
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    engine.stop(Duration::from_secs(10)).await;
    queue_purge(&fixture).await;
    engine.wake();
    assert_eq!(fixture.records().await.len(), 100, "an engine that was stopped does nothing");
    let _engine = fixture.engine().await;
    wait_until_done(&fixture).await;
    assert_eq!(fixture.records().await.len(), 0);
}

#[tokio::test]
async fn what_runs_in_a_deleted_collection_ends_before_its_store_goes_and_does_not_make_it_anew() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(list_three_and_hang);
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    fixture.catalog.space_delete(&fixture.connector.space_id, true, now()).await.unwrap();
    engine.unwanted();
    wait_until_done(&fixture).await;
    engine.ended(id).await;
    assert_eq!(fixture.sync(id).await.status, SyncStatus::Cancelled);
    assert_eq!(fixture.stores.list().await.unwrap(), []);
}

#[tokio::test]
async fn a_sync_whose_collection_was_deleted_before_a_crash_ends_without_making_its_store_anew() {
    let fixture = Fixture::new(&["s"]).await;
    drop(fixture.store().await);
    let idle =
        fixture.engine_with(inlet_sync::EngineOptions { running_syncs: 0, ..Default::default() }).await;
    let id = fixture.trigger(&idle, SyncMode::Incremental).await;
    let lease = Lease { node: NodeId::from_u128(1), until: now() };
    let claim = fixture.catalog.sync_claim(lease, &SyncLimits::default(), now()).await.unwrap();
    assert!(claim.is_some(), "as if by a process that then died");
    fixture.catalog.space_delete(&fixture.connector.space_id, true, now()).await.unwrap();
    let _engine = fixture.engine().await;
    assert_eq!(fixture.sync(id).await.status, SyncStatus::Cancelled);
    assert_eq!(fixture.stores.list().await.unwrap(), []);
    assert_eq!(fixture.catalog.task_list(9).await.unwrap(), []);
}

async fn another_collection(fixture: &Fixture) -> Collection {
    let at = now();
    let collection = Collection {
        space_id: fixture.connector.space_id.clone(),
        id: "other".parse().unwrap(),
        name: "Other".to_owned(),
        store_id: StoreId::new(at, &SystemEntropy),
        created_at: at,
        updated_at: at,
    };
    assert_eq!(fixture.catalog.collection_create(collection.clone(), None).await.unwrap(), Effect::Done);
    collection
}
