//! Sweeps: what a complete, certified listing did not see is deleted, in bounded steps.

use std::collections::BTreeSet;

use inlet_model::sync::Outcome;
use inlet_model::{ChangeOp, Scope};
use serde_json::json;

use super::given::{Claim, Given};
use super::items::{WHOLE, key_of, put, puts, scopes};

/// The sweep deletes exactly what was not seen, and says so in the feed and in the counters.
pub async fn a_sweep_deletes_exactly_what_was_not_seen(given: Given) {
    let sync = five_unseen_of_ten(&given).await;
    let before = given.feed().await;
    assert_eq!(given.sweep(&sync, "s").await, 5);
    assert_eq!(given.ids("s").await, [1, 3, 5, 7, 9]);
    let tombstones = given.changes_after(before.len() as u64).await;
    let keys: BTreeSet<_> = tombstones.iter().map(|change| change.key.clone()).collect();
    assert_eq!(keys, [2, 4, 6, 8, 10].map(key_of).into());
    for (number, change) in (before.len() as u64 + 1..).zip(&tombstones) {
        let created = before.iter().find(|earlier| earlier.key == change.key).unwrap();
        assert_eq!((change.change, change.op, change.data.as_ref()), (number, ChangeOp::Deleted, None));
        assert_eq!((change.previous, change.sync_id), (created.change, Some(sync.sync_id)));
        assert_eq!((change.connector_id, change.stream.as_str()), (sync.connector_id, "s"));
    }
    let run = given.run(&sync).await;
    assert_eq!((run.counts.deleted, run.streams[0].counts.deleted), (5, 5));
    assert!(run.counts.add_up());
    assert_eq!(given.stats().await.records, 5);
    assert_eq!(given.stats().await.last_change, before.len() as u64 + 5);
}

/// What the listing created or changed is seen by it.
pub async fn what_the_listing_wrote_is_not_swept(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    let lines = [put(1, "a"), put(2, "changed"), put(4, "new")];
    given.commit(&second, given.whole_listing("s", WHOLE, &lines, json!(2))).await;
    assert_eq!(given.sweep(&second, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 2, 4]);
}

/// A step deletes at most so many records as it may look at keys, and says how many.
pub async fn a_sweep_goes_in_bounded_steps(given: Given) {
    let sync = five_unseen_of_ten(&given).await;
    let mut deleted = 0;
    for _ in 0..100 {
        let before = given.stats().await;
        let progress = given.sweep_step(&sync, "s", 2).await;
        let after = given.stats().await;
        assert!(progress.deleted <= 2);
        assert_eq!(before.records - after.records, progress.deleted);
        assert_eq!(after.last_change - before.last_change, progress.deleted);
        deleted += progress.deleted;
        assert_eq!(given.counts(&sync).await.deleted, deleted);
        if progress.done {
            break;
        }
        assert_eq!(given.unswept(&sync).await, ["s"]);
    }
    assert_eq!(deleted, 5);
    assert_eq!(given.ids("s").await, [1, 3, 5, 7, 9]);
    assert!(given.unswept(&sync).await.is_empty());
}

/// Each step of a sweep is durable, and the next goes on behind it, after a restart too.
pub async fn a_sweep_goes_on_after_a_restart(given: Given) {
    let mut sync = five_unseen_of_ten(&given).await;
    let mut given = given;
    let mut deleted = 0;
    for _ in 0..100 {
        let progress = given.sweep_step(&sync, "s", 1).await;
        deleted += progress.deleted;
        given = given.reopened().await;
        sync = given.begun_again(&sync).await;
        assert_eq!(given.counts(&sync).await.deleted, deleted);
        assert_eq!(given.unswept(&sync).await.is_empty(), progress.done);
        if progress.done {
            break;
        }
    }
    assert_eq!(deleted, 5);
    assert_eq!(given.ids("s").await, [1, 3, 5, 7, 9]);
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(2)));
}

/// The cursor is set and the listing closed when the sweep is through. A run that begins before that sweeps before it
/// reads, so it may be told of the scope as it will be then; what a full refresh drops is not among it.
pub async fn the_cursor_is_set_when_the_sweep_is_through(given: Given) {
    let sync = five_unseen_of_ten(&given).await;
    assert!(!given.sweep_step(&sync, "s", 1).await.done);
    given.try_finish(&sync, Outcome::Cancelled).await.unwrap();
    let next = given.claim(sync.connector_id, &["s"]).of_a_full_refresh();
    assert_eq!(given.begin(&next).await.unswept, [super::given::name("s")]);
    given.sweep(&next, "s").await;
    let state = given.scope(&next, "s", WHOLE).await;
    assert_eq!((state.cursor, state.listing), (Some(json!(2)), None));
    assert_eq!(state.listed_by, Some(given.run(&sync).await.generation));
}

/// With nothing to sweep a sweep is done at once.
pub async fn with_nothing_to_sweep_it_is_done_at_once(given: Given) {
    let sync = given.begun(given.connector(), &["s", "never written"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=5, "a"), json!(1))).await;
    for stream in ["s", "never written", "never named"] {
        let progress = given.sweep_step(&sync, stream, 1).await;
        assert_eq!((progress.deleted, progress.done), (0, true));
    }
}

/// A sweep that is through finds nothing more.
pub async fn a_sweep_that_is_through_finds_nothing_more(given: Given) {
    let sync = five_unseen_of_ten(&given).await;
    given.sweep(&sync, "s").await;
    let before = given.sight(&sync).await;
    let progress = given.sweep_step(&sync, "s", 100).await;
    assert_eq!((progress.deleted, progress.done), (0, true));
    assert_eq!(given.sight(&sync).await, before);
}

