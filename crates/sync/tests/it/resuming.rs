//! A sync outlives the process that ran it.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Scope, SyncId};
use inlet_source::Message;
use inlet_sync::EngineOptions;

use crate::fixture::{
    Build, Fixture, batch, end, list_the_rest, list_three_and_hang, listing, options, stream,
};

const GRACE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_stopped_engine_commits_what_it_has_and_the_next_goes_on() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(list_three_and_hang);
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    engine.stop(GRACE).await;
    assert_eq!(fixture.sync(id).await.status, SyncStatus::Running, "a restart is no state");

    fixture.script(list_the_rest);
    let _next = fixture.engine().await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, sync.attempt), (SyncStatus::Succeeded, 2));
    assert_eq!((sync.counts.read, sync.counts.created), (5, 5), "the counters go on");
}

#[tokio::test]
async fn a_sync_resumed_before_the_delete_phase_reads_on_from_the_cursor_that_this_leaves() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| async move {
        out.send(listing("s")).await.unwrap();
        let batch = batch(&request, "s", 0..3, "a");
        out.send(Message::Batch { batch, checkpoint: Some(3.into()) }).await.unwrap();
        let (stream, scope) = (stream("s"), Scope::whole());
        out.send(Message::Complete { stream, scope, cursor: Some(7.into()), certified: true }).await.unwrap();
        std::future::pending().await
    });
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    engine.stop(GRACE).await;

    fixture.script(|request, out| async move {
        let whole = &request.streams[0].scopes[&Scope::whole()];
        assert_eq!((&whole.listing, &whole.cursor), (&None, &Some(7.into())));
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    let _next = fixture.engine().await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, sync.counts.created), (SyncStatus::Succeeded, 3), "{:?}", sync.failure);
}

#[tokio::test]
async fn a_sync_that_comes_to_nothing_three_times_is_given_up() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|_request, _out| std::future::pending());
    let fixture = Arc::new(fixture);
    let id = queued(&fixture).await;
    for attempt in 1..=3 {
        lost_during(&fixture, id, attempt).await;
    }
    let _last = fixture.engine().await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!(sync.status, SyncStatus::Failed);
    assert_eq!(sync.failure.unwrap().code, "sync.crash_loop");
}

#[tokio::test]
async fn an_orderly_stop_is_no_attempt_in_vain() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|_request, _out| std::future::pending());
    let id = queued(&fixture).await;
    for attempt in 1..=5 {
        let engine = fixture.engine().await;
        began(&fixture, id, attempt).await;
        engine.stop(GRACE).await;
    }
    assert_eq!(fixture.sync(id).await.status, SyncStatus::Running, "it goes on for ever, if need be");
}

/// A sync that is queued, with no engine to run it.
async fn queued(fixture: &Fixture) -> SyncId {
    let engine = fixture.engine_with(EngineOptions { running_syncs: 0, ..options() }).await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    engine.stop(GRACE).await;
    id
}

/// An engine that is lost with all its tasks, as by `kill -9`, once the attempt has begun.
async fn lost_during(fixture: &Arc<Fixture>, id: SyncId, attempt: u32) {
    let fixture = Arc::clone(fixture);
    let life = move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let _engine = fixture.engine().await;
            began(&fixture, id, attempt).await;
        });
        runtime.shutdown_background();
    };
    tokio::task::spawn_blocking(life).await.unwrap();
}

/// Waits until the store knows the attempt.
async fn began(fixture: &Fixture, id: SyncId, attempt: u32) {
    let waiting = async {
        loop {
            let run = fixture.store().await.run(id).await.unwrap();
            if run.is_some_and(|run| run.attempt == attempt) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(GRACE, waiting).await.expect("the attempt begins");
}

#[tokio::test]
async fn a_cancel_that_a_restart_interrupted_is_carried_out() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|_request, _out| std::future::pending());
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    began(&fixture, id, 1).await;
    engine.stop(GRACE).await;
    let now = inlet_model::Clock::now(&inlet_model::SystemClock);
    fixture.catalog.sync_cancel(fixture.connector.id, Some(id), now).await.unwrap();
    assert_eq!(fixture.sync(id).await.status, SyncStatus::Cancelling);
    let _next = fixture.engine().await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!(sync.status, SyncStatus::Cancelled);
}

/// An attempt may fail before it has gone on with the run of the one before.
#[tokio::test]
async fn a_sync_that_cannot_go_on_after_a_restart_fails_with_what_it_had() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(list_three_and_hang);
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    engine.stop(GRACE).await;

    fixture.build(Build::Fails);
    let _next = fixture.engine().await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, sync.attempt, sync.counts.created), (SyncStatus::Failed, 2, 3));
    assert_eq!(sync.failure.as_ref().unwrap().code, "connector.config_invalid");
    assert_eq!(sync.streams[0].error, sync.failure);
    let run = fixture.store().await.run(id).await.unwrap().expect("it had begun");
    assert_eq!((run.counts, run.finished_at), (sync.counts, sync.finished_at), "the run has ended too");
}
