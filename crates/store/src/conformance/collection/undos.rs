//! Undoing a sync: what its records become.

use inlet_model::sync::Outcome;
use inlet_model::{ChangeOp, Counts, Record, Scope};
use serde_json::json;

use super::given::{Claim, Given, name};
use super::items::{Line, WHOLE, complete, gone, key_of, listing, put, puts, scopes};
use super::upkeep::synced;
use crate::collection::{Item, StreamStatus, UndoProgress};

/// Each is deleted, by a change of the sync that undoes it.
pub async fn what_a_sync_created_is_deleted(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=2, "a")).await;
    let undone = synced(&given, connector, puts(3..=5, "a")).await;
    let undo = given.begun(connector, &[]).await;
    assert_eq!(given.undo(&undo, &undone, 100).await, UndoProgress { taken_back: 3, kept: 0, done: true });
    assert_eq!(given.ids("s").await, [1, 2]);
    let changes = given.changes_after(5).await;
    for (number, change) in (6..).zip(&changes) {
        assert_eq!((change.change, change.op, change.previous), (number, ChangeOp::Deleted, number - 3));
        assert_eq!((change.sync_id, change.data.as_ref()), (Some(undo.sync_id), None));
    }
    let run = given.finish(&undo).await;
    assert_eq!(run.counts, Counts { deleted: 3, ..Counts::default() });
    assert_eq!((run.outcome, run.changes), (Some(Outcome::Succeeded), Some(6..=8)));
    assert_eq!(run.streams[0].status, StreamStatus::Succeeded);
    assert_eq!(given.stats().await.records, 2);
}

/// The data that it had, and the time of its creation.
pub async fn what_a_sync_updated_gets_its_earlier_data(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=3, "a")).await;
    let before = given.all_records().await;
    let undone = synced(&given, connector, puts(2..=3, "b")).await;
    let undo = given.begun(connector, &["s"]).await;
    given.undo(&undo, &undone, 100).await;
    assert_eq!(content(&given.all_records().await), content(&before));
    let changes = given.changes_after(5).await;
    assert_eq!(
        changes.iter().map(|it| (it.op, it.previous)).collect::<Vec<_>>(),
        [(ChangeOp::Updated, 4), (ChangeOp::Updated, 5)]
    );
    let record = given.record("s", 2).await;
    assert_eq!((record.change, record.sync_id, record.updated_at), (6, undo.sync_id, given.last_now()));
    let run = given.finish(&undo).await;
    assert_eq!((run.counts.updated, run.counts.read, run.counts.bytes > 0), (2, 2, true));
    // The same again is no change: its hash is that of its data.
    let again = synced(&given, connector, puts(1..=3, "a")).await;
    assert_eq!(given.counts(&again).await.unchanged, 3);
}

/// With the data and the time of creation that it had, though under a new change.
pub async fn what_a_sync_deleted_is_created_anew(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=3, "a")).await;
    let before = given.all_records().await;
    let undone = synced(&given, connector, vec![gone(1), gone(3), gone(9)]).await;
    let undo = given.begun(connector, &[]).await;
    assert_eq!(given.undo(&undo, &undone, 100).await.taken_back, 2);
    assert_eq!(content(&given.all_records().await), content(&before));
    assert!(given.changes_after(5).await.iter().all(|it| it.op == ChangeOp::Created && it.data.is_some()));
    assert_eq!(given.finish(&undo).await.counts.created, 2);
    assert_eq!(given.stats().await.records, 3);
}

/// A listing that brought, changed and swept records in two streams and several thousand places.
pub async fn an_undo_of_everything_at_once_restores_what_was_there(given: Given) {
    let (connector, other) = (given.connector(), given.connector());
    let load = async |connector, ids: std::ops::RangeInclusive<i64>, value: &str| {
        let sync = given.begun(connector, &["s", "t"]).await;
        for stream in ["s", "t"] {
            given
                .commit(&sync, given.whole_listing(stream, WHOLE, &puts(ids.clone(), value), json!(value)))
                .await;
            given.sweep(&sync, stream).await;
        }
        given.finish(&sync).await;
        sync
    };
    load(other, 1..=50, "other").await;
    load(connector, 1..=1_500, "a").await;
    let before = given.all_records().await;
    let undone = load(connector, 700..=2_000, "b").await;
    load(other, 20..=70, "other").await;
    let undo = given.begun(connector, &[]).await;
    let progress = given.undo(&undo, &undone, 333).await;
    assert_eq!((progress.taken_back, progress.kept), (2 * 2_000, 0));
    let (own, others) =
        given.all_records().await.into_iter().partition::<Vec<_>, _>(|it| it.connector_id == connector);
    let (own_before, _) = before.into_iter().partition::<Vec<_>, _>(|it| it.connector_id == connector);
    assert_eq!(content(&own), content(&own_before));
    assert_eq!(others.len(), 2 * 51);
    assert_eq!(given.replayed().await, given.present().await);
    let run = given.finish(&undo).await;
    assert!(run.counts.add_up());
    assert_eq!((run.counts.created, run.counts.updated, run.counts.deleted), (2 * 699, 2 * 801, 2 * 500));
}

