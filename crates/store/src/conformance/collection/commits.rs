//! Commits: what records become, and what changes they make.

use inlet_model::{ChangeOp, Counts};

use super::given::Given;
use super::items::{WHOLE, data_of, gone, key_of, put, puts};

/// A first load counts as created, and numbers its changes from 1 in the order in which the records came.
pub async fn a_first_load_is_created_and_numbered_from_1_in_order_of_arrival(given: Given) {
    let connector = given.connector();
    let sync = given.begun(connector, &["s"]).await;
    let ids = [30, 10, 20];
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &puts(ids, "a"))]).await;
    let now = given.last_now();
    let bytes = ids.iter().map(|id| data_of(*id, "a").len() as u64).sum();
    assert_eq!(receipt.counts, Counts { read: 3, created: 3, bytes, ..Counts::default() });
    assert_eq!(receipt.last_change, 3);
    let feed = given.feed().await;
    assert_eq!(feed.len(), 3);
    for ((number, id), change) in (1..).zip(ids).zip(feed) {
        assert_eq!(change.change, number);
        assert_eq!(change.op, ChangeOp::Created);
        assert_eq!(change.connector_id, connector);
        assert_eq!(change.stream.as_str(), "s");
        assert_eq!(change.key, key_of(id));
        assert_eq!(change.data, Some(data_of(id, "a")));
        assert_eq!(change.sync_id, Some(sync.sync_id));
        assert_eq!(change.at, now);
        assert_eq!(change.previous, 0);
        let record = given.record("s", id).await;
        assert_eq!(record.change, number);
        assert_eq!((record.created_at, record.updated_at), (now, now));
        assert_eq!((record.connector_id, record.sync_id), (connector, sync.sync_id));
        assert_eq!((record.key, record.data), (key_of(id), data_of(id, "a")));
    }
}

/// What was there already, equal in every byte, is unchanged: it makes no change and the record stays as it is.
pub async fn the_same_again_is_unchanged_and_makes_no_change(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, vec![given.records("s", WHOLE, &puts(1..=3, "a"))]).await;
    given.finish(&first).await;
    let (records, feed) = (given.all_records().await, given.feed().await);
    let second = given.begun(connector, &["s"]).await;
    let receipt = given.commit(&second, vec![given.records("s", WHOLE, &puts(1..=3, "a"))]).await;
    assert_eq!((receipt.counts.read, receipt.counts.unchanged), (3, 3));
    assert_eq!(receipt.last_change, 3);
    assert_eq!(given.all_records().await, records);
    assert_eq!(given.feed().await, feed);
}

/// Another content is an update, whose change names the one before.
pub async fn a_changed_record_is_updated_and_its_change_names_the_one_before(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, vec![given.records("s", WHOLE, &puts(1..=3, "a"))]).await;
    let second = given.begun(connector, &["s"]).await;
    let receipt = given.commit(&second, vec![given.records("s", WHOLE, &[put(2, "b"), put(3, "a")])]).await;
    assert_eq!((receipt.counts.read, receipt.counts.updated, receipt.counts.unchanged), (2, 1, 1));
    let changes = given.changes_after(3).await;
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].change, changes[0].op, changes[0].previous), (4, ChangeOp::Updated, 2));
    assert_eq!(changes[0].sync_id, Some(second.sync_id));
    assert_eq!(given.record("s", 2).await.data, data_of(2, "b"));
    assert_eq!(given.record("s", 2).await.sync_id, second.sync_id);
}

/// An update keeps when the record first appeared, and says when its content last changed.
pub async fn an_update_keeps_created_at_and_moves_updated_at(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    let created_at = given.last_now();
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "b")])]).await;
    let updated_at = given.last_now();
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "b")])]).await;
    let record = given.record("s", 1).await;
    assert_eq!((record.created_at, record.updated_at), (created_at, updated_at));
    assert_eq!(record.change, 2);
}

/// A delete takes the record away and leaves a change that says so. It is not among the records read.
pub async fn a_delete_removes_the_record_and_makes_a_change(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=2, "a"))]).await;
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &[gone(1)])]).await;
    assert_eq!((receipt.counts.deleted, receipt.counts.read), (1, 2));
    assert_eq!(given.ids("s").await, [2]);
    let changes = given.changes_after(2).await;
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].op, changes[0].previous, changes[0].key.clone()),
        (ChangeOp::Deleted, 1, key_of(1))
    );
    assert_eq!(changes[0].data, None);
    assert_eq!(changes[0].at, given.last_now());
}

/// A delete of what is not there counts as unchanged.
pub async fn a_delete_of_nothing_is_unchanged(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &[gone(1)])]).await;
    assert_eq!(receipt.counts, Counts { read: 1, unchanged: 1, ..Counts::default() });
    assert_eq!(receipt.last_change, 0);
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a"), gone(1)])]).await;
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &[gone(1)])]).await;
    assert_eq!((receipt.counts.unchanged, receipt.counts.deleted, receipt.last_change), (2, 1, 2));
}

