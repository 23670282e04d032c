//! Records: what the collection holds now.

use super::given::{Given, name};
use super::items::{WHOLE, gone, key_of, put, puts};
use super::seen::{ALL, all_records, id_and_value};
use crate::collection::{RecordCursor, RecordQuery};

/// Records come by stream, then by key, whatever connector they belong to and whenever they were written.
pub async fn records_come_by_stream_then_by_key(given: Given) {
    for (streams, ids) in [(["b", "a"], [5, 1, 3]), (["a", "c"], [4, 300, -2])] {
        let sync = given.begun(given.connector(), &streams).await;
        for stream in streams {
            given.commit(&sync, vec![given.records(stream, WHOLE, &puts(ids, stream))]).await;
        }
    }
    let listed: Vec<(String, i64)> = given
        .all_records()
        .await
        .iter()
        .map(|record| (record.stream.to_string(), id_and_value(record).0))
        .collect();
    let expected: Vec<(String, i64)> =
        [("a", vec![-2, 1, 3, 4, 5, 300]), ("b", vec![1, 3, 5]), ("c", vec![-2, 4, 300])]
            .into_iter()
            .flat_map(|(stream, ids)| ids.into_iter().map(move |id| (stream.to_owned(), id)))
            .collect();
    assert_eq!(listed, expected);
}

/// They can be narrowed to a stream, a connector, or both.
pub async fn records_can_be_narrowed_to_stream_and_connector(given: Given) {
    let (one, two) = (given.connector(), given.connector());
    for (connector, value) in [(one, "one"), (two, "two")] {
        let sync = given.begun(connector, &["s", "t"]).await;
        given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=2, value))]).await;
        given.commit(&sync, vec![given.records("t", WHOLE, &[put(3, value)])]).await;
    }
    let found = async |connector_id, stream: Option<&str>| {
        let query = RecordQuery { connector_id, stream: stream.map(name), ..all_records() };
        let page = given.page(query).await;
        assert_eq!(page.next, None);
        page.records.iter().map(id_and_value).map(|(id, value)| format!("{id} {value}")).collect::<Vec<_>>()
    };
    assert_eq!(found(Some(one), None).await, ["1 one", "2 one", "3 one"]);
    assert_eq!(found(Some(two), Some("s")).await, ["1 two", "2 two"]);
    assert_eq!(found(None, Some("t")).await.len(), 2);
    assert_eq!(found(None, None).await.len(), 6);
    assert_eq!(found(None, Some("u")).await, [] as [&str; 0]);
    assert_eq!(found(Some(given.connector()), None).await, [] as [&str; 0]);
}

/// An empty collection has no records, no next page, no changes, no number.
pub async fn an_empty_collection_shows_nothing(given: Given) {
    assert_eq!(given.all_records().await, []);
    assert_eq!(given.feed().await, []);
    let stats = given.stats().await;
    assert_eq!((stats.records, stats.last_change), (0, 0));
    assert_eq!(given.store.record(None, &name("s"), &key_of(1)).await.unwrap(), []);
}

/// A record is found by its key: one for each connector that holds it, or that of the one asked for.
pub async fn a_record_is_found_by_its_key(given: Given) {
    let (one, two) = (given.connector(), given.connector());
    for (connector, value) in [(one, "one"), (two, "two")] {
        let sync = given.begun(connector, &["s", "t"]).await;
        given.commit(&sync, vec![given.records("s", WHOLE, &puts([7, 8], value))]).await;
        given.commit(&sync, vec![given.records("t", WHOLE, &[put(7, "other stream")])]).await;
    }
    let find = async |connector, id| {
        let found = given.store.record(connector, &name("s"), &key_of(id)).await.unwrap();
        assert!(found.iter().all(|record| record.key == key_of(id) && record.stream == name("s")));
        let mut values: Vec<_> = found.iter().map(|record| id_and_value(record).1).collect();
        values.sort();
        values
    };
    assert_eq!(find(None, 7).await, ["one", "two"]);
    assert_eq!(find(Some(one), 7).await, ["one"]);
    assert_eq!(find(Some(two), 8).await, ["two"]);
    assert_eq!(find(Some(given.connector()), 7).await, [] as [&str; 0]);
    assert_eq!(find(None, 9).await, [] as [&str; 0]);
    assert_eq!(given.store.record(None, &name("u"), &key_of(7)).await.unwrap(), []);
    assert_eq!(given.store.record(None, &name("s"), b"").await.unwrap(), []);
}

/// A record that is listed and one that is asked for are the same.
pub async fn a_listed_record_is_the_one_found_by_its_key(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=50, "a"))]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(20..=30, "b"))]).await;
    for listed in given.all_records().await {
        assert_eq!(given.store.record(None, &listed.stream, &listed.key).await.unwrap(), [listed]);
    }
}

/// The numbers of a collection follow its commits, and are the same after a restart.
pub async fn stats_follow_the_commits(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=5, "a"))]).await;
    let stats = given.stats().await;
    assert_eq!((stats.records, stats.last_change), (5, 5));
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "b"), gone(2), put(3, "a"), gone(9)])]).await;
    let other = given.begun(given.connector(), &["s"]).await;
    given.commit(&other, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    let stats = given.stats().await;
    assert_eq!((stats.records, stats.last_change), (5, 8));
    assert!(stats.bytes > 0);
    let given = given.reopened().await;
    let stats = given.stats().await;
    assert_eq!((stats.records, stats.last_change), (5, 8));
}

/// A place that nobody gave does no harm: there is an answer or an error, and the store goes on.
pub async fn a_cursor_that_nobody_gave_does_no_harm(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=5, "a"))]).await;
    let garbage: [&[u8]; 6] = [b"", b"\0", b"s", &[255; 8], &[255; 5_000], b"\0\0\0\0\0\0\0\xff\xff"];
    for bytes in garbage {
        for limit in [1, ALL] {
            let query = RecordQuery { after: Some(RecordCursor(bytes.to_vec())), limit, ..all_records() };
            if let Ok(page) = given.store.records(query).await {
                assert!(page.records.len() <= 5);
            }
        }
    }
    assert_eq!(given.ids("s").await, [1, 2, 3, 4, 5]);
}

/// Every stream that was ever read, with its records: of all connectors, of one, of one name.
pub async fn streams_are_listed_with_what_they_hold(given: Given) {
    let (one, two) = (given.connector(), given.connector());
    for (connector, count) in [(one, 3), (two, 2)] {
        let sync = given.begun(connector, &["s", "empty"]).await;
        given.commit(&sync, vec![given.records("s", WHOLE, &puts(0..count, "a"))]).await;
        given.finish(&sync).await;
    }
    let shown = async |connector, stream: Option<&str>| {
        let stream = stream.map(name);
        let found = given.store.streams(connector, stream.as_ref()).await.unwrap();
        found.into_iter().map(|it| (it.stream.to_string(), it.connector_id, it.records)).collect::<Vec<_>>()
    };
    let (s, empty) = (|of, count| ("s".to_owned(), of, count), |of| ("empty".to_owned(), of, 0));
    assert_eq!(shown(None, None).await, [empty(one), empty(two), s(one, 3), s(two, 2)]);
    assert_eq!(shown(Some(two), None).await, [empty(two), s(two, 2)]);
    assert_eq!(shown(None, Some("s")).await, [s(one, 3), s(two, 2)]);
    assert_eq!(shown(Some(given.connector()), None).await, []);
    given.purge(one, None).await;
    assert_eq!(shown(Some(one), None).await, [empty(one), s(one, 0)]);
}
