//! Sources that fail, and what it does to the sync and to the streams beside.

use inlet_model::sync::SyncStatus;
use inlet_model::{Rejection, Scope};
use inlet_source::{ErrorKind, Message, SourceError};
use inlet_store::collection::{RejectedQuery, StreamStatus};
use inlet_sync::EngineOptions;

use crate::fixture::{
    Build, Fixture, batch, complete, end, list_the_rest, list_three_and_hang, listing, options, stream,
};

#[tokio::test]
async fn a_stream_that_fails_leaves_the_others_complete() {
    let fixture = Fixture::new(&["bad", "good"]).await;
    fixture.script(|request, out| async move {
        let error = SourceError::new(ErrorKind::Changed, "read file", "the file changed while it was read");
        out.send(Message::StreamFailed { stream: stream("bad"), error }).await.unwrap();
        out.send(listing("good")).await.unwrap();
        let batch = batch(&request, "good", 0..2, "a");
        out.send(Message::Batch { batch, checkpoint: Some(2.into()) }).await.unwrap();
        out.send(complete("good", true)).await.unwrap();
        out.send(end("good")).await.unwrap();
        Ok(())
    });
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.status, SyncStatus::Failed);
    let failure = sync.failure.expect("it failed");
    assert_eq!((failure.code.as_str(), failure.retryable), ("source.changed", true));
    let errors: Vec<_> =
        sync.streams.iter().map(|stream| (stream.name.as_str(), stream.error.is_some())).collect();
    assert_eq!(errors, [("bad", true), ("good", false)]);
    assert_eq!(fixture.records().await.len(), 2);
}

#[tokio::test]
async fn a_source_that_panics_fails_its_sync_and_not_the_engine() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|_request, _out| async move { panic!("a bug in a source") });
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.status, SyncStatus::Failed);
    assert_eq!(sync.failure.as_ref().unwrap().code, "source.internal");
    let stream = &sync.streams[0];
    assert_eq!((stream.status, &stream.error), (StreamStatus::Failed, &sync.failure), "it has not ended");
    fixture.script(|_request, out| async move {
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    assert_eq!(fixture.sync_to_the_end(&engine).await.status, SyncStatus::Succeeded);
}

#[tokio::test]
async fn a_panic_outside_the_source_ends_its_sync_and_frees_the_connector() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.build(Build::Panics);
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.failure.unwrap().code.as_str()), (SyncStatus::Failed, "sync.internal"));
    fixture.build(Build::Succeeds);
    fixture.script(|_request, out| async move {
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    assert_eq!(fixture.sync_to_the_end(&engine).await.status, SyncStatus::Succeeded);
}

#[tokio::test]
async fn a_source_that_does_not_end_its_streams_has_not_succeeded() {
    let fixture = Fixture::new(&["ended", "left", "never"]).await;
    fixture.script(|request, out| async move {
        out.send(end("ended")).await.unwrap();
        let batch = batch(&request, "left", 0..2, "a");
        out.send(Message::Batch { batch, checkpoint: Some(2.into()) }).await.unwrap();
        Ok(())
    });
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.status, SyncStatus::Failed);
    let failure = sync.failure.expect("it failed");
    assert_eq!(failure.message, "2 streams failed: left, never");
    let statuses = [StreamStatus::Succeeded, StreamStatus::Failed, StreamStatus::Failed];
    assert_eq!(sync.streams.iter().map(|stream| stream.status).collect::<Vec<_>>(), statuses);
    assert_eq!(fixture.records().await.len(), 2, "what was committed stays");
}

#[tokio::test]
async fn a_source_that_falls_silent_fails_the_sync_and_the_next_goes_on() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(list_three_and_hang);
    let stall_limit = std::time::Duration::from_millis(300);
    let engine = fixture.engine_with(EngineOptions { stall_limit, ..options() }).await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.status, SyncStatus::Failed);
    let failure = sync.failure.expect("it failed");
    assert_eq!(failure.code, "sync.stalled");
    assert_eq!(failure.message, "the source has said nothing for 0.3 seconds while it was read");
    assert!(failure.retryable);
    assert_eq!(fixture.records().await.len(), 3, "what was committed stays");

    fixture.script(list_the_rest);
    assert_eq!(fixture.sync_to_the_end(&engine).await.status, SyncStatus::Succeeded);
    assert_eq!(fixture.records().await.len(), 5);
}

#[tokio::test]
async fn a_source_that_says_a_little_now_and_then_has_not_fallen_silent() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| async move {
        for id in 0..20 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let batch = batch(&request, "s", id..id + 1, "a");
            out.send(Message::Batch { batch, checkpoint: Some(id.into()) }).await.unwrap();
        }
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    let stall_limit = std::time::Duration::from_millis(500);
    let engine = fixture.engine_with(EngineOptions { stall_limit, ..options() }).await;
    assert_eq!(fixture.sync_to_the_end(&engine).await.status, SyncStatus::Succeeded);
}

#[tokio::test]
async fn rejected_records_are_kept_and_too_many_fail_the_sync() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| async move {
        let mut batch = batch(&request, "s", 0..2, "a");
        for position in 0..5 {
            batch.reject(Rejection::new(position, "json.syntax", "not JSON".to_owned(), b"{"));
        }
        out.send(Message::Batch { batch, checkpoint: Some(1.into()) }).await.unwrap();
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.status, SyncStatus::Succeeded);
    assert_eq!((sync.counts.read, sync.counts.rejected, sync.counts.created), (7, 5, 2));
    let rejected = fixture.store().await.rejected(sync.id, RejectedQuery::behind(0, 10)).await.unwrap();
    assert_eq!(rejected.len(), 5);
    assert_eq!((rejected[4].seq, rejected[4].position, rejected[4].scope.clone()), (5, 4, Scope::whole()));
    engine.stop(std::time::Duration::from_secs(5)).await;

    fixture.allow_rejected(4).await;
    let strict = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&strict).await;
    assert_eq!(sync.status, SyncStatus::Failed);
    assert_eq!(sync.failure.unwrap().code, "sync.too_many_rejected");
}
