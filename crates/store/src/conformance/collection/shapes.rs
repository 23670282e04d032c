//! Shapes and full refreshes: when everything is to be listed again.

use inlet_model::sync::Outcome;
use serde_json::json;

use super::given::{Claim, Given};
use super::items::{WHOLE, complete, listing, put, puts};

/// A stream of another shape has no cursor and no open listing any more, and nothing is deleted for it.
pub async fn another_shape_drops_cursors_and_open_listings(given: Given) {
    let first = listed_and_half_listed(&given).await;
    let before = given.all_records().await;
    let next = given.claim(first.connector_id, &["s"]).shaped("other");
    let start = given.begin(&next).await;
    assert!(start.unswept.is_empty());
    for scope in ["cursor", "open"] {
        let state = given.scope(&next, "s", scope).await;
        assert_eq!((state.cursor, state.listing), (None, None), "{scope}");
    }
    assert_eq!(given.sweep(&next, "s").await, 0);
    assert_eq!(given.all_records().await, before);
    assert_eq!(given.stats().await.last_change, before.len() as u64);
}

/// The new listing then deletes what it does not see, once it is complete.
pub async fn the_listing_after_another_shape_deletes_what_it_did_not_see(given: Given) {
    let first = listed_and_half_listed(&given).await;
    let next = given.claim(first.connector_id, &["s"]).shaped("other");
    given.begin(&next).await;
    given
        .commit(
            &next,
            vec![listing("s", "cursor"), given.records("s", "cursor", &[put(1, "a"), put(9, "a")])],
        )
        .await;
    assert_eq!(given.sweep(&next, "s").await, 0);
    given.commit(&next, vec![complete("s", "cursor", json!("new"))]).await;
    assert_eq!(given.sweep(&next, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 3, 9]);
    assert_eq!(given.cursor(&next, "s", "cursor").await, Some(json!("new")));
}

/// A sweep that was waiting is dropped too: nothing is deleted before the new listing is complete.
pub async fn another_shape_drops_a_sweep_that_waits(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &[put(1, "a")], json!(2))).await;
    assert_eq!(given.unswept(&first).await, ["s"]);
    given.try_finish(&first, Outcome::Cancelled).await.unwrap();
    let next = given.claim(connector, &["s"]).shaped("other");
    assert!(given.begin(&next).await.unswept.is_empty());
    assert_eq!(given.sweep(&next, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
    assert_eq!(given.cursor(&next, "s", WHOLE).await, None);
}

/// It is dropped once: the next run of the same shape goes on from what this one left.
pub async fn a_shape_that_stays_keeps_cursors_and_listings(given: Given) {
    let first = listed_and_half_listed(&given).await;
    let second = given.claim(first.connector_id, &["s"]).shaped("other");
    given.begin(&second).await;
    given.commit(&second, given.whole_listing("s", "cursor", &puts(1..=2, "a"), json!("new"))).await;
    given
        .commit(&second, vec![listing("s", "open"), given.records_to("s", "open", &[put(3, "a")], json!(5))])
        .await;
    let given = given.reopened().await;
    let again = given.taken_over(&second);
    given.begin(&again).await;
    assert_eq!(given.cursor(&again, "s", "cursor").await, Some(json!("new")));
    given.finish(&again).await;
    let third = given.claim(first.connector_id, &["s"]).shaped("other");
    given.begin(&third).await;
    assert_eq!(given.cursor(&third, "s", "cursor").await, Some(json!("new")));
    assert_eq!(given.scope(&third, "s", "open").await.listing.unwrap().position, Some(json!(5)));
}

/// Only the stream whose shape has changed is listed again.
pub async fn another_shape_of_one_stream_leaves_the_others(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s", "t"]).await;
    given.commit(&first, vec![given.records_to("s", WHOLE, &[put(1, "a")], json!("s"))]).await;
    given.commit(&first, vec![given.records_to("t", WHOLE, &[put(1, "a")], json!("t"))]).await;
    let other = given.connector();
    let of_other = given.begun(other, &["s"]).await;
    given.commit(&of_other, vec![given.records_to("s", WHOLE, &[put(1, "a")], json!("other's"))]).await;
    let mut next = given.claim(connector, &["s", "t"]);
    "other".clone_into(&mut next.streams[0].shape);
    given.begin(&next).await;
    assert_eq!(given.cursor(&next, "s", WHOLE).await, None);
    assert_eq!(given.cursor(&next, "t", WHOLE).await, Some(json!("t")));
    assert_eq!(given.cursor(&of_other, "s", WHOLE).await, Some(json!("other's")));
}

/// A stream that a sync leaves out keeps how far it was read, and its records.
pub async fn a_stream_that_is_left_out_keeps_everything(given: Given) {
    let first = listed_and_half_listed(&given).await;
    let second = given.begun(first.connector_id, &["t"]).await;
    given.commit(&second, given.whole_listing("t", WHOLE, &[put(1, "t")], json!("t"))).await;
    given.finish(&second).await;
    assert_eq!(given.ids("s").await, [1, 2, 3]);
    let third = given.begun(first.connector_id, &["s"]).await;
    assert_eq!(given.cursor(&third, "s", "cursor").await, Some(json!("cursor")));
    assert!(given.scope(&third, "s", "open").await.listing.is_some());
}

/// A full refresh drops the listings that other syncs left open, and deletes nothing.
pub async fn a_full_refresh_drops_the_open_listings_of_others(given: Given) {
    let first = listed_and_half_listed(&given).await;
    let next = given.claim(first.connector_id, &["s"]).of_a_full_refresh();
    let start = given.begin(&next).await;
    assert!(start.unswept.is_empty());
    assert_eq!(given.scope(&next, "s", "open").await.listing, None);
    assert_eq!(given.sweep(&next, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
    let items = given.whole_listing("s", "open", &[put(3, "b"), put(4, "a")], json!("o"));
    assert_eq!(given.commit(&next, items).await.counts.rejected, 0);
}

/// It goes on with its own, in the next attempt.
pub async fn a_full_refresh_goes_on_with_its_own_listing(given: Given) {
    let first = listed_and_half_listed(&given).await;
    let sync = given.claim(first.connector_id, &["s"]).of_a_full_refresh();
    let generation = given.begin(&sync).await.run.generation;
    let items = vec![listing("s", "open"), given.records_to("s", "open", &[put(3, "a")], json!(7))];
    given.commit(&sync, items).await;
    let given = given.reopened().await;
    let sync = given.begun_again(&sync).await;
    let open = given.scope(&sync, "s", "open").await.listing.unwrap();
    assert_eq!((open.generation, open.position), (generation, Some(json!(7))));
    let items = vec![given.records("s", "open", &[put(3, "b")])];
    assert_eq!(given.commit(&sync, items).await.counts.rejected, 1);
}

/// Scope `cursor` holds 1 and 2 and is complete; scope `open` holds 3 and is being listed. The run has ended.
async fn listed_and_half_listed(given: &Given) -> Claim {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, given.whole_listing("s", "cursor", &puts(1..=2, "a"), json!("cursor"))).await;
    given
        .commit(&sync, vec![listing("s", "open"), given.records_to("s", "open", &[put(3, "a")], json!(1))])
        .await;
    given.finish(&sync).await;
    sync
}
