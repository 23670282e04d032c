//! Runs: how one begins, and goes on after a restart.

use inlet_model::Counts;
use serde_json::json;

use super::given::{Given, name};
use super::items::{WHOLE, data_of, put, puts, stream_failed};
use crate::collection::{Phase, StreamProgress, StreamStatus};

/// A run that begins has counted nothing, and its streams are pending in the order in which they are read.
pub async fn a_run_begins_with_nothing_done(given: Given) {
    let connector = given.connector();
    let claim = given.claim(connector, &["t", "s"]);
    let start = given.begin(&claim).await;
    let now = given.last_now();
    let run = start.run;
    assert_eq!((run.sync_id, run.connector_id), (claim.sync_id, connector));
    assert_eq!((run.attempt, run.barren_attempts, run.phase), (1, 1, Phase::Reading));
    assert_eq!((run.started_at, run.finished_at), (now, None));
    assert_eq!((run.outcome, run.failure.clone(), run.counts), (None, None, Counts::default()));
    let pending = |stream| StreamProgress {
        name: name(stream),
        status: StreamStatus::Pending,
        counts: Counts::default(),
        error: None,
    };
    assert_eq!(run.streams, [pending("t"), pending("s")]);
    assert!(start.scopes.values().all(|scopes| scopes.is_empty()));
    assert!(start.unswept.is_empty());
    assert_eq!(given.run(&claim).await, run);
}

/// The run of a sync that never began is `None`, and it has refused nothing.
pub async fn the_run_of_an_unknown_sync_is_none(given: Given) {
    let claim = given.claim(given.connector(), &["s"]);
    assert_eq!(given.try_run(claim.sync_id).await, None);
    assert_eq!(given.rejected(&claim).await, []);
}

/// To begin under the same fence again changes nothing, before the first commit and after it.
pub async fn to_begin_again_under_one_fence_changes_nothing(given: Given) {
    let claim = given.begun(given.connector(), &["s"]).await;
    let before = given.run(&claim).await;
    assert_eq!(given.begin(&claim).await.run, before);
    given.commit(&claim, vec![given.records_to("s", WHOLE, &[put(1, "a")], json!(1))]).await;
    let before = given.run(&claim).await;
    let start = given.begin(&claim).await;
    assert_eq!(start.run, before);
    assert_eq!(given.run(&claim).await, before);
    assert_eq!(given.cursor(&claim, "s", WHOLE).await, Some(json!(1)));
}

/// The next attempt finds the counters of those before, and counts on.
pub async fn an_attempt_goes_on_with_the_counters_of_those_before(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    let started_at = given.run(&sync).await.started_at;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=2, "a"))]).await;
    let counts = given.counts(&sync).await;
    let given = given.reopened().await;
    let sync = given.taken_over(&sync);
    let run = given.begin(&sync).await.run;
    assert_eq!((run.attempt, run.counts, run.started_at), (2, counts, started_at));
    assert_eq!(run.streams[0].counts, counts);
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &puts(2..=3, "a"))]).await;
    assert_eq!((receipt.counts.read, receipt.counts.created, receipt.counts.unchanged), (4, 3, 1));
}

/// Attempts in a row that ended without a commit are counted, the present one until its first.
pub async fn barren_attempts_are_counted_until_a_commit(given: Given) {
    let mut sync = given.begun(given.connector(), &["s"]).await;
    let mut given = given;
    for barren in 1..=3 {
        assert_eq!(given.run(&sync).await.barren_attempts, barren);
        given = given.reopened().await;
        sync = given.begun_again(&sync).await;
    }
    assert_eq!(given.begin(&sync).await.run.barren_attempts, 4);
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    assert_eq!(given.run(&sync).await.barren_attempts, 0);
    let sync = given.begun_again(&sync).await;
    assert_eq!(given.run(&sync).await.barren_attempts, 1);
    assert_eq!(given.run(&sync).await.attempt, 5);
}

/// A commit that was refused leaves the attempt barren.
pub async fn a_refused_commit_leaves_an_attempt_barren(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    sync.cancel.raise();
    let commit = given.try_commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    assert!(commit.is_err());
    assert_eq!(given.run(&sync).await.barren_attempts, 1);
    let sync = given.begun_again(&sync).await;
    assert_eq!(given.run(&sync).await.barren_attempts, 2);
}

