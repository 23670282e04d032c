//! Purges: records that are removed on request, in bounded steps.

use std::collections::BTreeSet;

use inlet_model::sync::Outcome;
use inlet_model::{Batch, ChangeOp, ConnectorId, Scope};
use serde_json::{Value, json};

use super::given::{Claim, Given, kind, name};
use super::items::{Line, WHOLE, completed, inbox_taken, key_of, listing, put, puts, scopes};
use crate::StoreErrorKind::Fenced;
use crate::catalog::PurgeId;
use crate::collection::Item;

/// Every record goes, and each makes a change that names no sync and the change before.
pub async fn a_purge_deletes_all_records_and_each_makes_a_change_of_no_sync(given: Given) {
    let connector = listed(&given).await;
    let before = given.feed().await;
    assert_eq!(given.purge(connector, None).await, 7);
    assert_eq!(given.all_records().await, []);
    assert_eq!(given.stats().await.records, 0);
    let deleted = given.changes_after(before.len() as u64).await;
    assert_eq!(deleted.len(), 7);
    for (number, change) in (before.len() as u64 + 1..).zip(&deleted) {
        let created = before.iter().find(|it| (&it.key, &it.stream) == (&change.key, &change.stream));
        assert_eq!((change.change, change.op, change.sync_id), (number, ChangeOp::Deleted, None));
        assert_eq!((change.connector_id, change.data.as_ref()), (connector, None));
        assert_eq!(change.previous, created.unwrap().change);
    }
    assert_eq!(given.stats().await.last_change, before.len() as u64 + 7);
}

/// With a stream, only its records go.
pub async fn a_purge_of_one_stream_leaves_the_others(given: Given) {
    let connector = listed(&given).await;
    assert_eq!(given.purge(connector, Some("s")).await, 5);
    assert_eq!((given.ids("s").await.len(), given.ids("t").await.len()), (0, 2));
    let sync = given.begun(connector, &["s", "t"]).await;
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, None);
    assert_eq!(given.cursor(&sync, "t", WHOLE).await, Some(json!(2)));
    assert_eq!(given.purge(connector, Some("nothing")).await, 0);
}

/// Records of the same streams and keys that belong to another connector stay, and so does how far it was read.
pub async fn other_connectors_keep_their_records(given: Given) {
    let (purged, other) = (listed(&given).await, listed(&given).await);
    given.purge(purged, None).await;
    let left = given.all_records().await;
    assert_eq!(left.len(), 7);
    assert!(left.iter().all(|record| record.connector_id == other));
    let sync = given.begun(other, &["s"]).await;
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(1)));
}

/// A step deletes at most so many records, and says how many.
pub async fn a_purge_goes_in_bounded_steps(given: Given) {
    let connector = listed(&given).await;
    let mut deleted = 0;
    for _ in 0..100 {
        let before = given.stats().await;
        let progress = given.purge_step(connector, None, 2).await;
        let after = given.stats().await;
        assert!(progress.deleted <= 2);
        assert_eq!(before.records - after.records, progress.deleted);
        assert_eq!(after.last_change - before.last_change, progress.deleted);
        deleted += progress.deleted;
        if progress.done {
            break;
        }
    }
    assert_eq!((deleted, given.stats().await.records), (7, 0));
}

/// Each step is durable, and the next goes on behind it, after a restart too.
pub async fn a_purge_goes_on_after_a_restart(given: Given) {
    let connector = listed(&given).await;
    let mut given = given;
    let mut deleted = 0;
    for _ in 0..100 {
        let progress = given.purge_step(connector, None, 1).await;
        deleted += progress.deleted;
        given = given.reopened().await;
        assert_eq!(given.stats().await.records, 7 - deleted);
        if progress.done {
            break;
        }
    }
    assert_eq!((deleted, given.feed().await.len()), (7, 14));
}

/// As long as a stream has a cursor, a listing or a scope that was found unchanged, it has all its records.
pub async fn no_record_goes_before_what_is_known_of_its_streams_reading(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    for scope in ["x", "y"] {
        let lines = puts(if scope == "x" { 0..3 } else { 10..13 }, "a");
        given.commit(&first, given.whole_listing("s", scope, &lines, json!(1))).await;
    }
    given.finish(&first).await;
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, vec![listing("s", "x"), given.records("s", "x", &puts(0..1, "a"))]).await;
    for _ in 0..100 {
        let progress = given.purge_step(connector, None, 1).await;
        let sync = given.begun(connector, &["s"]).await;
        let states = given.scopes(&sync, "s").await;
        let is_known = states
            .values()
            .any(|state| state.cursor.is_some() || state.listing.is_some() || state.listed_by.is_some());
        let records = given.stats().await.records;
        assert!(!is_known || records == 6, "{records} records are left, and {states:?}");
        given.finish(&sync).await;
        if progress.done {
            assert_eq!((records, states.len()), (0, 0));
            return;
        }
    }
    panic!("the purge does not end");
}

