//! Cancel: after the flag is up, nothing of the sync becomes durable but its end.

use inlet_model::sync::Outcome;
use serde_json::json;

use super::given::{Claim, Given, kind};
use super::items::{
    Line, WHOLE, complete, gone, inbox_taken, listing, put, puts, scopes, stream_end, unchanged,
};
use crate::StoreErrorKind::Cancelled;
use crate::collection::CancelFlag;

/// A commit under a raised flag is refused, and leaves no trace of any kind.
pub async fn a_cancelled_commit_leaves_no_trace(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    given.commit(&sync, given.whole_listing("s", "a", &puts(1..=3, "a"), json!("a"))).await;
    let items = vec![listing("s", "b"), given.records_to("s", "b", &puts(4..=5, "a"), json!(5))];
    given.commit(&sync, items).await;
    given.pushed(sync.connector_id, "t", b"{}").await;
    let (before, scopes_before) = (given.sight(&sync).await, given.scopes(&sync, "s").await);
    sync.cancel.raise();
    let refused = vec![
        given.records_to("s", "b", &[put(6, "a"), put(4, "twice"), Line::Refused], json!(6)),
        complete("s", "b", json!("b")),
        unchanged("s", "a"),
        scopes("s", &["b"]),
        given.records_to("t", WHOLE, &[put(1, "t"), gone(1)], json!("t")),
        inbox_taken("t", 1 << 40),
        stream_end("t"),
    ];
    assert_eq!(kind(given.try_commit(&sync, refused).await), Cancelled);
    assert_eq!(given.sight(&sync).await, before);
    assert_eq!(given.scopes(&sync, "s").await, scopes_before);
    assert!(given.scopes(&sync, "t").await.is_empty());
    assert!(given.unswept(&sync).await.is_empty());
}

/// A refused commit has seen nothing, neither as a duplicate nor for the sweep, though the very run goes on.
pub async fn a_cancelled_commit_has_seen_nothing(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=4, "a"), json!(1))).await;
    let sync = given.begun(connector, &["s"]).await;
    given
        .commit(&sync, vec![listing("s", WHOLE), given.records_to("s", WHOLE, &[put(1, "a")], json!(1))])
        .await;
    cancelled_commit(&given, &sync, &[put(2, "a"), put(3, "b"), put(4, "a")]).await;
    let items = vec![given.records("s", WHOLE, &[put(2, "a"), put(3, "c")]), complete("s", WHOLE, json!(2))];
    let receipt = given.commit(&sync, items).await;
    assert_eq!((receipt.counts.rejected, receipt.counts.unchanged, receipt.counts.updated), (0, 2, 1));
    assert_eq!(given.sweep(&sync, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
}

/// The numbers of changes that were refused are given to the next.
pub async fn a_cancelled_commit_uses_up_no_number(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=2, "a"))]).await;
    cancelled_commit(&given, &sync, &puts(1..=600, "b")).await;
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &[put(3, "a"), put(1, "c")])]).await;
    assert_eq!((receipt.counts.created, receipt.counts.updated, receipt.last_change), (3, 1, 4));
    let feed = given.feed().await;
    assert!((1..=4).eq(feed.iter().map(|change| change.change)));
    assert_eq!(feed[3].previous, 1);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
    // Nor has it made a listing that was not there.
    assert!(given.scope(&sync, "s", WHOLE).await.listing.is_none());
}

/// A step of a sweep under a raised flag is refused, and deletes nothing.
pub async fn a_cancelled_sweep_deletes_nothing(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=5, "a"), json!(1))).await;
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &[], json!(2))).await;
    given.sweep_step(&sync, "s", 2).await;
    let before = given.sight(&sync).await;
    sync.cancel.raise();
    assert_eq!(kind(given.try_sweep(&sync, "s", 2).await), Cancelled);
    assert_eq!(given.sight(&sync).await, before);
    given.try_finish(&sync, Outcome::Cancelled).await.unwrap();
    let next = given.begun(connector, &["s"]).await;
    assert_eq!(given.unswept(&next).await, ["s"]);
    given.sweep(&next, "s").await;
    assert_eq!(given.stats().await.records, 0);
    assert_eq!(given.stats().await.last_change, 10);
}

