//! Deletes that a person is asked about.

use std::ops::Range;
use std::time::Duration;

use inlet_model::policy::ConnectorPolicy;
use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Clock, SyncId, SystemClock, SystemEntropy};
use inlet_source::{ErrorKind, Message, Outlet, ReadRequest, SourceError};
use inlet_store::catalog::{Effect, OnConflict, Sync};
use inlet_store::collection::StreamStatus;
use inlet_sync::Engine;

use crate::fixture::{Fixture, batch, complete, end, listing};

/// Lists these records of each stream, to the end.
async fn list(
    request: ReadRequest,
    out: Outlet,
    ids: Range<i64>,
    certified: bool,
) -> Result<(), SourceError> {
    for stream in &request.streams {
        let name = stream.name.as_str();
        out.send(listing(name)).await.unwrap();
        let batch = batch(&request, name, ids.clone(), "a");
        out.send(Message::Batch { batch, checkpoint: Some(1.into()) }).await.unwrap();
        out.send(complete(name, certified)).await.unwrap();
        out.send(end(name)).await.unwrap();
    }
    Ok(())
}

fn lists(fixture: &Fixture, ids: Range<i64>) {
    fixture.script(move |request, out| list(request, out, ids.clone(), true));
}

/// The source has 300 records, and then only 150.
async fn half_is_gone() -> (Fixture, Engine) {
    let fixture = Fixture::new(&["s"]).await;
    lists(&fixture, 0..300);
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    lists(&fixture, 0..150);
    (fixture, engine)
}

async fn asking(fixture: &Fixture, engine: &Engine) -> Sync {
    let id = fixture.trigger(engine, SyncMode::Incremental).await;
    fixture.wait(id, |sync| sync.status.is_final() || sync.status == SyncStatus::NeedsApproval).await
}

async fn approve(fixture: &Fixture, engine: &Engine, id: SyncId) -> Sync {
    let approved = fixture.catalog.sync_approve(fixture.connector.id, id, SystemClock.now(), None).await;
    assert_eq!(approved.unwrap(), Effect::Done);
    engine.wake();
    fixture.wait(id, |sync| sync.status.is_final() || sync.status == SyncStatus::NeedsApproval).await
}

async fn discard(fixture: &Fixture, engine: &Engine, id: SyncId) {
    let discarded = fixture.catalog.sync_discard(fixture.connector.id, id, SystemClock.now(), None).await;
    assert_eq!(discarded.unwrap(), Effect::Done);
    engine.wake();
}

fn never_again(fixture: &Fixture) {
    fixture.script(|_, _| async { panic!("the source is read again") });
}

#[tokio::test]
async fn a_large_delete_waits_for_a_person_and_deletes_nothing() {
    let (fixture, engine) = half_is_gone().await;
    let sync = asking(&fixture, &engine).await;
    assert_eq!(sync.status, SyncStatus::NeedsApproval);
    let deletes = sync.approval.unwrap().deletes;
    assert_eq!((deletes.records, deletes.of), (150, 300));
    assert_eq!((sync.counts.unchanged, sync.counts.deleted), (150, 0));
    assert_eq!(fixture.records().await.len(), 300);
    engine.ended(sync.id).await;
    assert_eq!(fixture.sync(sync.id).await.finished_at, None, "it holds no worker, and has not ended");
}

#[tokio::test]
async fn what_was_approved_goes_without_reading_again() {
    let (fixture, engine) = half_is_gone().await;
    let sync = asking(&fixture, &engine).await;
    never_again(&fixture);
    let ended = approve(&fixture, &engine, sync.id).await;
    assert_eq!((ended.status, ended.attempt, ended.failure), (SyncStatus::Succeeded, 2, None));
    assert_eq!((ended.counts.unchanged, ended.counts.deleted), (150, 150));
    assert_eq!(ended.streams[0].status, StreamStatus::Succeeded);
    assert_eq!(fixture.records().await.len(), 150);
    lists(&fixture, 0..150);
    assert_eq!(asking(&fixture, &engine).await.status, SyncStatus::Succeeded);
}

#[tokio::test]
async fn what_was_discarded_stays_and_the_next_sync_asks_again() {
    let (fixture, engine) = half_is_gone().await;
    let sync = asking(&fixture, &engine).await;
    discard(&fixture, &engine, sync.id).await;
    let ended = fixture.sync(sync.id).await;
    assert_eq!((ended.status, ended.counts.deleted), (SyncStatus::Cancelled, 0));
    assert_eq!(ended.streams[0].status, StreamStatus::Cancelled);
    let again = asking(&fixture, &engine).await;
    assert_eq!((again.status, again.counts.read), (SyncStatus::NeedsApproval, 150), "it was read anew");
    assert_eq!(again.approval.unwrap().deletes.records, 150);
    let run = fixture.store().await.run(sync.id).await.unwrap().unwrap();
    assert_eq!(run.outcome, Some(inlet_model::sync::Outcome::Cancelled));
    discard(&fixture, &engine, again.id).await;
    lists(&fixture, 0..300);
    let whole = asking(&fixture, &engine).await;
    assert_eq!((whole.status, whole.counts.unchanged, whole.counts.deleted), (SyncStatus::Succeeded, 300, 0));
}

