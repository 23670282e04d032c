//! The write modes: what becomes of records that are there when others come.

use std::ops::Range;
use std::time::Duration;

use inlet_model::stream::WriteMode;
use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Counts, Scope};
use inlet_source::{Message, Outlet, ReadRequest, SourceError};
use inlet_sync::Engine;

use crate::fixture::{Fixture, batch, complete, delete_1, end, list_the_rest, list_three_and_hang, listing};

async fn writing(mode: WriteMode) -> Fixture {
    Fixture::set(|stream| stream.write_mode = mode).await
}

/// Lists the records `ids` with this value, certified.
async fn list(request: ReadRequest, out: Outlet, ids: Range<i64>, value: &str) -> Result<(), SourceError> {
    out.send(listing("s")).await.unwrap();
    let batch = batch(&request, "s", ids, value);
    out.send(Message::Batch { batch, checkpoint: None }).await.unwrap();
    out.send(complete("s", true)).await.unwrap();
    out.send(end("s")).await.unwrap();
    Ok(())
}

async fn synced(fixture: &Fixture, engine: &Engine, mode: SyncMode) -> Counts {
    let id = fixture.trigger(engine, mode).await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!(sync.status, SyncStatus::Succeeded, "{:?}", sync.failure);
    sync.counts
}

async fn contents(fixture: &Fixture) -> Vec<String> {
    let mut contents: Vec<String> = fixture.records().await.into_values().collect();
    contents.sort_unstable();
    contents
}

