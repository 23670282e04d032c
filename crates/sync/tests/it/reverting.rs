//! Syncs that undo another.

use std::time::Duration;

use inlet_model::sync::{SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{Clock, Counts, SyncId, SystemClock, SystemEntropy};
use inlet_source::Message;
use inlet_store::catalog::{Effect, OnConflict, Sync};
use inlet_store::collection::{LogQuery, UpkeepProgress, UpkeepStep};
use inlet_sync::Engine;

use crate::fixture::{Build, Fixture, batch, complete, end, listing};

/// The source lists these records from now on, each with this value.
fn lists(fixture: &Fixture, ids: std::ops::Range<i64>, value: &'static str) {
    fixture.script(move |request, out| {
        let ids = ids.clone();
        async move {
            out.send(listing("s")).await.unwrap();
            let batch = batch(&request, "s", ids, value);
            out.send(Message::Batch { batch, checkpoint: None }).await.unwrap();
            out.send(complete("s", true)).await.unwrap();
            out.send(end("s")).await.unwrap();
            Ok(())
        }
    });
}

/// A connector whose second sync overwrote half of ten records, and deleted the others; that sync.
async fn spoilt() -> (Fixture, Engine, Sync) {
    let fixture = Fixture::new(&["s"]).await;
    fixture.allow_all_deletes().await;
    let engine = fixture.engine().await;
    lists(&fixture, 0..10, "good");
    assert_eq!(fixture.sync_to_the_end(&engine).await.counts.created, 10);
    lists(&fixture, 5..15, "bad");
    let bad = fixture.sync_to_the_end(&engine).await;
    let counts = bad.counts;
    assert_eq!(
        (bad.status, counts.created, counts.updated, counts.deleted),
        (SyncStatus::Succeeded, 5, 5, 5)
    );
    (fixture, engine, bad)
}

async fn revert(fixture: &Fixture, engine: &Engine, undone: SyncId) -> Sync {
    let now = SystemClock.now();
    let id = SyncId::new(now, &SystemEntropy);
    let queued = Sync::queued(id, &fixture.connector, SyncTrigger::Api, SyncMode::Incremental, now);
    let revert = Sync { reverts: Some(undone), ..queued };
    let effect = fixture.catalog.sync_revert(revert.clone(), OnConflict::Reject, None).await.unwrap();
    assert_eq!(effect, Effect::Done);
    engine.wake();
    fixture.ended(&revert).await
}

#[tokio::test]
async fn a_revert_reads_no_source_and_brings_back_what_was_there() {
    let (fixture, engine, bad) = spoilt().await;
    // Whoever built the source now would fail.
    fixture.build(Build::Panics);
    let reverted = revert(&fixture, &engine, bad.id).await;
    let counts = Counts { read: 10, created: 5, updated: 5, deleted: 5, ..reverted.counts };
    assert_eq!(
        (reverted.status, reverted.reverts, reverted.counts),
        (SyncStatus::Succeeded, Some(bad.id), counts)
    );
    let records = fixture.records().await;
    assert_eq!(records.len(), 10);
    assert!(records.values().all(|record| record.contains("good")), "{records:?}");
    let log = fixture.store().await.log(reverted.id, LogQuery::behind(0, 100)).await.unwrap();
    let told: Vec<_> = log.iter().map(|line| line.code.as_str()).collect();
    assert_eq!(told, ["sync.begun", "sync.reverts", "sync.reverted", "sync.succeeded"]);
    assert!(log[2].message.starts_with("15 records are as before"), "{log:?}");
    for (op, count) in [("created", 10 + 5 + 5), ("updated", 5 + 5), ("deleted", 5 + 5)] {
        let name = format!("inlet_sync_records_total{{op=\"{op}\",type=\"scripted\"}}");
        assert_eq!(fixture.metric(&name), count, "{op}");
    }
}

#[tokio::test]
async fn what_has_changed_since_stays_and_is_told() {
    let (fixture, engine, bad) = spoilt().await;
    lists(&fixture, 5..13, "better");
    fixture.sync_to_the_end(&engine).await;
    let reverted = revert(&fixture, &engine, bad.id).await;
    let Counts { created, updated, deleted, unchanged, .. } = reverted.counts;
    assert_eq!((created, updated, deleted, unchanged), (5, 0, 0, 10));
    let records = fixture.records().await;
    assert_eq!(records.values().filter(|record| record.contains("good")).count(), 5);
    assert_eq!(records.values().filter(|record| record.contains("better")).count(), 8);
}

#[tokio::test]
async fn a_revert_whose_history_went_meanwhile_fails_and_writes_nothing() {
    let (fixture, engine, bad) = spoilt().await;
    let store = fixture.store().await;
    let history = Duration::from_secs(60);
    let later = SystemClock.now().plus(1000 * history);
    loop {
        let step = UpkeepStep { now: later, history, runs: 10_000 * history, max_entries: 1_000 };
        if store.upkeep_step(step).await.unwrap() != UpkeepProgress::More {
            break;
        }
    }
    let before = fixture.records().await;
    let reverted = revert(&fixture, &engine, bad.id).await;
    let code = reverted.failure.map(|failure| failure.code);
    assert_eq!((reverted.status, code.as_deref()), (SyncStatus::Failed, Some("revert.expired")));
    assert_eq!((reverted.counts, fixture.records().await), (Counts::default(), before));
    let unknown = revert(&fixture, &engine, SyncId::from_u128(7)).await;
    assert_eq!(unknown.failure.map(|failure| failure.code).as_deref(), Some("revert.nothing_to_undo"));
}