/// The next sync starts from nothing, and what it lists anew is created anew and swept as ever.
pub async fn a_purged_stream_is_listed_from_the_beginning(given: Given) {
    let connector = listed(&given).await;
    given.purge(connector, None).await;
    let sync = given.begun(connector, &["s", "t"]).await;
    assert!(given.scopes(&sync, "s").await.is_empty());
    let receipt = given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=5, "a"), json!(9))).await;
    assert_eq!((receipt.counts.created, receipt.counts.unchanged), (5, 0));
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(9)), "nothing of the old ones is unseen");
    given.finish(&sync).await;
    let next = given.begun(connector, &["s"]).await;
    given.commit(&next, given.whole_listing("s", WHOLE, &puts(1..=4, "a"), json!(10))).await;
    assert_eq!(given.sweep(&next, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 2, 3, 4]);
}

/// A sweep that had begun, and scopes that were gone, are forgotten with the rest.
pub async fn what_waited_for_a_sweep_waits_no_more(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "x", &puts(0..4, "a"), json!(1))).await;
    given.commit(&first, given.whole_listing("s", "y", &puts(10..14, "a"), json!(1))).await;
    given.finish(&first).await;
    let second = given.begun(connector, &["s"]).await;
    let mut items = given.whole_listing("s", "x", &puts(0..1, "a"), json!(2));
    items.push(scopes("s", &["x"]));
    given.commit(&second, items).await;
    given.sweep_step(&second, "s", 1).await;
    given.purge(connector, Some("s")).await;
    let third = given.begun(connector, &["s"]).await;
    assert_eq!(given.unswept(&third).await, [""; 0]);
    given.commit(&third, given.whole_listing("s", "y", &puts(10..12, "b"), json!(3))).await;
    assert_eq!(given.ids("s").await, [10, 11]);
    assert_eq!(given.cursor(&third, "s", "y").await, Some(json!(3)));
}

/// From the first step on the run writes nothing and does not end; the next claim has the connector.
pub async fn a_run_that_is_under_way_loses_its_connector(given: Given) {
    let connector = given.connector();
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, vec![listing("s", WHOLE), given.records("s", WHOLE, &puts(1..=3, "a"))]).await;
    given.purge_step(connector, Some("s"), 1).await;
    let late = vec![given.records("s", WHOLE, &[put(9, "late")]), completed("s", WHOLE, None, true)];
    assert_eq!(kind(given.try_commit(&sync, late).await), Fenced);
    assert_eq!(kind(given.try_sweep(&sync, "s", 10).await), Fenced);
    assert_eq!(kind(given.try_finish(&sync, Outcome::Succeeded).await), Fenced);
    assert_eq!(kind(given.try_begin(&sync).await), Fenced);
    given.purge(connector, Some("s")).await;
    let next = given.begun(connector, &["s"]).await;
    given.commit(&next, vec![given.records("s", WHOLE, &[put(1, "next")])]).await;
    assert_eq!(given.ids("s").await, [1]);
}

/// A purge counts for no sync: what was counted stays, and every sync has as many changes as it counted.
pub async fn the_syncs_before_keep_their_counts_and_the_numbers_go_on(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    let run = given.finish(&first).await;
    given.purge(connector, None).await;
    assert_eq!(given.run(&first).await, run);
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", WHOLE, &puts(1..=2, "a"), json!(1))).await;
    let feed = given.feed().await;
    assert!(feed.iter().map(|change| change.change).eq(1..=8));
    let of = |sync: &Claim| feed.iter().filter(|it| it.sync_id == Some(sync.sync_id)).count();
    assert_eq!((of(&first), of(&second)), (3, 2));
}

/// Where nothing is left, or nothing ever was, it is done at once and no trace of it is seen.
pub async fn a_purge_with_nothing_to_do_changes_nothing(given: Given) {
    let connector = listed(&given).await;
    given.purge(connector, None).await;
    let before = (given.feed().await, given.stats().await.last_change);
    for (connector, stream) in [(connector, None), (connector, Some("s")), (given.connector(), None)] {
        let progress = given.purge_step(connector, stream, 10).await;
        assert_eq!((progress.deleted, progress.done), (0, true));
    }
    assert_eq!((given.feed().await, given.stats().await.last_change), before);
}

/// The change of a record with a very long key has the whole of it.
pub async fn long_keys_are_purged_whole(given: Given) {
    let connector = given.connector();
    let sync = given.begun(connector, &["s"]).await;
    let mut batch = Batch::new(name("s"), Scope::whole(), given.store.seed());
    let mut keys = BTreeSet::new();
    for end in ["a", "b"] {
        let mut key = Vec::new();
        let text = Value::from("k".repeat(5_000) + end).to_string();
        inlet_model::key::encode_json_scalar(text.as_bytes(), &mut key).unwrap();
        batch.upsert(1, &key, b"{}");
        keys.insert(key);
    }
    given.commit(&sync, vec![Item::Batch { batch, checkpoint: None }]).await;
    given.finish(&sync).await;
    assert_eq!(given.purge(connector, None).await, 2);
    let deleted = given.changes_after(2).await;
    assert_eq!(deleted.into_iter().map(|change| change.key).collect::<BTreeSet<_>>(), keys);
}