/// The generation is one for all attempts of a sync, and greater for the next.
pub async fn the_generation_grows_from_sync_to_sync(given: Given) {
    let connector = given.connector();
    let mut last = 0;
    let mut given = given;
    for _ in 0..3 {
        let mut sync = given.begun(connector, &["s"]).await;
        let generation = given.run(&sync).await.generation;
        assert!(generation > last);
        for _ in 0..2 {
            given = given.reopened().await;
            sync = given.begun_again(&sync).await;
            assert_eq!(given.run(&sync).await.generation, generation);
        }
        given.finish(&sync).await;
        last = generation;
    }
}

/// A stream is pending until something of it is committed, then running, until it has ended.
pub async fn a_streams_status_follows_its_commits(given: Given) {
    let sync = given.begun(given.connector(), &["a", "b", "c", "d"]).await;
    let items = vec![
        given.records("a", WHOLE, &[put(1, "a")]),
        super::items::stream_end("a"),
        given.records("b", WHOLE, &[put(1, "b")]),
        stream_failed("b"),
        given.records("c", WHOLE, &[put(1, "c")]),
    ];
    given.commit(&sync, items).await;
    let run = given.run(&sync).await;
    let statuses: Vec<_> = run.streams.iter().map(|stream| stream.status).collect();
    use StreamStatus::{Failed, Pending, Running, Succeeded};
    assert_eq!(statuses, [Succeeded, Failed, Running, Pending]);
    let errors: Vec<_> = run.streams.iter().map(|stream| stream.error.clone()).collect();
    assert_eq!(errors, [None, Some(super::given::a_failure()), None, None]);
    assert_eq!(run.outcome, None);
}

/// A run's counters are the sum of its streams'.
pub async fn a_run_counts_each_stream_and_their_sum(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    given.commit(&sync, vec![given.records("t", WHOLE, &puts(1..=3, "t"))]).await;
    given
        .commit(
            &sync,
            vec![given.records("s", WHOLE, &[put(1, "a")]), given.records("t", WHOLE, &[put(1, "u")])],
        )
        .await;
    let run = given.run(&sync).await;
    let bytes_of =
        |lines: &[(i64, &str)]| lines.iter().map(|(id, v)| data_of(*id, v).len() as u64).sum::<u64>();
    let s = Counts { read: 1, created: 1, bytes: bytes_of(&[(1, "a")]), ..Counts::default() };
    let bytes = bytes_of(&[(1, "t"), (2, "t"), (3, "t"), (1, "u")]);
    let t = Counts { read: 4, created: 3, updated: 1, bytes, ..Counts::default() };
    assert_eq!((run.streams[0].counts, run.streams[1].counts), (s, t));
    let mut sum = s;
    sum += t;
    assert_eq!(run.counts, sum);
}

/// The time of the last progress is that of the last commit of records.
pub async fn the_last_progress_is_the_last_commit_of_records(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    for value in ["a", "b"] {
        given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, value)])]).await;
        assert_eq!(given.run(&sync).await.last_progress_at, given.last_now());
    }
}

/// An attempt that begins without naming any stream, only to end the sync, keeps what was done.
pub async fn an_attempt_without_streams_keeps_what_was_done(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records_to("s", WHOLE, &puts(1..=2, "a"), json!(1))]).await;
    let before = given.run(&sync).await;
    let mut taken_over = given.taken_over(&sync);
    taken_over.streams.clear();
    let run = given.begin(&taken_over).await.run;
    assert_eq!((run.counts, &run.streams), (before.counts, &before.streams));
    let run = given.finish(&taken_over).await;
    assert_eq!((run.counts, run.streams[0].counts), (before.counts, before.streams[0].counts));
    let next = given.begun(sync.connector_id, &["s"]).await;
    assert_eq!(given.cursor(&next, "s", WHOLE).await, Some(json!(1)));
}

/// While it deletes what its listings did not see, a run is sweeping.
pub async fn a_run_that_sweeps_says_so(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=5, "a"), json!(1))).await;
    assert_eq!(given.run(&first).await.phase, Phase::Reading);
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", WHOLE, &[], json!(2))).await;
    assert!(!given.sweep_step(&second, "s", 2).await.done);
    assert_eq!(given.run(&second).await.phase, Phase::Sweeping);
    given.sweep(&second, "s").await;
    assert_eq!(given.finish(&second).await.phase, Phase::Ended);
}
