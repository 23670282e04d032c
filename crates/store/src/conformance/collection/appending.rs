//! Streams that append: what was read before stays for good.

use std::collections::BTreeMap;

use inlet_model::Counts;
use serde_json::json;

use super::given::{Claim, Given, name};
use super::items::{
    WHOLE, complete, complete_to_be_approved, complete_to_be_asked, gone, listing, put, puts, scopes,
};

/// A complete listing deletes nothing, certified or not, and its cursor is set at once.
pub async fn a_listing_of_a_stream_that_appends_deletes_nothing(given: Given) {
    let sync = listed(&given).await;
    let ends = [complete, complete_to_be_asked, complete_to_be_approved];
    for end in ends.map(|end| end("s", WHOLE, json!(2))) {
        let next = begun(&given, given.claim(sync.connector_id, &["s"])).await;
        let items = vec![listing("s", WHOLE), given.records("s", WHOLE, &[put(2, "b")]), end];
        given.commit(&next, items).await;
        assert_eq!(given.sweep(&next, "s").await, 0);
        assert_eq!(given.ids("s").await, [1, 2, 3]);
        assert_eq!(given.cursor(&next, "s", WHOLE).await, Some(json!(2)));
        given.finish(&next).await;
    }
}

/// A scope that the source has no more keeps its records.
pub async fn a_scope_of_a_stream_that_appends_never_goes(given: Given) {
    let sync = begun(&given, given.claim(given.connector(), &["s"])).await;
    given.commit(&sync, given.whole_listing("s", "a", &[put(1, "a")], json!(1))).await;
    given.commit(&sync, given.whole_listing("s", "b", &[put(2, "a")], json!(1))).await;
    given.commit(&sync, vec![scopes("s", &["b"])]).await;
    assert_eq!(given.sweep(&sync, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2]);
}

/// A delete counts as unchanged.
pub async fn a_delete_from_a_stream_that_appends_changes_nothing(given: Given) {
    let sync = listed(&given).await;
    let next = begun(&given, given.claim(sync.connector_id, &["s"])).await;
    let receipt = given.commit(&next, vec![given.records("s", WHOLE, &[gone(1), gone(9)])]).await;
    assert_eq!((receipt.counts.unchanged, receipt.counts.deleted), (2, 0));
    assert_eq!(given.ids("s").await, [1, 2, 3]);
}

/// The same record twice in one listing is one record, and no duplicate.
pub async fn the_same_record_twice_in_a_listing_is_unchanged(given: Given) {
    let sync = begun(&given, given.claim(given.connector(), &["s"])).await;
    let lines = [put(1, "a"), put(1, "a")];
    let counts = given.commit(&sync, given.whole_listing("s", WHOLE, &lines, json!(1))).await.counts;
    assert_eq!((counts.created, counts.unchanged, counts.rejected), (1, 1, 0));
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(1)), "it need not be listed again");
}

/// A full refresh begins a new copy; its later attempts, and the syncs behind it, go on with that one.
pub async fn a_full_refresh_begins_a_copy(given: Given) {
    let connector = given.connector();
    let copies = |copy| BTreeMap::from([(name("s"), copy)]);
    let first = given.claim(connector, &["s"]).appending();
    assert_eq!(given.begin(&first).await.copies, copies(0));
    given.finish(&first).await;
    let refresh = given.claim(connector, &["s"]).appending().of_a_full_refresh();
    let start = given.begin(&refresh).await;
    assert_eq!(start.copies, copies(start.run.generation));
    let given = given.reopened().await;
    let again = given.taken_over(&refresh);
    assert_eq!(given.begin(&again).await.copies, copies(start.run.generation));
    given.finish(&again).await;
    let next = given.claim(connector, &["s"]).appending();
    assert_eq!(given.begin(&next).await.copies, copies(start.run.generation));
    given.finish(&next).await;
    let other = given.claim(connector, &["s"]).of_a_full_refresh();
    assert_eq!(given.begin(&other).await.copies, BTreeMap::new(), "it appends no more");
}

