//! Scopes: each key belongs to one, and a scope that lost one is listed again.

use serde_json::json;

use super::given::{Claim, Given};
use super::items::{WHOLE, complete, listing, put, puts, unchanged};

/// A key of a scope that this run has listed to the end is rejected in another, which then gets no cursor.
pub async fn a_key_of_a_scope_listed_in_this_run_is_rejected_in_another(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, given.whole_listing("s", "a", &puts(1..=2, "a"), json!("a"))).await;
    let receipt = given.commit(&sync, given.whole_listing("s", "b", &puts(2..=3, "b"), json!("b"))).await;
    assert_eq!((receipt.counts.created, receipt.counts.rejected), (3, 1));
    assert_one_duplicate(&given, &sync).await;
}

/// All in one commit.
pub async fn a_key_of_a_scope_listed_in_this_commit_is_rejected_in_another(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let mut items = given.whole_listing("s", "a", &puts(1..=2, "a"), json!("a"));
    items.extend(given.whole_listing("s", "b", &puts(2..=3, "b"), json!("b")));
    given.commit(&sync, items).await;
    assert_one_duplicate(&given, &sync).await;
}

/// A key of a scope that this run has found unchanged is rejected in another.
pub async fn a_key_of_a_scope_found_unchanged_in_this_run_is_rejected_in_another(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "a", &puts(1..=2, "a"), json!("a"))).await;
    given.finish(&first).await;
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, vec![unchanged("s", "a")]).await;
    given.commit(&sync, given.whole_listing("s", "b", &puts(2..=3, "b"), json!("b"))).await;
    assert_one_duplicate(&given, &sync).await;
}

/// What an earlier attempt of the sync has settled is settled.
pub async fn a_scope_settled_by_an_earlier_attempt_is_settled(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "u", &[put(9, "u")], json!("u"))).await;
    given.finish(&first).await;
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, vec![unchanged("s", "u")]).await;
    given.commit(&sync, given.whole_listing("s", "a", &puts(1..=2, "a"), json!("a"))).await;
    let given = given.reopened().await;
    let sync = given.begun_again(&sync).await;
    let lines = [put(2, "b"), put(9, "b"), put(3, "b")];
    let receipt = given.commit(&sync, given.whole_listing("s", "b", &lines, json!("b"))).await;
    assert_eq!(receipt.counts.rejected, 2);
    let expected = [(1, "a"), (2, "a"), (3, "b"), (9, "u")].map(|(id, value)| (id, value.to_owned()));
    assert_eq!(given.values("s").await, expected);
}

/// A key of a scope that this run has not settled moves to the one that is listed. As it was, that is no change.
pub async fn a_key_of_a_scope_not_settled_yet_moves(given: Given) {
    let (given, sync) = given_a_and_b(given).await;
    let before = given.feed().await;
    let lines = [put(2, "a"), put(3, "b"), put(4, "b")];
    let receipt = given.commit(&sync, given.whole_listing("s", "b", &lines, json!("b"))).await;
    assert_eq!((receipt.counts.unchanged, receipt.counts.updated, receipt.counts.rejected), (2, 1, 0));
    assert_eq!(given.feed().await.len(), before.len() + 1);
    let owner = given.scope(&sync, "s", "a").await;
    assert_eq!((owner.cursor, owner.listing), (None, None));
    assert_eq!(given.cursor(&sync, "s", "b").await, Some(json!("b")));
    // Listed again, the scope that lost two keys does not delete them; it has only its own.
    let receipt = given.commit(&sync, given.whole_listing("s", "a", &[], json!("a"))).await;
    assert_eq!(receipt.counts.rejected, 0);
    assert_eq!(given.sweep(&sync, "s").await, 1);
    assert_eq!(given.ids("s").await, [2, 3, 4]);
}

/// What moved is swept with the scope it moved to.
pub async fn a_key_that_moved_goes_with_its_new_scope(given: Given) {
    let (given, first) = given_a_and_b(given).await;
    given.commit(&first, given.whole_listing("s", "b", &puts([2, 4], "b"), json!("b"))).await;
    given.finish(&first).await;
    let second = given.begun(first.connector_id, &["s"]).await;
    given.commit(&second, given.whole_listing("s", "a", &puts([1, 3], "a"), json!("a"))).await;
    given.commit(&second, given.whole_listing("s", "b", &[put(4, "b")], json!("b"))).await;
    assert_eq!(given.sweep(&second, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 3, 4]);
}

/// What the run before this one has settled is not settled now.
pub async fn what_an_earlier_sync_settled_is_not_settled_now(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "a", &puts(1..=2, "a"), json!("a"))).await;
    let second = given.begun(connector, &["s"]).await;
    let receipt = given.commit(&second, given.whole_listing("s", "b", &[put(2, "b")], json!("b"))).await;
    assert_eq!((receipt.counts.updated, receipt.counts.rejected), (1, 0));
    assert_eq!(given.cursor(&second, "s", "a").await, None);
}

