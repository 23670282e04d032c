//! Duplicates: the second record of a key in one listing is refused.

use serde_json::json;

use super::given::{Claim, Given};
use super::items::{Line, WHOLE, complete, data_of, listing, put, puts};
use crate::collection::Item;

/// The second record of a key in a listing is rejected, whatever it says, and the first stays.
pub async fn the_second_record_of_a_key_is_rejected(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let lines = [put(1, "a"), put(2, "x"), put(1, "b"), put(1, "a")];
    let receipt = given.commit(&sync, vec![listing("s", WHOLE), given.records("s", WHOLE, &lines)]).await;
    assert_eq!((receipt.counts.read, receipt.counts.created, receipt.counts.rejected), (4, 2, 2));
    assert_eq!(receipt.last_change, 2);
    assert_eq!(given.values("s").await, [(1, "a".to_owned()), (2, "x".to_owned())]);
    let rejected = given.rejected(&sync).await;
    assert_eq!(rejected.iter().map(|record| record.position).collect::<Vec<_>>(), [3, 4]);
    assert_eq!((rejected[0].stream.as_str(), rejected[0].scope.as_str()), ("s", WHOLE));
    assert!(rejected.iter().all(|record| record.code == "record.duplicate_key"));
    assert!(!rejected[0].reason.is_empty());
    assert_eq!(rejected[0].sample.as_bytes(), data_of(1, "b"));
}

/// The first may have been in an earlier batch of the commit.
pub async fn a_duplicate_in_another_batch_is_rejected(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let items = vec![
        listing("s", WHOLE),
        given.records("s", WHOLE, &[put(1, "a")]),
        given.records("s", WHOLE, &[put(1, "b")]),
    ];
    assert_eq!(given.commit(&sync, items).await.counts.rejected, 1);
    assert_eq!(given.values("s").await, [(1, "a".to_owned())]);
}

/// The first may have been in an earlier commit, whether it was created there, changed, or found as it was.
pub async fn a_duplicate_in_another_commit_is_rejected(given: Given) {
    let sync = half_listed(&given).await;
    given.commit(&sync, vec![given.records_to("s", WHOLE, &again(), json!(2))]).await;
    assert_duplicates(&given, &sync).await;
}

/// The first may have been seen before the store was closed and another attempt began.
pub async fn a_duplicate_in_another_attempt_is_rejected(given: Given) {
    let sync = half_listed(&given).await;
    let given = given.reopened().await;
    let sync = given.begun_again(&sync).await;
    given.commit(&sync, vec![given.records_to("s", WHOLE, &again(), json!(2))]).await;
    assert_duplicates(&given, &sync).await;
}

/// Or by the sync that left the listing open.
pub async fn a_duplicate_in_another_sync_of_the_listing_is_rejected(given: Given) {
    let sync = half_listed(&given).await;
    given.finish(&sync).await;
    let next = given.begun(sync.connector_id, &["s"]).await;
    given.commit(&next, vec![given.records_to("s", WHOLE, &again(), json!(2))]).await;
    assert_duplicates(&given, &next).await;
}

/// What was written before the listing began is no duplicate in it, not even in the same commit.
pub async fn what_was_written_before_the_listing_is_no_duplicate(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=2, "a"))]).await;
    let items = vec![
        given.records("s", WHOLE, &[put(2, "b"), put(3, "a"), put(4, "a")]),
        listing("s", WHOLE),
        given.records("s", WHOLE, &[put(1, "a"), put(2, "b"), put(3, "c")]),
        complete("s", WHOLE, json!(1)),
    ];
    let receipt = given.commit(&sync, items).await;
    assert_eq!((receipt.counts.unchanged, receipt.counts.updated, receipt.counts.rejected), (2, 2, 0));
    assert_eq!(given.sweep(&sync, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
}

/// The next listing meets the same keys, and they are no duplicates.
pub async fn the_next_listing_begins_anew(given: Given) {
    let connector = given.connector();
    for _ in 0..3 {
        let sync = given.begun(connector, &["s"]).await;
        let items = given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1));
        assert_eq!(given.commit(&sync, items).await.counts.rejected, 0);
        given.finish(&sync).await;
    }
}