/// A record that was deleted is created anew when it comes again, also with the content it had.
pub async fn a_deleted_record_is_created_anew(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[gone(1)])]).await;
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    assert_eq!((receipt.counts.created, receipt.counts.deleted), (2, 1));
    let ops: Vec<_> = given.feed().await.iter().map(|change| change.op).collect();
    assert_eq!(ops, [ChangeOp::Created, ChangeOp::Deleted, ChangeOp::Created]);
    let record = given.record("s", 1).await;
    assert_eq!((record.change, record.updated_at), (3, given.last_now()));
    assert_eq!(given.stats().await.records, 1);
}

/// Outside a listing the last record of a key counts, and each that differs from the one before makes a change.
pub async fn outside_a_listing_each_record_of_a_key_makes_its_own_change(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let lines = [put(1, "a"), put(2, "x"), put(1, "b"), put(1, "b"), gone(1), put(1, "c")];
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &lines)]).await;
    let counts = receipt.counts;
    assert_eq!((counts.created, counts.updated, counts.unchanged, counts.deleted), (3, 1, 1, 1));
    let of_key_1: Vec<_> = given.feed().await.into_iter().filter(|change| change.key == key_of(1)).collect();
    let ops: Vec<_> = of_key_1.iter().map(|change| change.op).collect();
    assert_eq!(ops, [ChangeOp::Created, ChangeOp::Updated, ChangeOp::Deleted, ChangeOp::Created]);
    assert_eq!(of_key_1[1].previous, of_key_1[0].change);
    assert_eq!(of_key_1[2].previous, of_key_1[1].change);
    assert_eq!(given.values("s").await, [(1, "c".to_owned()), (2, "x".to_owned())]);
}

/// The same holds across the batches of one commit.
pub async fn the_batches_of_a_commit_follow_each_other(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    let items = vec![
        given.records("s", WHOLE, &[put(1, "a")]),
        given.records("t", WHOLE, &[put(1, "t")]),
        given.records("s", WHOLE, &[put(1, "b"), put(2, "a")]),
        given.records("s", WHOLE, &[gone(2)]),
    ];
    let receipt = given.commit(&sync, items).await;
    let counts = receipt.counts;
    assert_eq!((counts.created, counts.updated, counts.deleted, receipt.last_change), (3, 1, 1, 5));
    assert_eq!(given.values("s").await, [(1, "b".to_owned())]);
    assert_eq!(given.values("t").await, [(1, "t".to_owned())]);
}

/// A commit of nothing is none: no change, no counter.
pub async fn an_empty_commit_changes_nothing(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    let records = given.all_records().await;
    let receipt = given.commit(&sync, Vec::new()).await;
    assert_eq!((receipt.counts.read, receipt.last_change), (1, 1));
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &[])]).await;
    assert_eq!((receipt.counts.read, receipt.last_change), (1, 1));
    assert_eq!(given.all_records().await, records);
    assert_eq!(given.feed().await.len(), 1);
}

/// A receipt counts the whole run so far, and another sync begins at zero.
pub async fn a_receipt_counts_the_run_and_the_numbers_go_on(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, vec![given.records("s", WHOLE, &puts(1..=2, "a"))]).await;
    let receipt = given.commit(&first, vec![given.records("s", WHOLE, &puts(2..=4, "a"))]).await;
    assert_eq!((receipt.counts.read, receipt.counts.created, receipt.counts.unchanged), (5, 4, 1));
    assert_eq!(receipt.last_change, 4);
    given.finish(&first).await;
    let second = given.begun(connector, &["s"]).await;
    let receipt = given.commit(&second, vec![given.records("s", WHOLE, &puts(4..=5, "b"))]).await;
    assert_eq!((receipt.counts.read, receipt.counts.created, receipt.counts.updated), (2, 1, 1));
    assert_eq!(receipt.last_change, 6);
    assert_eq!(given.counts(&first).await.read, 5);
}

/// One key in two streams is two records.
pub async fn a_key_in_two_streams_is_two_records(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "s")])]).await;
    let receipt = given.commit(&sync, vec![given.records("t", WHOLE, &[put(1, "t")])]).await;
    assert_eq!(receipt.counts.created, 2);
    given.commit(&sync, vec![given.records("s", WHOLE, &[gone(1)])]).await;
    assert_eq!(given.ids("s").await, [] as [i64; 0]);
    assert_eq!(given.values("t").await, [(1, "t".to_owned())]);
}

/// No sync touches another connector's records, not even of the same stream and key.
pub async fn connectors_never_touch_each_others_records(given: Given) {
    let (one, two) = (given.connector(), given.connector());
    let first = given.begun(one, &["s"]).await;
    let second = given.begun(two, &["s"]).await;
    given.commit(&first, vec![given.records("s", WHOLE, &puts(1..=3, "one"))]).await;
    let items = given.whole_listing("s", WHOLE, &[put(2, "two")], 1.into());
    let receipt = given.commit(&second, items).await;
    assert_eq!((receipt.counts.created, receipt.counts.updated), (1, 0));
    assert_eq!(given.sweep(&second, "s").await, 0);
    given.commit(&second, vec![given.records("s", WHOLE, &[gone(1), gone(2)])]).await;
    let held: Vec<_> = given.all_records().await.iter().map(|record| record.connector_id).collect();
    assert_eq!(held, [one, one, one]);
}
