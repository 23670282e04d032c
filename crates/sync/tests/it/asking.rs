//! What was not seen by a listing that is not certified: the source is asked for it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use inlet_model::sync::SyncStatus;
use inlet_source::{ErrorKind, Message, Outlet, ReadRequest, SourceError};
use inlet_store::collection::StreamStatus;

use crate::cancelling::cancel;
use crate::fixture::{Fixture, batch, complete, end, listing};

/// Lists the first records of each stream, all at once, certified or not.
async fn list(request: ReadRequest, out: Outlet, ids: i64, certified: bool) -> Result<(), SourceError> {
    for stream in &request.streams {
        let name = stream.name.as_str();
        out.send(listing(name)).await.unwrap();
        let batch = batch(&request, name, 0..ids, "a");
        out.send(Message::Batch { batch, checkpoint: Some(1.into()) }).await.unwrap();
        out.send(complete(name, certified)).await.unwrap();
        out.send(end(name)).await.unwrap();
    }
    Ok(())
}

/// Five records, and a source that lists three of them now without being sure of the others.
async fn two_of_five_unseen(streams: &[&str]) -> Fixture {
    let fixture = Fixture::new(streams).await;
    fixture.script(|request, out| list(request, out, 5, true));
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    engine.stop(std::time::Duration::from_secs(10)).await;
    fixture.script(|request, out| list(request, out, 3, false));
    fixture
}

#[tokio::test]
async fn only_what_the_source_does_not_have_is_deleted() {
    let fixture = two_of_five_unseen(&["s"]).await;
    fixture.answer(|keys| {
        assert_eq!(keys, [[0x15, 3], [0x15, 4]], "the records 3 and 4");
        Box::pin(async move { Ok(BTreeSet::from([keys[0].clone()])) })
    });
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::Succeeded, 1));
    assert_eq!(fixture.records().await.into_keys().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn a_source_that_cannot_say_fails_the_stream_and_is_asked_again_by_the_next_sync() {
    let fixture = two_of_five_unseen(&["s", "t"]).await;
    let unavailable = || SourceError::new(ErrorKind::Unavailable, "ask", "nobody answers");
    fixture.answer(move |_| Box::pin(async move { Err(unavailable()) }));
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::Failed, 0));
    assert_eq!(sync.failure.unwrap().code, "sync.streams_failed");
    // The next sync asks first; while it gets no answer for a stream, that one is not read, and the other is.
    let asked = AtomicUsize::new(0);
    fixture.answer(move |keys| {
        let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        assert_eq!(keys.len(), 2);
        Box::pin(async move { if first { Err(unavailable()) } else { Ok(BTreeSet::new()) } })
    });
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.counts.deleted, sync.counts.read), (SyncStatus::Failed, 2, 3));
    assert_eq!(sync.failure.unwrap().code, "source.unavailable");
    let run = fixture.store().await.run(sync.id).await.unwrap().unwrap();
    let ended: Vec<_> = run.streams.iter().map(|stream| (stream.name.as_str(), stream.status)).collect();
    assert_eq!(ended, [("s", StreamStatus::Failed), ("t", StreamStatus::Succeeded)]);
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::Succeeded, 2));
}

#[tokio::test]
async fn a_cancel_does_not_wait_for_the_answer() {
    let fixture = two_of_five_unseen(&["s"]).await;
    let (asked, mut is_asked) = tokio::sync::mpsc::channel(1);
    fixture.answer(move |_| {
        let asked = asked.clone();
        Box::pin(async move {
            asked.send(()).await.unwrap();
            std::future::pending().await
        })
    });
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, inlet_model::sync::SyncMode::Incremental).await;
    is_asked.recv().await.unwrap();
    cancel(&fixture, &engine, id).await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, sync.counts.deleted), (SyncStatus::Cancelled, 0));
}
