//! Listings: how one begins, goes on and is completed.

use serde_json::json;

use super::given::Given;
use super::items::{WHOLE, complete, completed, listing, put, puts};

/// A listing that has begun carries the run's generation and has no position yet.
pub async fn a_listing_begins_with_the_runs_generation_and_no_position(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![listing("s", WHOLE)]).await;
    let start = given.begin(&sync).await;
    let state = given.scope(&sync, "s", WHOLE).await;
    let open = state.listing.unwrap();
    assert_eq!((open.generation, open.position), (start.run.generation, None));
    assert_eq!((state.cursor, state.listed_by), (None, None));
    assert!(start.unswept.is_empty());
}

/// Complete, with nothing unseen: closed, its cursor set, and nothing to sweep.
pub async fn a_complete_listing_with_nothing_unseen_sets_the_cursor_at_once(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!("c"))).await;
    let start = given.begin(&sync).await;
    assert!(start.unswept.is_empty());
    let state = given.scope(&sync, "s", WHOLE).await;
    assert_eq!((state.cursor, state.listing), (Some(json!("c")), None));
    assert_eq!(state.listed_by, Some(start.run.generation));
    assert_eq!(given.sweep(&sync, "s").await, 0);
}

/// So it is with a listing that sees again all that was there, changed or not.
pub async fn a_listing_that_sees_all_again_sets_the_cursor_at_once(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    given.finish(&first).await;
    let second = given.begun(connector, &["s"]).await;
    let lines = [put(1, "a"), put(2, "b"), put(3, "a"), put(4, "new")];
    given.commit(&second, given.whole_listing("s", WHOLE, &lines, json!(2))).await;
    let start = given.begin(&second).await;
    assert!(start.unswept.is_empty());
    let state = given.scope(&second, "s", WHOLE).await;
    assert_eq!((state.cursor, state.listing), (Some(json!(2)), None));
    assert_eq!(state.listed_by, Some(start.run.generation));
}

/// A listing may leave no cursor.
pub async fn a_complete_listing_may_leave_no_cursor(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let items = vec![
        listing("s", WHOLE),
        given.records("s", WHOLE, &[put(1, "a")]),
        completed("s", WHOLE, None, true),
    ];
    given.commit(&sync, items).await;
    let state = given.scope(&sync, "s", WHOLE).await;
    assert_eq!((state.cursor, state.listing), (None, None));
    assert!(state.listed_by.is_some());
}

/// What a listing that is complete but not certified has not seen stays; the cursor is set.
pub async fn an_uncertified_listing_keeps_what_it_did_not_see(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    let items = vec![
        listing("s", WHOLE),
        given.records("s", WHOLE, &[put(2, "b")]),
        completed("s", WHOLE, Some(json!(2)), false),
    ];
    given.commit(&second, items).await;
    assert!(given.unswept(&second).await.is_empty());
    assert_eq!(given.cursor(&second, "s", WHOLE).await, Some(json!(2)));
    assert_eq!(given.sweep(&second, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
}

/// A listing that is not complete deletes nothing, not even when its run has ended.
pub async fn a_listing_that_is_not_complete_deletes_nothing(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    let items = vec![listing("s", WHOLE), given.records_to("s", WHOLE, &[put(1, "a")], json!(1))];
    given.commit(&second, items).await;
    assert_eq!(given.sweep(&second, "s").await, 0);
    given.finish(&second).await;
    let third = given.begun(connector, &["s"]).await;
    assert!(given.unswept(&third).await.is_empty());
    assert_eq!(given.sweep(&third, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
    assert!(given.scope(&third, "s", WHOLE).await.listing.is_some());
}

/// A complete listing of nothing deletes everything.
pub async fn a_complete_listing_of_nothing_deletes_everything(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, vec![listing("s", WHOLE), complete("s", WHOLE, json!(2))]).await;
    assert_eq!(given.ids("s").await, [1, 2, 3]);
    assert_eq!(given.sweep(&second, "s").await, 3);
    assert_eq!(given.ids("s").await, [] as [i64; 0]);
    assert_eq!(given.cursor(&second, "s", WHOLE).await, Some(json!(2)));
}

/// A listing goes on over many commits, attempts and openings, and what it saw before counts.
pub async fn a_listing_goes_on_after_a_restart(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=6, "a"), json!(1))).await;
    given.finish(&first).await;
    let mut sync = given.begun(connector, &["s"]).await;
    let generation = given.begin(&sync).await.run.generation;
    given.commit(&sync, vec![listing("s", WHOLE)]).await;
    let mut given = given;
    for (id, value) in [(1, "a"), (2, "b"), (4, "a"), (7, "new")] {
        given.commit(&sync, vec![given.records_to("s", WHOLE, &[put(id, value)], json!(id))]).await;
        given = given.reopened().await;
        sync = given.begun_again(&sync).await;
        let open = given.scope(&sync, "s", WHOLE).await.listing.unwrap();
        assert_eq!((open.generation, open.position), (generation, Some(json!(id))));
    }
    given.commit(&sync, vec![complete("s", WHOLE, json!(2))]).await;
    assert_eq!(given.sweep(&sync, "s").await, 3);
    assert_eq!(given.ids("s").await, [1, 2, 4, 7]);
}

/// A listing that one sync left open is gone on with by the next, under its own number.
pub async fn an_open_listing_is_gone_on_with_by_the_next_sync(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=4, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    let items = vec![listing("s", WHOLE), given.records_to("s", WHOLE, &puts(1..=2, "a"), json!(2))];
    given.commit(&second, items).await;
    let generation = given.begin(&second).await.run.generation;
    given.finish(&second).await;
    let third = given.begun(connector, &["s"]).await;
    let open = given.scope(&third, "s", WHOLE).await.listing.unwrap();
    assert_eq!((open.generation, open.position), (generation, Some(json!(2))));
    let items = vec![given.records("s", WHOLE, &[put(3, "b")]), complete("s", WHOLE, json!(3))];
    given.commit(&third, items).await;
    assert_eq!(given.sweep(&third, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
    let state = given.scope(&third, "s", WHOLE).await;
    assert_eq!((state.cursor, state.listed_by), (Some(json!(3)), Some(generation)));
}

/// A listing in place of an open one forgets what the old one saw: found, changed, or created by it.
pub async fn a_new_listing_in_place_of_an_open_one_forgets_what_that_saw(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=5, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    let lines = [put(1, "a"), put(2, "b"), put(6, "new")];
    let items = vec![listing("s", WHOLE), given.records_to("s", WHOLE, &lines, json!(2))];
    given.commit(&second, items).await;
    given.commit(&second, given.whole_listing("s", WHOLE, &[put(3, "a"), put(4, "b")], json!(2))).await;
    assert_eq!(given.sweep(&second, "s").await, 4);
    assert_eq!(given.ids("s").await, [3, 4]);
    assert_eq!(given.counts(&second).await.rejected, 0);
}

/// The same within one commit.
pub async fn a_new_listing_in_the_same_commit_forgets_what_the_old_one_saw(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let mut items = vec![listing("s", WHOLE), given.records("s", WHOLE, &puts(1..=3, "a"))];
    items.extend(given.whole_listing("s", WHOLE, &puts(2..=4, "a"), json!(1)));
    let receipt = given.commit(&sync, items).await;
    assert_eq!((receipt.counts.created, receipt.counts.unchanged, receipt.counts.rejected), (4, 2, 0));
    assert_eq!(given.sweep(&sync, "s").await, 1);
    assert_eq!(given.ids("s").await, [2, 3, 4]);
}