/// Whether updated, deleted, or deleted and created again.
pub async fn what_was_changed_since_stays_and_is_counted(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=4, "a")).await;
    let lines = vec![put(1, "b"), put(2, "b"), gone(3), gone(4), put(5, "b"), put(6, "b")];
    let undone = synced(&given, connector, lines).await;
    synced(&given, connector, vec![put(1, "c"), gone(5), put(3, "c"), gone(6)]).await;
    synced(&given, connector, vec![put(6, "b")]).await;
    let undo = given.begun(connector, &[]).await;
    let progress = given.undo(&undo, &undone, 100).await;
    assert_eq!(progress, UndoProgress { taken_back: 2, kept: 4, done: true });
    let expected =
        [(1, "c"), (2, "a"), (3, "c"), (4, "a"), (6, "b")].map(|(id, value)| (id, value.to_owned()));
    assert_eq!(given.values("s").await, expected);
    let counts = given.finish(&undo).await.counts;
    assert_eq!((counts.unchanged, counts.read, counts.add_up()), (4, 6, true));
}

/// It is not there, as the sync left it, but that is another's doing.
pub async fn what_was_deleted_and_came_and_went_again_stays_away(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=2, "a")).await;
    let undone = synced(&given, connector, vec![gone(1), gone(2)]).await;
    synced(&given, connector, vec![put(1, "b")]).await;
    synced(&given, connector, vec![gone(1)]).await;
    let undo = given.begun(connector, &[]).await;
    let progress = given.undo(&undo, &undone, 1).await;
    assert_eq!((progress.taken_back, progress.kept), (1, 1));
    assert_eq!(given.ids("s").await, [2]);
}

/// In whatever way, and in however many commits.
pub async fn a_record_that_changed_more_than_once_in_a_sync_gets_the_state_before_it(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=3, "a")).await;
    let before = given.all_records().await;
    let undone = given.begun(connector, &["s"]).await;
    // 1 is updated twice, 2 goes and comes, 3 changes and goes, 4 comes and changes, 5 comes and goes.
    let first = [put(1, "b"), gone(2), put(3, "b"), put(4, "b"), put(5, "b")];
    given.commit(&undone, vec![given.records("s", WHOLE, &first)]).await;
    let second = [put(1, "c"), put(2, "c"), gone(3), put(4, "c"), gone(5)];
    given.commit(&undone, vec![given.records("s", WHOLE, &second)]).await;
    given.finish(&undone).await;
    let undo = given.begun(connector, &[]).await;
    let progress = given.undo(&undo, &undone, 100).await;
    assert_eq!((progress.taken_back, progress.kept), (4, 0));
    assert_eq!(content(&given.all_records().await), content(&before));
}

/// It was changed there and back: nothing is written.
pub async fn a_record_that_is_as_it_was_before_is_left_alone(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=2, "a")).await;
    let undone = synced(&given, connector, vec![put(1, "b"), put(1, "a"), put(3, "b"), gone(3)]).await;
    let undo = given.begun(connector, &[]).await;
    assert_eq!(given.undo(&undo, &undone, 100).await, UndoProgress { taken_back: 0, kept: 0, done: true });
    let run = given.finish(&undo).await;
    assert_eq!((run.counts, run.changes), (Counts::default(), None));
    assert_eq!(given.feed().await.len(), 6);
}

/// Cursors, open listings and sweeps of the streams in which it changed something are forgotten, before any record changes.
pub async fn the_streams_are_listed_from_the_beginning_afterwards(given: Given) {
    let connector = given.connector();
    let undone = given.begun(connector, &["s", "t", "u"]).await;
    for stream in ["s", "t"] {
        given.commit(&undone, given.whole_listing(stream, WHOLE, &puts(1..=3, "a"), json!(stream))).await;
    }
    given.commit(&undone, given.whole_listing("u", WHOLE, &[], json!("u"))).await;
    given.finish(&undone).await;
    let later = given.begun(connector, &["s", "t"]).await;
    given
        .commit(&later, vec![listing("s", WHOLE), given.records_to("s", WHOLE, &puts(1..=1, "a"), json!(7))])
        .await;
    let rest = given.records("t", WHOLE, &puts(1..=2, "a"));
    given.commit(&later, vec![listing("t", WHOLE), rest, complete("t", WHOLE, json!(8))]).await;
    given.finish(&later).await;
    let undo = given.begun(connector, &[]).await;
    for _ in 0..100 {
        let progress = given.undo_step(&undo, &undone, 1).await;
        let known = given.store.checkpoints(connector, None, None, 10).await.unwrap();
        let known =
            known.iter().any(|it| it.stream != name("u") && (it.cursor.is_some() || it.listing.is_some()));
        assert!(!known || given.stats().await.records == 6, "a record has changed, and its stream is known");
        if progress.done {
            break;
        }
    }
    given.finish(&undo).await;
    assert_eq!(given.all_records().await, []);
    let next = given.begun(connector, &["s", "t", "u"]).await;
    assert_eq!(given.unswept(&next).await, [""; 0]);
    for stream in ["s", "t"] {
        assert_eq!(given.scope(&next, stream, WHOLE).await, inlet_model::ScopeState::default());
    }
    assert_eq!(given.cursor(&next, "u", WHOLE).await, Some(json!("u")), "nothing of it was changed");
    given.commit(&next, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(9))).await;
    assert_eq!(given.counts(&next).await.created, 3);
}