/// Another stream's listing, and another connector's, wait for their own sweep.
pub async fn a_sweep_keeps_to_its_stream_and_connector(given: Given) {
    let connectors = [given.connector(), given.connector()];
    for connector in connectors {
        let first = given.begun(connector, &["s", "t"]).await;
        given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=2, "a"), json!(1))).await;
        given.commit(&first, given.whole_listing("t", WHOLE, &puts(1..=2, "a"), json!(1))).await;
        given.finish(&first).await;
    }
    let mut claims = Vec::new();
    for connector in connectors {
        let sync = given.begun(connector, &["s", "t"]).await;
        given.commit(&sync, given.whole_listing("s", WHOLE, &[put(1, "a")], json!(2))).await;
        given.commit(&sync, given.whole_listing("t", WHOLE, &[put(1, "a")], json!(2))).await;
        claims.push(sync);
    }
    assert_eq!(given.unswept(&claims[0]).await, ["s", "t"]);
    assert_eq!(given.sweep(&claims[0], "s").await, 1);
    assert_eq!(given.unswept(&claims[0]).await, ["t"]);
    assert_eq!(given.unswept(&claims[1]).await, ["s", "t"]);
    assert_eq!(given.ids("s").await, [1, 1, 2]);
    assert_eq!(given.ids("t").await, [1, 1, 2, 2]);
}

/// One sweep goes through all scopes of the stream that are complete, and leaves those that are not.
pub async fn a_sweep_goes_through_all_complete_scopes(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    for (scope, ids) in [("a", [1, 2]), ("b", [3, 4]), ("c", [5, 6]), ("d", [7, 8])] {
        given.commit(&first, given.whole_listing("s", scope, &puts(ids, "a"), json!(1))).await;
    }
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", "a", &[put(1, "a")], json!(2))).await;
    given.commit(&second, given.whole_listing("s", "c", &[put(6, "b")], json!(2))).await;
    given
        .commit(&second, vec![super::items::listing("s", "d"), given.records("s", "d", &[put(7, "a")])])
        .await;
    let mut deleted = 0;
    for _ in 0..100 {
        let progress = given.sweep_step(&second, "s", 1).await;
        deleted += progress.deleted;
        if progress.done {
            break;
        }
    }
    assert_eq!(deleted, 2);
    assert_eq!(given.ids("s").await, [1, 3, 4, 6, 7, 8]);
    let scopes = given.scopes(&second, "s").await;
    let cursor = |scope: &str| scopes[&Scope::new(scope)].cursor.clone();
    assert_eq!((cursor("a"), cursor("b"), cursor("c")), (Some(json!(2)), Some(json!(1)), Some(json!(2))));
    assert!(scopes[&Scope::new("d")].listing.is_some());
}

/// What is completed, or found to be gone, while a sweep is under way is swept as well, wherever the sweep stands.
pub async fn a_sweep_covers_what_is_completed_while_it_is_under_way(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    for (scope, ids) in [("low", [1, 2]), ("gone", [3, 4]), ("high", [8, 9])] {
        given.commit(&first, given.whole_listing("s", scope, &puts(ids, "a"), json!(1))).await;
    }
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", "high", &[], json!(2))).await;
    for _ in 0..5 {
        given.sweep_step(&second, "s", 1).await;
    }
    given.commit(&second, given.whole_listing("s", "low", &[put(2, "a")], json!(2))).await;
    for _ in 0..5 {
        given.sweep_step(&second, "s", 1).await;
    }
    given.commit(&second, vec![scopes("s", &["low", "high"])]).await;
    given.sweep(&second, "s").await;
    assert_eq!(given.ids("s").await, [2]);
    assert!(given.unswept(&second).await.is_empty());
}

/// What one sync left unswept the next is told of, and its sweep's changes are that one's.
pub async fn the_next_sync_sweeps_what_was_left(given: Given) {
    let left = five_unseen_of_ten(&given).await;
    given.sweep_step(&left, "s", 3).await;
    let swept_before = given.counts(&left).await.deleted;
    given.finish(&left).await;
    let given = given.reopened().await;
    let next = given.claim(left.connector_id, &["s"]);
    let start = given.begin(&next).await;
    assert_eq!(start.unswept, [super::given::name("s")]);
    let last_change = given.stats().await.last_change;
    assert_eq!(given.sweep(&next, "s").await, 5 - swept_before);
    assert!(given.changes_after(last_change).await.iter().all(|change| change.sync_id == Some(next.sync_id)));
    assert_eq!(given.counts(&next).await.deleted, 5 - swept_before);
    assert_eq!(given.counts(&left).await.deleted, swept_before);
    assert_eq!(given.cursor(&next, "s", WHOLE).await, Some(json!(2)));
    assert_eq!(given.ids("s").await, [1, 3, 5, 7, 9]);
}

/// Thousands of records, seen and not, in steps of hundreds.
pub async fn a_large_sweep_deletes_what_it_should(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(0..4_000, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    let seen = puts((0..4_000).filter(|id| id % 3 == 0), "a");
    given.commit(&second, given.whole_listing("s", WHOLE, &seen, json!(2))).await;
    assert_eq!(given.sweep(&second, "s").await, 2_666);
    let expected: Vec<i64> = (0..4_000).filter(|id| id % 3 == 0).collect();
    assert_eq!(given.ids("s").await, expected);
    let feed = given.feed().await;
    assert!((1..=6_666).eq(feed.iter().map(|change| change.change)));
}

/// Records 1 to 10, of which a complete and certified listing has seen the odd ones.
async fn five_unseen_of_ten(given: &Given) -> Claim {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=10, "a"), json!(1))).await;
    given.finish(&first).await;
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", WHOLE, &puts([1, 3, 5, 7, 9], "a"), json!(2))).await;
    second
}