/// A scope with duplicates gets no cursor, so that it is listed again next time.
pub async fn a_scope_with_duplicates_gets_no_cursor(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=2, "a"), json!(1))).await;
    assert_eq!(given.cursor(&first, "s", WHOLE).await, Some(json!(1)));
    let second = given.begun(connector, &["s"]).await;
    let lines = [put(1, "a"), put(2, "a"), put(1, "a")];
    given.commit(&second, given.whole_listing("s", WHOLE, &lines, json!(2))).await;
    let state = given.scope(&second, "s", WHOLE).await;
    assert_eq!((state.cursor, state.listing), (None, None));
}

/// So it is when the duplicate came commits before, and the store was opened anew since.
pub async fn a_scope_with_duplicates_in_an_earlier_attempt_gets_no_cursor(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let lines = [put(1, "a"), put(1, "b")];
    given.commit(&sync, vec![listing("s", WHOLE), given.records_to("s", WHOLE, &lines, json!(1))]).await;
    let given = given.reopened().await;
    let sync = given.begun_again(&sync).await;
    given
        .commit(&sync, vec![given.records("s", WHOLE, &[put(2, "a")]), complete("s", WHOLE, json!(2))])
        .await;
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, None);
}

/// And when it has something to sweep.
pub async fn a_scope_with_duplicates_gets_no_cursor_from_the_sweep(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", WHOLE, &[put(1, "a"), put(1, "b")], json!(2))).await;
    assert_eq!(given.sweep(&second, "s").await, 2);
    let state = given.scope(&second, "s", WHOLE).await;
    assert_eq!((state.cursor, state.listing), (None, None));
}

/// A listing without duplicates gives the scope a cursor again, also one that took the place of one with some.
pub async fn a_listing_without_duplicates_gets_its_cursor_again(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let lines = [put(1, "a"), put(1, "b")];
    given.commit(&sync, vec![listing("s", WHOLE), given.records("s", WHOLE, &lines)]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &[put(1, "b")], json!(1))).await;
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(1)));
    assert_eq!(given.values("s").await, [(1, "b".to_owned())]);
}

/// A listing that has seen record 1 as it was, 2 changed and 3 created; 4 was there and is not seen yet.
async fn half_listed(given: &Given) -> Claim {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts([1, 2, 4], "a"), json!(0))).await;
    given.finish(&first).await;
    let sync = given.begun(connector, &["s"]).await;
    let lines = [put(1, "a"), put(2, "b"), put(3, "a")];
    given.commit(&sync, vec![listing("s", WHOLE), given.records_to("s", WHOLE, &lines, json!(1))]).await;
    sync
}

fn again() -> Vec<Line> {
    vec![put(1, "c"), put(2, "c"), put(3, "a"), put(4, "c")]
}

async fn assert_duplicates(given: &Given, sync: &Claim) {
    let rejected = given.rejected(sync).await;
    assert_eq!(rejected.iter().map(|record| record.position).collect::<Vec<_>>(), [1, 2, 3]);
    let expected = [(1, "a"), (2, "b"), (3, "a"), (4, "c")].map(|(id, value)| (id, value.to_owned()));
    assert_eq!(given.values("s").await, expected);
}

/// A record that a complete listing did not see, and that waits for the sweep, may be found in a scope that is listed after it:
/// it has moved there, and stays. There is nothing to list again.
pub async fn a_record_that_waits_for_the_sweep_may_move(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "a", &puts(1..=2, "x"), json!(1))).await;
    given.commit(&first, given.whole_listing("s", "b", &[put(3, "x")], json!(1))).await;
    given.finish(&first).await;

    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", "a", &[put(1, "x")], json!(2))).await;
    let b = given.whole_listing("s", "b", &[put(2, "x"), put(3, "x")], json!(2));
    moved(&given, &second, b, 0).await;
    given.finish(&second).await;

    let third = given.begun(connector, &["s"]).await;
    given.commit(&third, given.whole_listing("s", "b", &[put(3, "x")], json!(3))).await;
    let given = given.reopened().await;
    let third = given.begun_again(&third).await;
    let a = given.whole_listing("s", "a", &[put(1, "x"), put(2, "y")], json!(3));
    moved(&given, &third, a, 1).await;
}

async fn moved(given: &Given, sync: &Claim, items: Vec<Item>, updated: u64) {
    let receipt = given.commit(sync, items).await;
    assert_eq!((receipt.counts.read, receipt.counts.updated, receipt.counts.rejected), (3, updated, 0));
    assert_eq!(given.sweep(sync, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
    for scope in ["a", "b"] {
        assert!(given.cursor(sync, "s", scope).await.is_some(), "{scope}");
    }
}