fn content(id: i64, value: &str) -> String {
    format!(r#"{{"id":{id},"value":"{value}"}}"#)
}

#[tokio::test]
async fn append_keeps_what_was_read_beside_what_is_read_now() {
    let fixture = writing(WriteMode::Append).await;
    fixture.script(|request, out| list(request, out, 0..2, "a"));
    let engine = fixture.engine().await;
    synced(&fixture, &engine, SyncMode::Incremental).await;
    fixture.script(|request, out| list(request, out, 1..2, "b"));
    let counts = synced(&fixture, &engine, SyncMode::Incremental).await;
    assert_eq!((counts.created, counts.updated, counts.deleted), (1, 0, 0));
    assert_eq!(contents(&fixture).await, [content(0, "a"), content(1, "a"), content(1, "b")]);
}

#[tokio::test]
async fn what_is_read_again_as_it_is_is_not_appended_again() {
    let fixture = writing(WriteMode::Append).await;
    fixture.script(|request, out| list(request, out, 0..3, "a"));
    let engine = fixture.engine().await;
    synced(&fixture, &engine, SyncMode::Incremental).await;
    // As at a cursor's bound: outside a listing, and one of them is new.
    fixture.script(|request, out| async move {
        let batch = batch(&request, "s", 2..4, "a");
        out.send(Message::Batch { batch, checkpoint: Some(4.into()) }).await.unwrap();
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    let counts = synced(&fixture, &engine, SyncMode::Incremental).await;
    assert_eq!((counts.created, counts.unchanged), (1, 1));
    assert_eq!(fixture.records().await.len(), 4);
}

#[tokio::test]
async fn a_full_refresh_appends_a_copy() {
    let fixture = writing(WriteMode::Append).await;
    fixture.script(|request, out| list(request, out, 0..3, "a"));
    let engine = fixture.engine().await;
    synced(&fixture, &engine, SyncMode::Incremental).await;
    assert_eq!(synced(&fixture, &engine, SyncMode::FullRefresh).await.created, 3);
    assert_eq!(synced(&fixture, &engine, SyncMode::FullRefresh).await.created, 3);
    assert_eq!(synced(&fixture, &engine, SyncMode::Incremental).await.unchanged, 3, "that is the last copy");
    assert_eq!(fixture.records().await.len(), 9);
}

#[tokio::test]
async fn a_listing_that_begins_anew_after_a_crash_doubles_nothing() {
    for mode in [SyncMode::Incremental, SyncMode::FullRefresh] {
        let fixture = writing(WriteMode::Append).await;
        fixture.script(list_three_and_hang);
        let engine = fixture.engine().await;
        let id = fixture.trigger(&engine, mode).await;
        fixture.wait_for_records(3).await;
        engine.stop(Duration::from_secs(5)).await;
        fixture.script(|request, out| list(request, out, 0..5, "a"));
        let _next = fixture.engine().await;
        let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
        assert_eq!((sync.counts.created, sync.counts.unchanged), (5, 3), "{mode:?}");
        assert_eq!(fixture.records().await.len(), 5, "{mode:?}");
    }
}

#[tokio::test]
async fn a_full_refresh_that_was_cut_off_is_gone_on_with_in_its_copy() {
    let fixture = writing(WriteMode::Append).await;
    fixture.script(|request, out| list(request, out, 0..5, "a"));
    let engine = fixture.engine().await;
    synced(&fixture, &engine, SyncMode::Incremental).await;
    fixture.script(list_three_and_fail);
    let id = fixture.trigger(&engine, SyncMode::FullRefresh).await;
    fixture.wait(id, |sync| sync.status == SyncStatus::Failed).await;
    assert_eq!(fixture.records().await.len(), 8);
    fixture.script(list_the_rest);
    assert_eq!(synced(&fixture, &engine, SyncMode::Incremental).await.created, 2);
    assert_eq!(fixture.records().await.len(), 10, "two whole copies");
}

async fn list_three_and_fail(request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
    out.send(listing("s")).await.unwrap();
    let batch = batch(&request, "s", 0..3, "a");
    out.send(Message::Batch { batch, checkpoint: Some(3.into()) }).await.unwrap();
    Err(SourceError::new(inlet_source::ErrorKind::Unavailable, "read", "it broke off"))
}

#[tokio::test]
async fn a_delete_takes_nothing_from_what_was_appended() {
    let fixture = writing(WriteMode::Append).await;
    fixture.script(|request, out| list(request, out, 0..2, "a"));
    let engine = fixture.engine().await;
    synced(&fixture, &engine, SyncMode::Incremental).await;
    fixture.script(delete_1);
    let counts = synced(&fixture, &engine, SyncMode::Incremental).await;
    assert_eq!((counts.unchanged, counts.deleted), (1, 0));
    assert_eq!(fixture.records().await.len(), 2);
}

#[tokio::test]
async fn replace_lists_whole_and_leaves_what_was_read() {
    let fixture = writing(WriteMode::Replace).await;
    fixture.script(list_three_and_hang);
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    crate::cancelling::cancel(&fixture, &engine, id).await;
    fixture.wait(id, |sync| sync.status.is_final()).await;
    // What another sync has listed is not gone on with.
    fixture.script(|request, out| async move {
        assert_eq!(request.streams[0].mode, SyncMode::FullRefresh);
        assert_eq!(request.streams[0].scopes[&Scope::whole()].listing, None);
        list(request, out, 2..4, "b").await
    });
    let counts = synced(&fixture, &engine, SyncMode::Incremental).await;
    assert_eq!((counts.created, counts.updated, counts.deleted), (1, 1, 2));
    assert_eq!(contents(&fixture).await, [content(2, "b"), content(3, "b")]);
}

#[tokio::test]
async fn replace_deletes_nothing_before_a_listing_is_complete() {
    let fixture = writing(WriteMode::Replace).await;
    fixture.script(|request, out| list(request, out, 0..3, "a"));
    let engine = fixture.engine().await;
    synced(&fixture, &engine, SyncMode::Incremental).await;
    fixture.script(|request, out| async move {
        out.send(listing("s")).await.unwrap();
        let batch = batch(&request, "s", 0..1, "b");
        out.send(Message::Batch { batch, checkpoint: None }).await.unwrap();
        Err(SourceError::new(inlet_source::ErrorKind::Unavailable, "read", "it broke off"))
    });
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::Failed, 0));
    assert_eq!(fixture.records().await.len(), 3);
}