/// Pushes are no records yet: the next sync brings them.
pub async fn pushes_that_wait_outlive_a_purge(given: Given) {
    let connector = listed(&given).await;
    let seq = given.pushed(connector, "s", b"{}").await;
    given.purge(connector, None).await;
    assert_eq!(given.inbox(connector).await[0].1[0].seq, seq);
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "pushed")]), inbox_taken("s", seq)]).await;
    assert_eq!(given.ids("s").await, [1]);
}

/// They hold the start of what was refused. Of a connector that goes on they stay: they are what its syncs have to tell.
pub async fn a_purge_of_a_closed_connector_takes_what_its_syncs_refused(given: Given) {
    let (open, closed) = (given.connector(), given.connector());
    let mut syncs = Vec::new();
    for connector in [open, closed] {
        let sync = given.begun(connector, &["s"]).await;
        let lines = [Line::Refused, put(1, "a"), Line::Refused, Line::Refused];
        given.commit(&sync, vec![given.records("s", WHOLE, &lines)]).await;
        given.finish(&sync).await;
        syncs.push(sync);
    }
    given.store.close_connector(closed).await.unwrap();
    given.purge(open, None).await;
    for _ in 0..100 {
        if given.purge_step(closed, None, 1).await.done {
            break;
        }
    }
    assert_eq!(given.rejected(&syncs[0]).await.len(), 3);
    assert_eq!(given.rejected(&syncs[1]).await, []);
    assert_eq!(given.stats().await.records, 0);
}

/// A step that comes late, of a purge that is done or of an older one, takes nothing away that has come since; one of a
/// newer purge does, and so does one of another stream.
pub async fn a_step_of_a_purge_that_is_done_does_nothing(given: Given) {
    let connector = given.connector();
    let read = async || {
        let sync = given.begun(connector, &["s", "t"]).await;
        let items = ["s", "t"].map(|stream| given.records(stream, WHOLE, &[put(1, "a")])).into();
        given.commit(&sync, items).await;
        sync
    };
    given.finish(&read().await).await;
    let step = async |id, stream| {
        let step = given.step_of(PurgeId(id), connector, stream, 100);
        given.store.purge_step(step).await.unwrap().deleted
    };
    assert_eq!(step(5, Some("s")).await, 1);
    assert_eq!(step(3, Some("t")).await, 1, "it waited longer than the other");
    let sync = read().await;
    assert_eq!((step(5, Some("s")).await, step(4, Some("s")).await, step(3, Some("t")).await), (0, 0, 0));
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(2, "a")])]).await;
    given.finish(&sync).await;
    let given = given.reopened().await;
    let step = async |id, stream| {
        let step = given.step_of(PurgeId(id), connector, stream, 100);
        given.store.purge_step(step).await.unwrap().deleted
    };
    assert_eq!(step(6, None).await, 3);
    assert_eq!((step(6, None).await, step(6, Some("u")).await, step(5, Some("s")).await), (0, 0, 0));
}

/// A consumer of the feed sees what a reader of the records sees, throughout.
pub async fn replayed_at_any_step_the_feed_equals_the_records(given: Given) {
    let connector = listed(&given).await;
    for _ in 0..100 {
        let progress = given.purge_step(connector, None, 1).await;
        let mut replayed = BTreeSet::new();
        for change in given.feed().await {
            let place = (change.stream.to_string(), change.key);
            match change.op {
                ChangeOp::Deleted => assert!(replayed.remove(&place), "{place:?}"),
                ChangeOp::Created | ChangeOp::Updated => _ = replayed.insert(place),
            }
        }
        let records = given.all_records().await.into_iter();
        let held: BTreeSet<_> = records.map(|record| (record.stream.to_string(), record.key)).collect();
        assert_eq!(replayed, held);
        if progress.done {
            return assert!(held.is_empty());
        }
    }
    panic!("the purge does not end");
}

/// A connector that has listed the streams `s` (records 1 to 5) and `t` (1 and 2), and whose sync has ended.
async fn listed(given: &Given) -> ConnectorId {
    let connector = given.connector();
    let sync = given.begun(connector, &["s", "t"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=5, "a"), json!(1))).await;
    given.commit(&sync, given.whole_listing("t", WHOLE, &puts(1..=2, "a"), json!(2))).await;
    given.finish(&sync).await;
    assert!(given.record_of(connector, "s", 1).await);
    connector
}

impl Given {
    async fn record_of(&self, connector: ConnectorId, stream: &str, id: i64) -> bool {
        !self.store.record(Some(connector), &name(stream), &key_of(id)).await.unwrap().is_empty()
    }
}