#[tokio::test]
async fn a_sync_that_asks_outlives_a_restart() {
    let (fixture, engine) = half_is_gone().await;
    let sync = asking(&fixture, &engine).await;
    engine.stop(Duration::from_secs(10)).await;
    let engine = fixture.engine().await;
    assert_eq!(fixture.sync(sync.id).await, sync);
    never_again(&fixture);
    let ended = approve(&fixture, &engine, sync.id).await;
    assert_eq!((ended.status, ended.counts.deleted), (SyncStatus::Succeeded, 150));
}

#[tokio::test]
async fn what_is_approved_while_no_engine_runs_goes_at_the_next_start() {
    let (fixture, engine) = half_is_gone().await;
    let sync = asking(&fixture, &engine).await;
    engine.stop(Duration::from_secs(10)).await;
    fixture.catalog.sync_approve(fixture.connector.id, sync.id, SystemClock.now(), None).await.unwrap();
    never_again(&fixture);
    let _engine = fixture.engine().await;
    let ended = fixture.wait(sync.id, |sync| sync.status.is_final()).await;
    assert_eq!((ended.status, ended.counts.deleted), (SyncStatus::Succeeded, 150));
}

#[tokio::test]
async fn a_cancel_and_a_sync_that_takes_its_place_discard() {
    let (fixture, engine) = half_is_gone().await;
    let first = asking(&fixture, &engine).await;
    fixture.catalog.sync_cancel(fixture.connector.id, Some(first.id), SystemClock.now()).await.unwrap();
    engine.wake();
    assert_eq!(fixture.sync(first.id).await.status, SyncStatus::Cancelled);
    let second = asking(&fixture, &engine).await;
    assert_eq!(second.status, SyncStatus::NeedsApproval);
    let now = SystemClock.now();
    let third = Sync { id: SyncId::new(now, &SystemEntropy), created_at: now, ..queued(&fixture) };
    let id = third.id;
    assert_eq!(fixture.catalog.sync_trigger(third, OnConflict::Replace, None).await.unwrap(), Effect::Done);
    engine.unwanted();
    assert_eq!(fixture.sync(second.id).await.status, SyncStatus::Cancelled);
    let third = fixture.wait(id, |sync| sync.status == SyncStatus::NeedsApproval).await;
    assert_eq!(third.counts.read, 150, "nothing was left of those before");
    assert_eq!(fixture.records().await.len(), 300);
}

fn queued(fixture: &Fixture) -> Sync {
    let now = SystemClock.now();
    let trigger = inlet_model::sync::SyncTrigger::Api;
    let id = SyncId::new(now, &SystemEntropy);
    Sync::queued(id, &fixture.connector, trigger, SyncMode::Incremental, now)
}

#[tokio::test]
async fn a_stream_that_would_be_empty_asks_however_small_it_is() {
    let fixture = Fixture::new(&["s"]).await;
    lists(&fixture, 0..2);
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    lists(&fixture, 0..0);
    let sync = asking(&fixture, &engine).await;
    assert_eq!(sync.status, SyncStatus::NeedsApproval);
    assert_eq!(approve(&fixture, &engine, sync.id).await.counts.deleted, 2);
    assert_eq!(asking(&fixture, &engine).await.status, SyncStatus::Succeeded, "it has nothing to lose now");
}

#[tokio::test]
async fn no_stream_of_a_sync_that_asks_is_swept() {
    let fixture = Fixture::new(&["s", "t"]).await;
    lists(&fixture, 0..300);
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    fixture.script(|request, out| async move {
        let (mut few, mut many) = (request.clone(), request);
        few.streams.truncate(1);
        many.streams.remove(0);
        list(few, out.clone(), 0..290, true).await?;
        list(many, out, 0..100, true).await
    });
    let sync = asking(&fixture, &engine).await;
    let asked = sync.approval.unwrap().deletes;
    assert_eq!(asked.streams.iter().map(|stream| stream.records).collect::<Vec<_>>(), [10, 200]);
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::NeedsApproval, 0));
    assert_eq!(approve(&fixture, &engine, sync.id).await.counts.deleted, 210);
}

#[tokio::test]
async fn who_allows_everything_is_asked_nothing() {
    let (fixture, engine) = half_is_gone().await;
    fixture.allow_all_deletes().await;
    let sync = asking(&fixture, &engine).await;
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::Succeeded, 150));
}

#[tokio::test]
async fn what_an_uncertain_listing_left_out_goes_only_if_it_is_approved() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.cannot_be_asked();
    lists(&fixture, 0..5);
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    fixture.script(|request, out| list(request, out, 0..4, false));
    let sync = asking(&fixture, &engine).await;
    assert_eq!(sync.approval.as_ref().unwrap().deletes.streams[0].in_doubt, 1);
    discard(&fixture, &engine, sync.id).await;
    let sync = asking(&fixture, &engine).await;
    assert_eq!((sync.status, fixture.records().await.len()), (SyncStatus::NeedsApproval, 5));
    assert_eq!(approve(&fixture, &engine, sync.id).await.counts.deleted, 1);
    // Who is asked nothing keeps what is in doubt.
    fixture.allow_all_deletes().await;
    fixture.script(|request, out| list(request, out, 0..3, false));
    let sync = asking(&fixture, &engine).await;
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::Succeeded, 0));
}