/// A cancelled sync can still be ended.
pub async fn a_cancelled_run_can_end(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records_to("s", WHOLE, &[put(1, "a")], json!(1))]).await;
    sync.cancel.raise();
    let run = given.try_finish(&sync, Outcome::Cancelled).await.unwrap();
    assert_eq!((run.outcome, run.counts.created), (Some(Outcome::Cancelled), 1));
    let next = given.begun(sync.connector_id, &["s"]).await;
    assert_eq!(given.cursor(&next, "s", WHOLE).await, Some(json!(1)));
    given.commit(&next, vec![given.records("s", WHOLE, &[put(2, "a")])]).await;
}

/// And in no other way, though it had done all there was to do.
pub async fn a_cancelled_run_ends_as_cancelled_alone(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    sync.cancel.raise();
    for other in [Outcome::Succeeded, Outcome::Failed] {
        assert_eq!(kind(given.try_finish(&sync, other).await), Cancelled);
        assert_eq!(given.run(&sync).await.outcome, None);
    }
    given.try_finish(&sync, Outcome::Cancelled).await.unwrap();
    let stays = given.try_finish(&sync, Outcome::Succeeded).await.unwrap();
    assert_eq!(stays.outcome, Some(Outcome::Cancelled));
}

/// Whoever cancels a sync can tell that nothing of it is becoming durable.
pub async fn nothing_passes_a_flag_for_longer_than_its_write(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    given.sweep(&sync, "s").await;
    assert!(!sync.cancel.is_being_passed());
    cancelled_commit(&given, &sync, &puts(1..=2, "b")).await;
    given.finish(&sync).await;
    assert!(!sync.cancel.is_being_passed());
}

/// The flag concerns the one sync: what others write at the same time goes on.
pub async fn a_cancel_concerns_its_sync_alone(given: Given) {
    let one = given.begun(given.connector(), &["s"]).await;
    let two = given.begun(given.connector(), &["s"]).await;
    one.cancel.raise();
    let (refused, written) = tokio::join!(
        given.try_commit(&one, vec![given.records("s", WHOLE, &puts(1..=9, "one"))]),
        given.try_commit(&two, vec![given.records("s", WHOLE, &puts(1..=3, "two"))]),
    );
    assert_eq!(kind(refused), Cancelled);
    assert_eq!(written.unwrap().counts.created, 3);
    assert_eq!(given.stats().await.records, 3);
}

/// A flag raised while a commit is under way lets it through whole, or not at all.
pub async fn a_commit_that_meets_a_cancel_is_whole_or_not_there(given: Given) {
    let connector = given.connector();
    for round in 0..20 {
        let sync = given.begun(connector, &["s"]).await;
        let before = given.stats().await.last_change;
        let lines = puts(0..200, &round.to_string());
        let items = vec![given.records_to("s", WHOLE, &lines, json!(round))];
        let raising = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            sync.cancel.raise();
        };
        let (result, ()) = tokio::join!(given.try_commit(&sync, items), raising);
        let written = match result {
            Ok(receipt) => receipt.counts.read,
            Err(error) => {
                assert_eq!(error.kind(), Cancelled);
                0
            }
        };
        assert!(written == 0 || written == 200);
        assert_eq!(given.stats().await.last_change - before, written);
        assert_eq!(given.counts(&sync).await.read, written);
        let cursor = given.cursor(&sync, "s", WHOLE).await;
        assert_eq!(cursor == Some(json!(round)), written > 0);
    }
}

async fn cancelled_commit(given: &Given, sync: &Claim, lines: &[Line]) {
    let cancelled = Claim { cancel: CancelFlag::default(), ..sync.clone() };
    cancelled.cancel.raise();
    let items = vec![given.records_to("s", WHOLE, lines, json!("refused"))];
    assert_eq!(kind(given.try_commit(&cancelled, items).await), Cancelled);
}