/// A stream that begins to append, or ceases to, is listed anew, and what waited to be deleted stays.
pub async fn to_append_or_not_is_another_shape(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &[], json!(2))).await;
    given.finish(&sync).await;
    let next = given.claim(sync.connector_id, &["s"]).appending();
    let start = given.begin(&next).await;
    assert!(start.unswept.is_empty());
    assert_eq!(start.scopes[&name("s")].values().next().unwrap().cursor, None);
    assert_eq!(given.sweep(&next, "s").await, 0);
    given.finish(&next).await;
    let last = given.begun(sync.connector_id, &["s"]).await;
    given.commit(&last, given.whole_listing("s", WHOLE, &[put(2, "a")], json!(3))).await;
    assert_eq!(given.sweep(&last, "s").await, 2, "it mirrors its source again");
}

/// What was there before stays, and so does what was appended since; what is read again is what is there.
pub async fn what_an_undone_sync_appended_is_deleted(given: Given) {
    let first = listed(&given).await;
    let append = async |ids: std::ops::RangeInclusive<i64>, cursor: i64| {
        let sync = begun(&given, given.claim(first.connector_id, &["s"])).await;
        let receipt =
            given.commit(&sync, given.whole_listing("s", WHOLE, &puts(ids, "a"), json!(cursor))).await;
        given.finish(&sync).await;
        (sync, receipt.counts)
    };
    let (undone, _) = append(2..=5, 2).await;
    append(5..=6, 3).await;
    let undo = given.begun(first.connector_id, &[]).await;
    let progress = given.undo(&undo, &undone, 1).await;
    assert_eq!((progress.taken_back, progress.kept), (2, 0));
    assert_eq!(given.finish(&undo).await.counts, Counts { deleted: 2, ..Counts::default() });
    assert_eq!(given.ids("s").await, [1, 2, 3, 6]);
    assert_eq!(given.replayed().await, given.present().await);
    let (next, counts) = append(1..=6, 4).await;
    assert_eq!(
        (counts.unchanged, counts.created),
        (4, 2),
        "it lists from the beginning, and doubles nothing"
    );
    assert_eq!(given.ids("s").await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(given.counts(&next).await.deleted, 0);
}

/// The records of the copy are deleted, and the copy before it is gone on with, in whatever order copies go.
pub async fn an_undone_full_refresh_takes_its_copy_with_it(given: Given) {
    let connector = listed(&given).await.connector_id;
    let refresh = async |ids| {
        let sync = given.claim(connector, &["s"]).appending().of_a_full_refresh();
        let copy = given.begin(&sync).await.copies[&name("s")];
        given.commit(&sync, given.whole_listing("s", WHOLE, &puts(ids, "a"), json!(2))).await;
        given.finish(&sync).await;
        (sync, copy)
    };
    let undo = async |undone| {
        let undo = given.begun(connector, &[]).await;
        given.undo(&undo, undone, 2).await;
        given.finish(&undo).await;
        let next = given.claim(connector, &["s"]).appending();
        let copy = given.begin(&next).await.copies[&name("s")];
        assert_eq!(given.cursor(&next, "s", WHOLE).await, None, "it is listed from the beginning");
        given.finish(&next).await;
        copy
    };
    let (first, first_copy) = refresh(11..=13).await;
    let (second, _) = refresh(21..=23).await;
    let (third, third_copy) = refresh(31..=33).await;
    assert_eq!(undo(&second).await, third_copy);
    assert_eq!(given.ids("s").await, [1, 2, 3, 11, 12, 13, 31, 32, 33]);
    assert_eq!(undo(&third).await, first_copy);
    assert_eq!(undo(&first).await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3]);
}

/// A sync that appends has listed 1 to 3, and has ended.
async fn listed(given: &Given) -> Claim {
    let sync = begun(given, given.claim(given.connector(), &["s"])).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    given.finish(&sync).await;
    sync
}

async fn begun(given: &Given, claim: Claim) -> Claim {
    let claim = claim.appending();
    given.begin(&claim).await;
    claim
}