/// A key that another scope's open listing wrote is no duplicate in this scope's, nor unseen by it.
pub async fn a_key_that_another_open_listing_saw_moves(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![listing("s", "a"), given.records_to("s", "a", &[put(1, "a")], json!(1))]).await;
    given
        .commit(&sync, vec![listing("s", "b"), given.records_to("s", "b", &puts(2..=3, "b"), json!(1))])
        .await;
    let items = vec![given.records("s", "a", &[put(2, "b")]), complete("s", "a", json!("a"))];
    let receipt = given.commit(&sync, items).await;
    assert_eq!((receipt.counts.unchanged, receipt.counts.rejected), (1, 0));
    assert_eq!(given.cursor(&sync, "s", "a").await, Some(json!("a")));
    given.commit(&sync, vec![complete("s", "b", json!("b"))]).await;
    assert_eq!(given.sweep(&sync, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
}

/// A scope that lost a key while its listing was open gets no cursor: it may be the only one that holds the key next time.
pub async fn a_scope_that_lost_a_key_while_it_was_listed_gets_no_cursor(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given
        .commit(&sync, vec![listing("s", "b"), given.records_to("s", "b", &puts(2..=3, "a"), json!(1))])
        .await;
    given.commit(&sync, given.whole_listing("s", "a", &puts(1..=2, "a"), json!("a"))).await;
    given.commit(&sync, vec![complete("s", "b", json!("b"))]).await;
    assert_eq!(given.cursor(&sync, "s", "a").await, Some(json!("a")));
    assert_eq!(given.cursor(&sync, "s", "b").await, None);
}

/// So it does though its own records came before in the very same commit, with a checkpoint.
pub async fn a_scope_that_lost_a_key_forgets_the_cursor_of_the_same_commit(given: Given) {
    let (given, sync) = given_a_and_b(given).await;
    let items = vec![
        listing("s", "b"),
        given.records_to("s", "a", &[put(1, "b")], json!("later")),
        given.records("s", "b", &[put(1, "b"), put(4, "b")]),
    ];
    given.commit(&sync, items).await;
    assert_eq!(given.cursor(&sync, "s", "a").await, None);
}

/// To find a scope unchanged leaves all that is known of it.
pub async fn an_unchanged_scope_keeps_what_it_has(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "a", &puts(1..=2, "a"), json!("a"))).await;
    let before = given.scope(&first, "s", "a").await;
    given.finish(&first).await;
    let second = given.begun(connector, &["s"]).await;
    let receipt = given.commit(&second, vec![unchanged("s", "a")]).await;
    assert_eq!((receipt.counts.read, receipt.last_change), (0, 2));
    assert_eq!(given.scope(&second, "s", "a").await, before);
    assert_eq!(given.sweep(&second, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2]);
}

/// The same key in another stream belongs to nobody else, whatever its scope is called.
pub async fn scopes_of_different_streams_share_no_keys(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    given.commit(&sync, given.whole_listing("s", "a", &[put(1, "s")], json!("s"))).await;
    let receipt = given.commit(&sync, given.whole_listing("t", "b", &[put(1, "t")], json!("t"))).await;
    assert_eq!((receipt.counts.created, receipt.counts.rejected), (2, 0));
    let receipt = given.commit(&sync, given.whole_listing("t", WHOLE, &[put(1, "t")], json!("t"))).await;
    assert_eq!(receipt.counts.rejected, 1);
    assert_eq!(given.cursor(&sync, "s", "a").await, Some(json!("s")));
}

/// Scope `a` holds 1 to 3 and scope `b` holds 4, both complete; then a new sync has begun.
async fn given_a_and_b(given: Given) -> (Given, Claim) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "a", &puts(1..=3, "a"), json!("a"))).await;
    given.commit(&first, given.whole_listing("s", "b", &[put(4, "b")], json!("b"))).await;
    given.finish(&first).await;
    let sync = given.begun(connector, &["s"]).await;
    (given, sync)
}

/// Record 2 stayed in scope `a`, and scope `b` is to be listed again for it.
async fn assert_one_duplicate(given: &Given, sync: &Claim) {
    let expected = [(1, "a"), (2, "a"), (3, "b")].map(|(id, value)| (id, value.to_owned()));
    assert_eq!(given.values("s").await, expected);
    let rejected = given.rejected(sync).await;
    assert_eq!(rejected.len(), 1);
    assert_eq!((rejected[0].code.as_str(), rejected[0].scope.as_str()), ("record.duplicate_key", "b"));
    assert_eq!(given.cursor(sync, "s", "a").await, Some(json!("a")));
    assert_eq!(given.cursor(sync, "s", "b").await, None);
}
