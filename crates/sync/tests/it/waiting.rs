//! Sources that are out of reach for a while, or want to be left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use inlet_model::sync::{MoveCause, SyncMode, SyncStatus};
use inlet_source::{ErrorKind, Message, SourceError};
use inlet_sync::{EngineOptions, RetryOptions};

use crate::fixture::{Fixture, batch, complete, end, list_the_rest, list_three_and_hang, listing};

const SOON: Duration = Duration::from_millis(1);

/// An engine that tries twice again, a moment later.
fn options() -> EngineOptions {
    let retry = RetryOptions { retries: 2, first_delay: SOON, longest_delay: SOON };
    EngineOptions { retry, ..EngineOptions::default() }
}

fn out_of_reach() -> SourceError {
    SourceError::new(ErrorKind::Unavailable, "connect", "the host does not answer")
}

/// A source of which the first calls, so many, fail.
fn script_failures(fixture: &Fixture, failures: u32, error: fn() -> SourceError) -> Arc<AtomicU32> {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    fixture.script(move |request, out| {
        let call = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if call < failures {
                return Err(error());
            }
            out.send(listing("s")).await.unwrap();
            let batch = batch(&request, "s", 0..2, "a");
            out.send(Message::Batch { batch, checkpoint: Some(2.into()) }).await.unwrap();
            out.send(complete("s", true)).await.unwrap();
            out.send(end("s")).await.unwrap();
            Ok(())
        }
    });
    calls
}

#[tokio::test]
async fn a_source_that_is_out_of_reach_is_waited_for() {
    let fixture = Fixture::new(&["s"]).await;
    script_failures(&fixture, 2, out_of_reach);
    let engine = fixture.engine_with(options()).await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.attempt, sync.failure), (SyncStatus::Succeeded, 3, None));
    assert_eq!(fixture.records().await.len(), 2);
    use MoveCause::{Claimed, Ended, HeldUp, Resumed, Triggered};
    let moves = fixture.catalog.sync_moves(sync.id, 0).await.unwrap();
    assert_eq!(
        moves.iter().map(|one| one.cause).collect::<Vec<_>>(),
        [Triggered, Claimed, HeldUp, Resumed, HeldUp, Resumed, Ended]
    );
    assert_eq!(moves[2].code.as_deref(), Some("source.unavailable"));
}

#[tokio::test]
async fn a_source_that_stays_out_of_reach_fails_its_sync_in_the_end() {
    let fixture = Fixture::new(&["s"]).await;
    let calls = script_failures(&fixture, 100, out_of_reach);
    let engine = fixture.engine_with(options()).await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(
        (sync.status, sync.failure.unwrap().code.as_str()),
        (SyncStatus::Failed, "source.unavailable")
    );
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_rate_limit_is_no_failure_however_often_it_comes() {
    let fixture = Fixture::new(&["s"]).await;
    script_failures(&fixture, 10, || {
        SourceError::new(ErrorKind::RateLimited, "list", "too many calls").retry_after(SOON)
    });
    let engine = fixture.engine_with(options()).await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.attempt), (SyncStatus::Succeeded, 11));
}

#[tokio::test]
async fn a_stream_that_is_out_of_reach_is_waited_for_while_the_others_are_kept() {
    let fixture = Fixture::new(&["s", "t"]).await;
    let calls = Arc::new(AtomicU32::new(0));
    fixture.script(move |request, out| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move {
            for name in ["s", "t"] {
                if name == "t" && call == 0 {
                    let stream = crate::fixture::stream("t");
                    out.send(Message::StreamFailed { stream, error: out_of_reach() }).await.unwrap();
                    continue;
                }
                out.send(listing(name)).await.unwrap();
                let batch = batch(&request, name, 0..2, "a");
                out.send(Message::Batch { batch, checkpoint: Some(2.into()) }).await.unwrap();
                out.send(complete(name, true)).await.unwrap();
                out.send(end(name)).await.unwrap();
            }
            Ok(())
        }
    });
    let engine = fixture.engine_with(options()).await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.attempt), (SyncStatus::Succeeded, 2));
    assert!(sync.streams.iter().all(|stream| stream.error.is_none()));
}

#[tokio::test]
async fn a_waiting_sync_is_cancelled_at_once_and_holds_no_place() {
    let fixture = Fixture::new(&["s"]).await;
    let calls = script_failures(&fixture, 100, || {
        SourceError::new(ErrorKind::RateLimited, "list", "too many calls")
            .retry_after(Duration::from_secs(3600))
    });
    let engine = fixture.engine_with(EngineOptions { running_syncs: 1, ..options() }).await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    let waiting = fixture.wait(id, |sync| sync.status == SyncStatus::Waiting).await;
    assert_eq!(waiting.waits_for.unwrap().code, "source.rate_limited");
    assert!(waiting.resume_at.is_some());
    engine.ended(id).await;
    fixture.catalog.sync_cancel(fixture.connector.id, Some(id), waiting.created_at).await.unwrap();
    engine.cancel(id);
    assert_eq!(fixture.sync(id).await.status, SyncStatus::Cancelled);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    fixture.script(|_request, out| async move {
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    assert_eq!(fixture.sync_to_the_end(&engine).await.status, SyncStatus::Succeeded, "the place is free");
}

#[tokio::test]
async fn a_sync_waits_on_over_a_restart_and_goes_on_from_its_checkpoint() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| async move {
        let listed = list_three_and_hang(request, out);
        let _not_ended = tokio::time::timeout(Duration::from_millis(20), listed).await;
        Err(SourceError::new(ErrorKind::RateLimited, "list", "too many calls")
            .retry_after(Duration::from_secs(1)))
    });
    let first = fixture.engine_with(options()).await;
    let id = fixture.trigger(&first, SyncMode::Incremental).await;
    fixture.wait(id, |sync| sync.status == SyncStatus::Waiting).await;
    first.stop(Duration::from_secs(5)).await;
    fixture.script(list_the_rest);
    let _second = fixture.engine_with(options()).await;
    assert_eq!(fixture.sync(id).await.status, SyncStatus::Waiting, "not before its time");
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, sync.attempt), (SyncStatus::Succeeded, 2));
    assert_eq!(fixture.records().await.len(), 5);
}
