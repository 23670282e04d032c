//! The change feed: in order, nothing missing, nothing twice.

use std::collections::BTreeMap;

use inlet_model::{Change, ChangeOp, ConnectorId, StreamName};

use super::given::Given;
use super::items::{WHOLE, gone, put, puts};
use super::seen::{ALL, changes};
use crate::collection::ChangeCursor;

/// The feed goes on from any number, in pages of any size, and is empty at its end.
pub async fn the_feed_goes_on_from_any_number(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=600, "a"))]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=30, "b"))]).await;
    let feed = given.feed().await;
    assert!((1..=630).eq(feed.iter().map(|change| change.change)));
    for after in [0, 1, 511, 512, 513, 599, 600, 601, 629] {
        for limit in [1, 3, 1_000] {
            let page = changes(given.store.changes(ChangeCursor::behind(after), limit, ALL).await.unwrap());
            let start = usize::try_from(after).unwrap();
            assert_eq!(page, feed[start..(start + limit).min(630)], "{limit} after {after}");
        }
    }
    for after in [630, 631, 1 << 40] {
        assert_eq!(given.changes_after(after).await, []);
    }
}

/// A page stops once it holds so many bytes of data, and holds at least one change.
pub async fn a_page_of_changes_stops_once_it_holds_so_many_bytes(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let empty = super::items::data_of(1, "").len();
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=9, &"x".repeat(100 - empty)))]).await;
    for (max_bytes, held) in [(1, 1), (100, 1), (101, 2), (250, 3), (10_000, 9)] {
        let page = changes(given.store.changes(ChangeCursor::START, ALL, max_bytes).await.unwrap());
        assert_eq!(page.len(), held, "of {max_bytes} bytes");
    }
    given.commit(&sync, vec![given.records("s", WHOLE, &[gone(1), gone(2), gone(3)])]).await;
    assert!(!changes(given.store.changes(ChangeCursor::behind(9), ALL, 1).await.unwrap()).is_empty());
}

/// Replayed from 0 the feed equals the records.
pub async fn replayed_from_0_the_feed_equals_the_records(given: Given) {
    for value in ["one", "two"] {
        let sync = given.begun(given.connector(), &["s", "t"]).await;
        for stream in ["s", "t"] {
            given.commit(&sync, vec![given.records(stream, WHOLE, &puts(1..=9, value))]).await;
            let lines = [put(2, "changed"), gone(3), put(3, "again"), gone(4), put(10, "new"), gone(10)];
            given.commit(&sync, vec![given.records(stream, WHOLE, &lines)]).await;
            given.commit(&sync, given.whole_listing(stream, WHOLE, &puts(1..=5, value), 1.into())).await;
            given.sweep(&sync, stream).await;
        }
    }
    let mut replayed: BTreeMap<(StreamName, Vec<u8>, ConnectorId), Change> = BTreeMap::new();
    for change in given.feed().await {
        let place = (change.stream.clone(), change.key.clone(), change.connector_id);
        match change.op {
            ChangeOp::Created => assert!(replayed.insert(place, change).is_none()),
            ChangeOp::Updated => assert!(replayed.insert(place, change).is_some()),
            ChangeOp::Deleted => assert!(replayed.remove(&place).is_some()),
        }
    }
    let mut records = given.all_records().await;
    records.sort_by_key(|record| (record.stream.clone(), record.key.clone(), record.connector_id));
    assert_eq!(records.len(), replayed.len());
    for (record, change) in records.iter().zip(replayed.values()) {
        assert_eq!((&record.key, Some(&record.data)), (&change.key, change.data.as_ref()));
        assert_eq!(
            (record.change, Some(record.sync_id), record.updated_at),
            (change.change, change.sync_id, change.at)
        );
    }
}

/// A reader that follows while many write sees every number once, in order.
pub async fn a_reader_that_follows_misses_nothing_and_gets_nothing_twice(given: Given) {
    const CONNECTORS: usize = 4;
    const COMMITS: u64 = 15;
    let mut claims = Vec::new();
    for _ in 0..CONNECTORS {
        claims.push(given.begun(given.connector(), &["s"]).await);
    }
    let mut writers = tokio::task::JoinSet::new();
    let given = std::sync::Arc::new(given);
    for claim in claims {
        let given = std::sync::Arc::clone(&given);
        writers.spawn(async move {
            for round in 0..COMMITS {
                let lines = puts(0..40, &round.to_string());
                given.commit(&claim, vec![given.records("s", WHOLE, &lines)]).await;
            }
        });
    }
    let expected = CONNECTORS as u64 * COMMITS * 40;
    let mut last = 0;
    while last < expected {
        let page = changes(given.store.changes(ChangeCursor::behind(last), 33, ALL).await.unwrap());
        for change in page {
            assert_eq!(change.change, last + 1);
            last = change.change;
        }
        tokio::task::yield_now().await;
    }
    writers.join_all().await;
    assert_eq!(given.changes_after(last).await, []);
    assert_eq!(given.stats().await.last_change, expected);
}

/// The changes of a sync are as many as its counters say.
pub async fn the_changes_of_a_sync_are_as_many_as_it_counted(given: Given) {
    let connector = given.connector();
    let mut claims = Vec::new();
    for (ids, value) in [(1..=9, "a"), (3..=12, "a"), (5..=7, "b")] {
        let sync = given.begun(connector, &["s"]).await;
        given.commit(&sync, given.whole_listing("s", WHOLE, &puts(ids, value), 1.into())).await;
        given.sweep(&sync, "s").await;
        given.finish(&sync).await;
        claims.push(sync);
    }
    let feed = given.feed().await;
    for sync in claims {
        let counts = given.counts(&sync).await;
        let of_sync =
            |op| feed.iter().filter(|it| it.sync_id == Some(sync.sync_id) && it.op == op).count() as u64;
        assert_eq!(of_sync(ChangeOp::Created), counts.created);
        assert_eq!(of_sync(ChangeOp::Updated), counts.updated);
        assert_eq!(of_sync(ChangeOp::Deleted), counts.deleted);
    }
}