/// The scope went with the records that are restored. A listing that finds them in a scope of their own takes them there.
pub async fn a_record_whose_scope_is_gone_comes_back_into_the_whole(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    for (scope, ids) in [("a.csv", 1..=3), ("b.csv", 4..=5)] {
        given.commit(&first, given.whole_listing("s", scope, &puts(ids, "a"), json!(scope))).await;
    }
    given.finish(&first).await;
    let undone = given.begun(connector, &["s"]).await;
    given.commit(&undone, vec![scopes("s", &["b.csv"])]).await;
    assert_eq!(given.sweep(&undone, "s").await, 3);
    given.finish(&undone).await;
    let undo = given.begun(connector, &[]).await;
    assert_eq!(given.undo(&undo, &undone, 100).await.taken_back, 3);
    given.finish(&undo).await;
    assert_eq!(given.ids("s").await, [1, 2, 3, 4, 5]);
    let of_whole = given.store.checkpoints(connector, None, None, 10).await.unwrap();
    assert_eq!((&of_whole[0].scope, of_whole[0].records), (&Scope::whole(), 3));
    let next = given.begun(connector, &["s"]).await;
    let mut items: Vec<Item> = given.whole_listing("s", "a.csv", &puts(1..=2, "a"), json!("a"));
    items.extend(given.whole_listing("s", "b.csv", &puts(4..=5, "a"), json!("b")));
    items.push(scopes("s", &["a.csv", "b.csv"]));
    given.commit(&next, items).await;
    assert_eq!(given.sweep(&next, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 2, 4, 5]);
    assert_eq!(given.counts(&next).await.unchanged, 4);
}

/// What it took back is there again.
pub async fn an_undo_can_be_undone(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=3, "a")).await;
    let first = synced(&given, connector, vec![put(1, "b"), gone(2), put(4, "b")]).await;
    let values = given.values("s").await;
    let second = given.begun(connector, &[]).await;
    given.undo(&second, &first, 100).await;
    given.finish(&second).await;
    assert_eq!(given.values("s").await.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3]);
    let third = given.begun(connector, &[]).await;
    assert_eq!(given.undo(&third, &second, 100).await.taken_back, 3);
    assert_eq!(given.values("s").await, values);
    let again = given.begun_again(&third).await;
    assert!(given.undo(&again, &second, 100).await.done);
}

/// Keys of which the key table has only the beginning.
pub async fn long_keys_are_restored_whole(given: Given) {
    let connector = given.connector();
    let long = |end: &str| {
        let mut key = Vec::new();
        let text = format!("\"{}{end}\"", "k".repeat(3_000));
        inlet_model::key::encode_json_scalar(text.as_bytes(), &mut key).unwrap();
        key
    };
    let write = async |write: &(dyn Fn(&mut inlet_model::Batch) + Sync)| -> Claim {
        let sync = given.begun(connector, &["s"]).await;
        let mut batch = super::items::batch(given.store.seed(), "s", WHOLE, &[] as &[Line]);
        write(&mut batch);
        given.commit(&sync, vec![Item::Batch { batch, checkpoint: None }]).await;
        given.finish(&sync).await;
        sync
    };
    write(&|batch| {
        batch.upsert(1, &long("1"), b"{}");
        batch.upsert(2, &long("2"), b"{}");
    })
    .await;
    let before = given.all_records().await;
    let undone = write(&|batch| {
        batch.delete(1, &long("1"));
        batch.upsert(2, &long("2"), b"{\"b\":1}");
        batch.upsert(3, &long("3"), b"{}");
        batch.upsert(4, &key_of(4), b"{}");
    })
    .await;
    let undo = given.begun(connector, &[]).await;
    assert_eq!(given.undo(&undo, &undone, 100).await.taken_back, 4);
    assert_eq!(content(&given.all_records().await), content(&before));
}

/// What a record is, but for who made it so and when.
fn content(records: &[Record]) -> Vec<(String, Vec<u8>, Vec<u8>, i64)> {
    let mut content: Vec<_> = records
        .iter()
        .map(|it| (it.stream.to_string(), it.key.clone(), it.data.clone(), it.created_at.as_micros()))
        .collect();
    content.sort();
    content
}
