//! What the engine counts: the same as the syncs themselves say, whatever happens to them.

use std::time::Duration;

use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Clock, Counts, SyncId, SystemClock};
use inlet_source::{Message, Outlet, ReadRequest, SourceError};
use inlet_store::catalog::Sync;
use inlet_store::collection::StreamStatus;

use crate::fixture::{Fixture, batch, complete, end, list_the_rest, list_three_and_hang, listing};

const GRACE: Duration = Duration::from_secs(5);

/// The syncs' own counters are what is counted by operation, and in bytes.
fn assert_counted(fixture: &Fixture, syncs: &[&Sync]) {
    let mut all = Counts::default();
    syncs.iter().for_each(|sync| all += sync.counts);
    let by_op = [
        ("created", all.created),
        ("updated", all.updated),
        ("unchanged", all.unchanged),
        ("deleted", all.deleted),
        ("rejected", all.rejected),
    ];
    for (op, expected) in by_op {
        let name = format!("inlet_sync_records_total{{op=\"{op}\",type=\"scripted\"}}");
        assert_eq!(fixture.metric(&name), expected, "{op}");
    }
    assert_eq!(fixture.metric("inlet_sync_bytes_total{type=\"scripted\"}"), all.bytes);
}

fn ended(fixture: &Fixture, status: &str) -> u64 {
    fixture.metric(&format!("inlet_syncs_ended_total{{status=\"{status}\",type=\"scripted\"}}"))
}

/// Lists the records `ids` with this value, completely.
async fn list_all(
    request: ReadRequest,
    out: Outlet,
    ids: std::ops::Range<i64>,
    value: &str,
) -> Result<(), SourceError> {
    out.send(listing("s")).await.unwrap();
    let batch = batch(&request, "s", ids, value);
    out.send(Message::Batch { batch, checkpoint: Some(1.into()) }).await.unwrap();
    out.send(complete("s", true)).await.unwrap();
    out.send(end("s")).await.unwrap();
    Ok(())
}

#[tokio::test]
async fn records_bytes_and_ends_are_those_of_the_syncs() {
    let fixture = Fixture::new(&["s"]).await;
    let engine = fixture.engine().await;
    fixture.script(|request, out| list_all(request, out, 0..5, "a"));
    let first = fixture.sync_to_the_end(&engine).await;
    engine.ended(first.id).await;
    fixture.script(|request, out| list_all(request, out, 2..4, "b"));
    let second = fixture.sync_to_the_end(&engine).await;
    engine.ended(second.id).await;
    assert_eq!((second.counts.updated, second.counts.deleted), (2, 3));
    assert_counted(&fixture, &[&first, &second]);
    assert_eq!(
        (ended(&fixture, "succeeded"), ended(&fixture, "failed"), ended(&fixture, "cancelled")),
        (2, 0, 0)
    );
    assert!(fixture.metric("inlet_commit_seconds_count") >= 2);
}

#[tokio::test]
async fn a_failed_and_a_cancelled_sync_are_counted_as_such() {
    let fixture = Fixture::new(&["s"]).await;
    let engine = fixture.engine().await;
    fixture.script(|_, _| async {
        Err(SourceError::new(inlet_source::ErrorKind::NotFound, "read", "it is gone"))
    });
    let failed = fixture.sync_to_the_end(&engine).await;
    engine.ended(failed.id).await;
    fixture.script(list_three_and_hang);
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    fixture.catalog.sync_cancel(fixture.connector.id, Some(id), SystemClock.now()).await.unwrap();
    engine.cancel(id);
    engine.ended(id).await;
    let cancelled = fixture.sync(id).await;
    assert_eq!((failed.status, cancelled.status), (SyncStatus::Failed, SyncStatus::Cancelled));
    assert_eq!(
        (ended(&fixture, "succeeded"), ended(&fixture, "failed"), ended(&fixture, "cancelled")),
        (0, 1, 1)
    );
    assert_counted(&fixture, &[&failed, &cancelled]);
}

#[tokio::test]
async fn what_an_interrupted_attempt_committed_is_counted_once() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(list_three_and_hang);
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    engine.stop(GRACE).await;
    fixture.script(list_the_rest);
    let next = fixture.engine().await;
    next.ended(id).await;
    let sync = fixture.sync(id).await;
    assert_eq!((sync.attempt, sync.counts.created), (2, 5));
    assert_counted(&fixture, &[&sync]);
    assert_eq!(ended(&fixture, "succeeded"), 1);
}

/// The delete phase that an earlier attempt left comes before any reading: its deletes are in the counters that the first
/// commit of the reading shows.
#[tokio::test]
async fn deletes_that_an_earlier_attempt_left_are_counted_once() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.allow_all_deletes().await;
    let engine = fixture.engine().await;
    fixture.script(|request, out| list_all(request, out, 0..5, "a"));
    let first = fixture.sync_to_the_end(&engine).await;
    engine.ended(first.id).await;
    fixture.script(list_nothing_and_hang);
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    listed(&fixture, id).await;
    engine.stop(GRACE).await;
    assert_eq!(fixture.records().await.len(), 5, "nothing was deleted as yet");

    fixture.script(|request, out| list_all(request, out, 7..8, "a"));
    let next = fixture.engine().await;
    next.ended(id).await;
    let second = fixture.sync(id).await;
    assert_eq!((second.attempt, second.counts.deleted, second.counts.created), (2, 5, 1));
    assert_counted(&fixture, &[&first, &second]);
}

/// Says that the stream is empty, and then does not end: so an engine that stops leaves the delete phase to the next.
async fn list_nothing_and_hang(_: ReadRequest, out: Outlet) -> Result<(), SourceError> {
    out.send(listing("s")).await.unwrap();
    out.send(complete("s", true)).await.unwrap();
    out.send(end("s")).await.unwrap();
    std::future::pending().await
}

/// Waits until the end of the stream is durable.
async fn listed(fixture: &Fixture, id: SyncId) {
    let waiting = async {
        loop {
            let run = fixture.store().await.run(id).await.unwrap();
            if run.is_some_and(|run| run.streams[0].status == StreamStatus::Succeeded) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(GRACE, waiting).await.expect("the stream ends");
}
