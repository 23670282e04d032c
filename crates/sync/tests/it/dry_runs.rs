//! Dry runs: what a sync would do, and nothing done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inlet_model::sync::{SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{Clock, SyncId, SystemClock, SystemEntropy};
use inlet_source::{ErrorKind, Message, Outlet, ReadRequest, SourceError};
use inlet_store::catalog::{Effect, OnConflict, Sync};
use inlet_store::collection::StreamStatus;
use inlet_sync::Engine;
use serde_json::{Value, json};

use crate::cancelling::cancel;
use crate::fixture::{Fixture, batch, complete, end, list_three_and_hang, listing};

async fn list(request: ReadRequest, out: Outlet, ids: std::ops::Range<i64>, value: &str) {
    out.send(listing("s")).await.unwrap();
    let batch = batch(&request, "s", ids, value);
    out.send(Message::Batch { batch, checkpoint: Some(1.into()) }).await.unwrap();
    out.send(complete("s", true)).await.unwrap();
    out.send(end("s")).await.unwrap();
}

async fn trigger(fixture: &Fixture, engine: &Engine) -> SyncId {
    let now = SystemClock.now();
    let id = SyncId::new(now, &SystemEntropy);
    let sync = Sync::queued(id, &fixture.connector, SyncTrigger::Api, SyncMode::Incremental, now);
    let sync = Sync { dry_run: true, ..sync };
    assert_eq!(fixture.catalog.sync_trigger(sync, OnConflict::Reject, None).await.unwrap(), Effect::Done);
    engine.wake();
    id
}

async fn preview(fixture: &Fixture, id: SyncId) -> Value {
    serde_json::from_str(&fixture.catalog.sync_preview(id).await.unwrap().unwrap()).unwrap()
}

/// Five records `a` that are there.
async fn five_records() -> (Fixture, Engine) {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| async move {
        list(request, out, 0..5, "a").await;
        Ok(())
    });
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    (fixture, engine)
}

#[tokio::test]
async fn a_dry_run_says_what_a_sync_would_do_and_does_nothing() {
    let (fixture, engine) = five_records().await;
    fixture.script(|request, out| async move {
        list(request, out, 3..7, "b").await;
        Ok(())
    });
    let before = (fixture.records().await, fixture.store().await.stats().await.unwrap().last_change);
    let id = trigger(&fixture, &engine).await;
    let dry = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((dry.status, dry.dry_run, dry.attempt), (SyncStatus::Succeeded, true, 1));
    assert_eq!((dry.counts.created, dry.counts.updated, dry.counts.deleted), (2, 2, 3));
    assert_eq!((dry.streams[0].status, dry.streams[0].counts), (StreamStatus::Succeeded, dry.counts));
    let found = preview(&fixture, id).await;
    let stream = &found["streams"][0];
    assert_eq!((&found["asks_about"], &stream["exact"]), (&Value::Null, &json!(true)));
    let samples = stream["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 7);
    assert_eq!(
        samples[0],
        json!({"key": 3, "before": {"id": 3, "value": "a"}, "after": {"id": 3, "value": "b"}})
    );
    let after = (fixture.records().await, fixture.store().await.stats().await.unwrap().last_change);
    assert_eq!(after, before);
    assert_eq!(fixture.store().await.run(id).await.unwrap(), None);

    let real = fixture.sync_to_the_end(&engine).await;
    assert_eq!(real.counts, dry.counts, "the sync itself comes to the same");
}

#[tokio::test]
async fn a_dry_run_says_what_a_sync_would_ask_and_how_fields_differ() {
    let (fixture, engine) = five_records().await;
    fixture.script(|request, out| async move {
        out.send(listing("s")).await.unwrap();
        let mut batch =
            inlet_model::Batch::new(crate::fixture::stream("s"), inlet_model::Scope::whole(), request.seed);
        batch.reject(inlet_model::Rejection::new(1, "json.syntax", "No JSON.".to_owned(), b"{"));
        out.send(Message::Batch { batch, checkpoint: None }).await.unwrap();
        out.send(complete("s", true)).await.unwrap();
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    let id = trigger(&fixture, &engine).await;
    fixture.wait(id, |sync| sync.status == SyncStatus::Succeeded).await;
    let found = preview(&fixture, id).await;
    assert_eq!((&found["asks_about"]["records"], &found["asks_about"]["of"]), (&json!(5), &json!(5)));
    assert_eq!(found["streams"][0]["rejected"][0]["code"], "json.syntax");
    assert_eq!(found["streams"][0]["fields"], json!({"new": [], "gone": [], "changed": []}));
}

#[tokio::test]
async fn a_dry_run_is_cancelled_and_leaves_nothing() {
    let fixture = Fixture::new(&["s"]).await;
    let reading = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reading);
    fixture.script(move |request, out| {
        counted.fetch_add(1, Ordering::SeqCst);
        list_three_and_hang(request, out)
    });
    let engine = fixture.engine().await;
    let id = trigger(&fixture, &engine).await;
    fixture.wait(id, |_| reading.load(Ordering::SeqCst) == 1).await;
    cancel(&fixture, &engine, id).await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, fixture.records().await.len()), (SyncStatus::Cancelled, 0));
    assert_eq!(fixture.catalog.sync_preview(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_dry_run_that_a_restart_interrupts_begins_again() {
    let (fixture, engine) = five_records().await;
    let reading = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reading);
    fixture.script(move |request, out| {
        counted.fetch_add(1, Ordering::SeqCst);
        list_three_and_hang(request, out)
    });
    let id = trigger(&fixture, &engine).await;
    fixture.wait(id, |_| reading.load(Ordering::SeqCst) == 1).await;
    engine.stop(Duration::from_secs(10)).await;
    fixture.script(|request, out| async move {
        list(request, out, 0..6, "a").await;
        Ok(())
    });
    let _engine = fixture.engine().await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, sync.attempt), (SyncStatus::Succeeded, 2));
    assert_eq!((sync.counts.unchanged, sync.counts.created, sync.counts.deleted), (5, 1, 0));
}

#[tokio::test]
async fn a_dry_run_of_a_source_that_fails_has_failed() {
    let (fixture, engine) = five_records().await;
    fixture.script(|request, out| async move {
        let error = SourceError::new(ErrorKind::Denied, "read", "not allowed");
        out.send(Message::StreamFailed { stream: request.streams[0].name.clone(), error }).await.unwrap();
        Ok(())
    });
    let id = trigger(&fixture, &engine).await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, sync.failure.unwrap().code.as_str()), (SyncStatus::Failed, "source.denied"));
    assert_eq!(sync.streams[0].status, StreamStatus::Failed);
}
