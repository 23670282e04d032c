//! Cancel cancels, whatever the source does.

use std::time::{Duration, Instant};

use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_source::Message;
use inlet_store::catalog::{CancelEffect, ExpectedVersion, Remains};
use inlet_store::collection::StreamStatus;
use inlet_sync::Engine;

use crate::fixture::{Fixture, batch, list_the_rest, list_three_and_hang, listing};

/// The effect that design promises within a second; the rest is room for a busy machine.
const WITHIN: Duration = Duration::from_secs(1);

pub(crate) async fn cancel(fixture: &Fixture, engine: &Engine, id: inlet_model::SyncId) {
    let now = inlet_model::Clock::now(&inlet_model::SystemClock);
    let effect = fixture.catalog.sync_cancel(fixture.connector.id, None, now).await.unwrap();
    assert!(matches!(effect, CancelEffect::Cancelling(sync) if sync.id == id));
    engine.cancel(id);
}

#[tokio::test]
async fn a_cancel_ends_a_sync_whose_source_waits_for_ever() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(list_three_and_hang);
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    let begun = Instant::now();
    cancel(&fixture, &engine, id).await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    assert_eq!(sync.status, SyncStatus::Cancelled);
    assert_eq!(sync.counts.created, 3, "what was committed stays");
    assert_eq!(sync.streams[0].status, StreamStatus::Cancelled);
    let run = fixture.store().await.run(id).await.unwrap().expect("it had begun");
    assert_eq!(run.counts, sync.counts);
}

#[tokio::test]
async fn a_cancel_ends_a_sync_whose_source_has_said_all_and_does_not_end() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|_request, out| async move {
        drop(out);
        std::future::pending().await
    });
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait(id, |sync| sync.status == SyncStatus::Running).await;
    cancel(&fixture, &engine, id).await;
    assert_eq!(fixture.wait(id, |sync| sync.status.is_final()).await.status, SyncStatus::Cancelled);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is about a source that blocks its thread")]
fn a_cancel_ends_a_sync_whose_source_blocks_its_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    runtime.block_on(async {
        let fixture = Fixture::new(&["s"]).await;
        fixture.script(|_request, out| async move {
            out.send(listing("s")).await.unwrap();
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        });
        let engine = fixture.engine().await;
        let id = fixture.trigger(&engine, SyncMode::Incremental).await;
        fixture.wait(id, |sync| sync.status == SyncStatus::Running).await;
        let begun = Instant::now();
        cancel(&fixture, &engine, id).await;
        let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
        assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
        assert_eq!(sync.status, SyncStatus::Cancelled);
    });
    runtime.shutdown_background();
}

#[tokio::test]
async fn a_cancelled_sync_is_followed_by_one_that_goes_on_from_its_checkpoint() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(list_three_and_hang);
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    cancel(&fixture, &engine, id).await;
    fixture.wait(id, |sync| sync.status.is_final()).await;
    fixture.script(list_the_rest);
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.status, SyncStatus::Succeeded);
    assert_eq!((sync.counts.read, sync.counts.created, sync.counts.deleted), (2, 2, 0));
    assert_eq!(fixture.records().await.len(), 5, "what the cancelled sync saw counts as seen");
}

#[tokio::test]
async fn deleting_the_connector_ends_its_sync_and_nothing_is_written_after() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| async move {
        for round in 0.. {
            let batch = batch(&request, "s", round..round + 1, "a");
            out.send(Message::Batch { batch, checkpoint: Some(round.into()) }).await.map_err(|_| closed())?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    });
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait(id, |sync| sync.status == SyncStatus::Running).await;
    while fixture.records().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let connector = &fixture.connector;
    let now = inlet_model::Clock::now(&inlet_model::SystemClock);
    let deleted = fixture
        .catalog
        .connector_delete(
            &connector.space_id,
            &connector.collection_id,
            connector.id,
            ExpectedVersion::Any,
            Remains::Kept,
            now,
        )
        .await
        .unwrap()
        .deleted()
        .expect("it was there");
    fixture.store().await.close_connector(connector.id).await.unwrap();
    fixture.catalog.task_done(deleted.task.id).await.unwrap();
    let held = fixture.records().await.len();
    engine.cancel(id);
    engine.ended(id).await;
    assert_eq!(fixture.records().await.len(), held, "no commit after the connector was closed");
}

fn closed() -> inlet_source::SourceError {
    inlet_source::SourceError::new(
        inlet_source::ErrorKind::Internal,
        "send",
        "nobody takes messages any more",
    )
}