/// What an earlier sync left is asked about before anything is read, and what the listing after it leaves is asked about anew.
#[tokio::test]
async fn an_approval_covers_what_was_asked_and_no_more() {
    let (fixture, engine) = half_is_gone().await;
    fixture.script(|request, out| list(request, out, 0..150, false));
    fixture.allow_all_deletes().await;
    let unavailable = || SourceError::new(ErrorKind::Unavailable, "ask", "nobody answers");
    fixture.answer(move |_| Box::pin(async move { Err(unavailable()) }));
    assert_eq!(asking(&fixture, &engine).await.status, SyncStatus::Failed);
    let connector = fixture.catalog.connector_get(
        &fixture.connector.space_id,
        &fixture.connector.collection_id,
        fixture.connector.id,
    );
    let connector = connector.await.unwrap().unwrap();
    let usual = inlet_store::catalog::Connector { policy: ConnectorPolicy::default(), ..connector };
    fixture.catalog.connector_update(usual).await.unwrap();
    fixture.answer(|_| Box::pin(async { Ok(Default::default()) }));
    lists(&fixture, 0..20);
    let sync = asking(&fixture, &engine).await;
    assert_eq!((sync.status, sync.counts.read), (SyncStatus::NeedsApproval, 0));
    assert_eq!(sync.approval.as_ref().unwrap().deletes.streams[0].if_absent, 150);
    let sync = approve(&fixture, &engine, sync.id).await;
    assert_eq!((sync.status, sync.counts.read, sync.counts.deleted), (SyncStatus::NeedsApproval, 20, 150));
    assert_eq!(sync.approval.as_ref().unwrap().deletes.records, 130);
    assert_eq!(approve(&fixture, &engine, sync.id).await.counts.deleted, 280);
}

/// The source is asked once more; one that cannot answer is waited for or fails the sync, and nothing goes.
#[tokio::test]
async fn what_the_source_still_has_stays_although_it_was_approved() {
    let (fixture, engine) = half_is_gone().await;
    fixture.script(|request, out| list(request, out, 0..150, false));
    fixture.answer(|_| Box::pin(async { Ok(Default::default()) }));
    let sync = asking(&fixture, &engine).await;
    assert_eq!(sync.approval.as_ref().unwrap().deletes.streams[0].if_absent, 150);
    fixture.answer(|keys| Box::pin(async move { Ok(keys.into_iter().take(140).collect()) }));
    let ended = approve(&fixture, &engine, sync.id).await;
    assert_eq!((ended.status, ended.counts.deleted), (SyncStatus::Succeeded, 10));
    assert_eq!(fixture.records().await.len(), 290);
}

/// A stream that failed before the sync asked has failed when it ends.
#[tokio::test]
async fn a_stream_that_failed_fails_the_sync_that_was_approved() {
    let fixture = Fixture::new(&["s", "t"]).await;
    lists(&fixture, 0..300);
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    fixture.script(|request, out| async move {
        let error = SourceError::new(ErrorKind::Denied, "read", "not allowed");
        let stream = request.streams[1].name.clone();
        out.send(Message::StreamFailed { stream, error }).await.unwrap();
        let mut first = request;
        first.streams.truncate(1);
        list(first, out, 0..100, true).await
    });
    let sync = asking(&fixture, &engine).await;
    assert_eq!(sync.status, SyncStatus::NeedsApproval);
    let ended = approve(&fixture, &engine, sync.id).await;
    assert_eq!((ended.status, ended.counts.deleted), (SyncStatus::Failed, 200));
    assert_eq!(ended.failure.unwrap().code, "source.denied");
}

/// Before a person is asked, the source is: what it has is no delete, and nothing to ask about.
#[tokio::test]
async fn only_what_the_source_does_not_have_is_asked_about() {
    let (fixture, engine) = half_is_gone().await;
    fixture.script(|request, out| list(request, out, 0..0, false));
    fixture.answer(|keys| Box::pin(async move { Ok(keys.into_iter().collect()) }));
    let sync = asking(&fixture, &engine).await;
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::Succeeded, 0));
    fixture.answer(|keys| {
        let gone = keys.len().min(200);
        Box::pin(async move { Ok(keys.into_iter().skip(gone).collect()) })
    });
    let sync = asking(&fixture, &engine).await;
    assert_eq!(sync.approval.as_ref().unwrap().deletes.streams[0].records, 200);
    assert_eq!(approve(&fixture, &engine, sync.id).await.counts.deleted, 200);
    // Who cannot say is no reason to delete, nor to ask.
    let unavailable = || SourceError::new(ErrorKind::Unavailable, "ask", "nobody answers");
    fixture.answer(move |_| Box::pin(async move { Err(unavailable()) }));
    let sync = asking(&fixture, &engine).await;
    assert_eq!((sync.status, fixture.records().await.len()), (SyncStatus::Failed, 100));
}
