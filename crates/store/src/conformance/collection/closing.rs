//! Closing a connector: from then on nothing is written for it.

use inlet_model::sync::Outcome;

use super::given::{Claim, Given, kind};
use super::items::{WHOLE, inbox_taken, put, puts};
use crate::StoreErrorKind::Fenced;

/// A closed connector takes no commit, no sweep, no run and no push, whatever its fence.
pub async fn a_closed_connector_takes_nothing(given: Given) {
    let sync = about_to_sweep(&given).await;
    given.store.close_connector(sync.connector_id).await.unwrap();
    assert_closed(&given, &sync).await;
    let given = given.reopened().await;
    assert_closed(&given, &sync).await;
}

/// Its records stay, and what its syncs did can be read.
pub async fn a_closed_connector_keeps_its_records(given: Given) {
    let sync = about_to_sweep(&given).await;
    let (records, feed, run) = (given.all_records().await, given.feed().await, given.run(&sync).await);
    given.store.close_connector(sync.connector_id).await.unwrap();
    assert_eq!(given.all_records().await, records);
    assert_eq!(given.feed().await, feed);
    assert_eq!(given.run(&sync).await, run);
}

/// Its pushes are not read any more.
pub async fn a_closed_connector_shows_an_empty_inbox(given: Given) {
    let connector = given.connector();
    given.pushed(connector, "s", b"{}").await;
    given.pushed(connector, "t", b"{}").await;
    given.store.close_connector(connector).await.unwrap();
    assert_eq!(given.inbox(connector).await, []);
}

/// Its pushes are dropped in steps of about so many bytes, at least one in each, and there is an end to it.
pub async fn pushes_to_a_closed_connector_are_dropped_in_bounded_steps(given: Given) {
    let (connector, other) = (given.connector(), given.connector());
    for _ in 0..5 {
        given.pushed(connector, "s", b"{\"a\":1}").await;
    }
    let kept = given.pushed(other, "s", b"{}").await;
    given.store.close_connector(connector).await.unwrap();
    let mut steps = 0;
    while !given.store.drop_pushes(connector, 10).await.unwrap() {
        steps += 1;
        assert!(steps < 10, "it does not end");
    }
    assert_eq!(steps, 2, "ten bytes are reached with the second");
    assert!(given.store.drop_pushes(connector, 10).await.unwrap());
    assert_eq!(given.inbox(other).await[0].1[0].seq, kept);
}

/// Pushes to a connector that is not closed wait for its sync.
pub async fn pushes_to_an_open_connector_are_not_dropped(given: Given) {
    let connector = given.connector();
    given.pushed(connector, "s", b"{}").await;
    let before = given.inbox(connector).await;
    assert!(given.store.drop_pushes(connector, 1 << 20).await.unwrap());
    assert_eq!(given.inbox(connector).await, before);
}

/// Other connectors do not notice.
pub async fn other_connectors_do_not_notice(given: Given) {
    let closed = about_to_sweep(&given).await;
    let other = given.begun(given.connector(), &["s"]).await;
    let seq = given.pushed(other.connector_id, "s", b"{}").await;
    given.store.close_connector(closed.connector_id).await.unwrap();
    assert_eq!(given.inbox(other.connector_id).await.len(), 1);
    let items = vec![given.records("s", WHOLE, &[put(1, "other")]), inbox_taken("s", seq)];
    given.commit(&other, items).await;
    given.finish(&other).await;
    given.begun(other.connector_id, &["s"]).await;
    given.pushed(other.connector_id, "s", b"{}").await;
}

/// To close it twice is to close it; one that was never heard of is closed too.
pub async fn a_connector_can_be_closed_twice_and_before_it_was_used(given: Given) {
    let connector = given.connector();
    for _ in 0..2 {
        given.store.close_connector(connector).await.unwrap();
        assert_eq!(kind(given.try_begin(&given.claim(connector, &["s"])).await), Fenced);
        assert_eq!(kind(given.try_push(connector, "s", b"{}").await), Fenced);
    }
}

/// A close and a commit at the same time: the commit is there whole, or not at all, and none comes after.
pub async fn a_close_that_meets_a_commit_lets_it_through_or_not(given: Given) {
    for round in 0..10 {
        let sync = given.begun(given.connector(), &["s"]).await;
        let before = given.stats().await.records;
        let items = vec![given.records("s", WHOLE, &puts(0..50, "a"))];
        let closing = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            given.store.close_connector(sync.connector_id).await.unwrap();
        };
        let (result, ()) = tokio::join!(given.try_commit(&sync, items), closing);
        let written = result.map_or_else(
            |error| {
                assert_eq!(error.kind(), Fenced);
                0
            },
            |receipt| receipt.counts.created,
        );
        assert_eq!(given.stats().await.records - before, written);
        assert_eq!(kind(given.try_commit(&sync, Vec::new()).await), Fenced);
    }
}

async fn assert_closed(given: &Given, sync: &Claim) {
    let before = given.sight(sync).await;
    let commit = given.try_commit(sync, vec![given.records("s", WHOLE, &[put(9, "late")])]).await;
    assert_eq!(kind(commit), Fenced);
    assert_eq!(kind(given.try_sweep(sync, "s", 100).await), Fenced);
    assert_eq!(kind(given.try_finish(sync, Outcome::Succeeded).await), Fenced);
    assert_eq!(kind(given.try_begin(sync).await), Fenced);
    assert_eq!(kind(given.try_begin(&given.taken_over(sync)).await), Fenced);
    let new = given.claim(sync.connector_id, &["s"]);
    assert_eq!(kind(given.try_begin(&new).await), Fenced);
    assert_eq!(given.try_run(new.sync_id).await, None);
    assert_eq!(kind(given.try_push(sync.connector_id, "s", b"{}").await), Fenced);
    assert_eq!(given.sight(sync).await, before);
}

/// A sync whose listing waits to be swept.
async fn about_to_sweep(given: &Given) -> Claim {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), 1.into())).await;
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &[put(1, "a")], 2.into())).await;
    sync
}
