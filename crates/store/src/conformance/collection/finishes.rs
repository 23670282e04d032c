//! The end of a run.

use inlet_model::sync::{Failure, Outcome};

use super::given::{Given, a_failure, kind, name};
use super::items::{WHOLE, put, puts, stream_end, stream_failed};
use crate::collection::{Item, Phase, Run, StreamStatus};

/// A run ends as it is told, and is given as it ended.
pub async fn a_run_ends_as_it_is_told(given: Given) {
    let ends = [(Outcome::Succeeded, None), (Outcome::Failed, Some(a_failure())), (Outcome::Cancelled, None)];
    let connector = given.connector();
    for (outcome, failure) in ends {
        let sync = given.begun(connector, &["s", "t"]).await;
        given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=2, "a")), stream_failed("s")]).await;
        let before = given.run(&sync).await;
        let run = given.try_finish(&sync, outcome).await.unwrap();
        assert_eq!((run.outcome, run.phase, run.failure.clone()), (Some(outcome), Phase::Ended, failure));
        assert_eq!(run.finished_at, Some(given.last_now()));
        assert_eq!((run.counts, run.generation, run.attempt), (before.counts, before.generation, 1));
        assert_eq!(run.streams[0], before.streams[0]);
        assert_eq!(run.streams[0].status, StreamStatus::Failed);
        assert_eq!(given.run(&sync).await, run);
    }
}

/// A stream that is not complete when its run ends fails with the run, or is cancelled if the run did not fail.
pub async fn a_stream_that_is_not_complete_when_its_run_ends_is_given_up(given: Given) {
    use StreamStatus::{Cancelled, Failed, Succeeded};
    let connector = given.connector();
    let own = Failure { code: "source.other".to_owned(), ..a_failure() };
    for outcome in [Outcome::Failed, Outcome::Cancelled, Outcome::Succeeded] {
        let sync = given.begun(connector, &["a", "b", "c", "d"]).await;
        let items = vec![
            given.records("a", WHOLE, &[put(1, "a")]),
            stream_end("a"),
            Item::StreamEnd { stream: name("b"), failure: Some(own.clone()) },
            given.records("c", WHOLE, &[put(1, "c")]),
        ];
        given.commit(&sync, items).await;
        let before = given.run(&sync).await;
        let run = given.try_finish(&sync, outcome).await.unwrap();
        let (given_up, why) = match outcome {
            Outcome::Failed => (Failed, Some(a_failure())),
            Outcome::Cancelled | Outcome::Succeeded => (Cancelled, None),
        };
        assert_eq!(statuses(&run), [Succeeded, Failed, given_up, given_up]);
        let errors: Vec<_> = run.streams.iter().map(|stream| stream.error.clone()).collect();
        assert_eq!(errors, [None, Some(own.clone()), why.clone(), why]);
        assert_eq!(run.counts, before.counts, "what it counted stays");
        assert_eq!(given.run(&sync).await, run);
    }
}

/// A stream that was read to its end is not complete before what is gone from it is deleted.
pub async fn a_stream_that_waits_to_be_swept_when_its_run_ends_is_given_up(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s", "t"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=5, "a"), 1.into())).await;
    given.finish(&first).await;
    for (max_keys, expected) in [(2, StreamStatus::Cancelled), (100, StreamStatus::Succeeded)] {
        let sync = given.begun(connector, &["s", "t"]).await;
        let mut items = given.whole_listing("s", WHOLE, &puts(1..=3, "a"), 2.into());
        items.extend([stream_end("s"), stream_end("t")]);
        given.commit(&sync, items).await;
        assert_eq!(statuses(&given.run(&sync).await), [StreamStatus::Succeeded; 2]);
        given.sweep_step(&sync, "s", max_keys).await;
        let run = given.try_finish(&sync, Outcome::Cancelled).await.unwrap();
        assert_eq!(statuses(&run), [expected, StreamStatus::Succeeded]);
    }
}

fn statuses(run: &Run) -> Vec<StreamStatus> {
    run.streams.iter().map(|stream| stream.status).collect()
}

/// A run that has ended stays as it ended, whatever it is told then.
pub async fn a_run_that_has_ended_stays_as_it_ended(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let ended = given.try_finish(&sync, Outcome::Failed).await.unwrap();
    let given = given.reopened().await;
    for outcome in [Outcome::Failed, Outcome::Succeeded, Outcome::Cancelled] {
        assert_eq!(given.try_finish(&sync, outcome).await.unwrap(), ended);
    }
    assert_eq!(given.run(&sync).await, ended);
}

/// A run that has ended writes nothing more.
pub async fn a_run_that_has_ended_writes_nothing_more(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), 1.into())).await;
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &[put(1, "a")], 2.into())).await;
    given.finish(&sync).await;
    let before = given.sight(&sync).await;
    assert!(given.try_commit(&sync, vec![given.records("s", WHOLE, &[put(4, "a")])]).await.is_err());
    assert!(given.try_sweep(&sync, "s", 100).await.is_err());
    assert_eq!(given.sight(&sync).await, before);
}

/// A run that never began cannot end.
pub async fn a_run_that_never_began_cannot_end(given: Given) {
    let sync = given.claim(given.connector(), &["s"]);
    kind(given.try_finish(&sync, Outcome::Succeeded).await);
    assert_eq!(given.try_run(sync.sync_id).await, None);
}

/// A run whose sync ended without telling it ends when the connector's next begins, with what it had done.
pub async fn a_run_whose_connector_the_next_takes_ends_as_cancelled(given: Given) {
    let connector = given.connector();
    let left = given.begun(connector, &["s", "t"]).await;
    given.commit(&left, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), 1.into())).await;
    given.commit(&left, vec![stream_end("s"), given.records("t", WHOLE, &[put(1, "a")])]).await;
    let before = given.run(&left).await;
    let again = given.begun_again(&left).await;
    assert_eq!(given.run(&again).await.outcome, None, "it was only gone on with");
    let next = given.begun(connector, &["s"]).await;
    let run = given.run(&left).await;
    assert_eq!((run.outcome, run.phase, run.counts), (Some(Outcome::Cancelled), Phase::Ended, before.counts));
    assert!(run.finished_at.is_some() && run.failure.is_none());
    assert_eq!(statuses(&run), [StreamStatus::Cancelled, StreamStatus::Cancelled]);
    assert_eq!(given.try_finish(&again, Outcome::Succeeded).await.unwrap(), run);
    // One that has ended stays as it is.
    let ended = given.finish(&next).await;
    given.begun(connector, &["s"]).await;
    assert_eq!(given.run(&next).await, ended);
}

/// A run that ends in the midst of a listing leaves it to the next, with its records.
pub async fn what_a_run_committed_stays_when_it_fails(given: Given) {
    let connector = given.connector();
    let sync = given.begun(connector, &["s"]).await;
    let items =
        vec![super::items::listing("s", WHOLE), given.records_to("s", WHOLE, &puts(1..=2, "a"), 2.into())];
    given.commit(&sync, items).await;
    given.try_finish(&sync, Outcome::Failed).await.unwrap();
    assert_eq!(given.ids("s").await, [1, 2]);
    let next = given.begun(connector, &["s"]).await;
    assert_eq!(given.scope(&next, "s", WHOLE).await.listing.unwrap().position, Some(2.into()));
}
