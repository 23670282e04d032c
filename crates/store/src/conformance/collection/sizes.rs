//! Sizes: large records, long keys, many records, strange bytes.

use std::sync::Arc;

use inlet_model::{Batch, ChangeOp, Entropy, Scope, SeededEntropy, key};

use super::given::{Given, name};
use super::items::{Line, WHOLE, data_of, gone, key_of, put};
use crate::collection::Item;

/// A record of 5 MB is stored whole, and changes and goes as any other.
pub async fn a_record_of_five_megabytes_is_stored_whole(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let (first, second) = (noise(1, 5 << 20), noise(2, 5 << 20));
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(0, "a"), put(1, &first), put(2, "b")])]).await;
    assert_eq!(given.record("s", 1).await.data, data_of(1, &first));
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, &second)])]).await;
    assert_eq!(receipt.counts.updated, 1);
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, &second)])]).await;
    assert_eq!(receipt.counts.unchanged, 1);
    let feed = given.feed().await;
    assert_eq!(feed[3].data, Some(data_of(1, &second)));
    assert_eq!(given.ids("s").await, [0, 1, 2]);
    given.commit(&sync, vec![given.records("s", WHOLE, &[gone(1)])]).await;
    assert_eq!(given.ids("s").await, [0, 2]);
}

/// A commit of many large records is one transaction as any other.
pub async fn a_commit_of_64_megabytes_is_stored_whole(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let lines: Vec<Line> = (0..64).map(|id| put(id, &"x".repeat(1 << 20))).collect();
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &lines)]).await;
    assert_eq!(receipt.counts.created, 64);
    assert_eq!(given.stats().await.records, 64);
    assert_eq!(given.record("s", 63).await.data.len(), data_of(63, "").len() + (1 << 20));
}

/// Keys longer than 1,024 bytes stay apart however much of them is common, and come back whole.
pub async fn long_keys_with_a_common_beginning_are_two_records(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let lengths = [990, 1_020, 1_021, 1_022, 1_023, 1_024, 1_030, 4_000, 60_000];
    let keys: Vec<Vec<u8>> =
        lengths.into_iter().flat_map(|length| ["x", "y"].map(|end| long_key(length, end))).collect();
    let commit = async |data: &'static [u8]| {
        let mut batch = Batch::new(name("s"), Scope::whole(), given.store.seed());
        (1..).zip(&keys).for_each(|(position, key)| batch.upsert(position, key, data));
        given.commit(&sync, vec![Item::Batch { batch, checkpoint: None }]).await
    };
    let receipt = commit(b"{}").await;
    assert_eq!(receipt.counts.created, keys.len() as u64);
    let receipt = commit(b"{\"a\":1}").await;
    assert_eq!(receipt.counts.updated, keys.len() as u64);
    for key in &keys {
        let found = given.store.record(None, &name("s"), key).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(&found[0].key, key);
    }
    let mut listed: Vec<_> = given.all_records().await.into_iter().map(|record| record.key).collect();
    listed.sort();
    let mut expected = keys;
    expected.sort();
    assert!(listed == expected, "each key is listed once, whole");
    let mut of_feed: Vec<_> = given.feed().await.into_iter().skip(expected.len()).map(|it| it.key).collect();
    of_feed.sort();
    assert!(of_feed == expected, "the feed names each key whole");
}

/// Thousands of records in a commit, some of them changed and deleted in later ones, are all found again.
pub async fn thousands_of_records_are_all_found_again(given: Given) {
    const COUNT: i64 = 5_000;
    let sync = given.begun(given.connector(), &["s"]).await;
    let all: Vec<Line> = (0..COUNT).map(|id| put(id, &noise(id as u64, 40))).collect();
    given.commit(&sync, vec![given.records("s", WHOLE, &all)]).await;
    let some: Vec<Line> = (0..COUNT)
        .filter_map(|id| match id % 10 {
            3 => Some(put(id, "changed")),
            7 => Some(gone(id)),
            _ => None,
        })
        .collect();
    let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &some)]).await;
    assert_eq!((receipt.counts.created, receipt.counts.updated, receipt.counts.deleted), (5_000, 500, 500));
    let expected: Vec<(i64, String)> = (0..COUNT)
        .filter(|id| id % 10 != 7)
        .map(|id| (id, if id % 10 == 3 { "changed".to_owned() } else { noise(id as u64, 40) }))
        .collect();
    assert!(given.values("s").await == expected, "the records are what the commits made of them");
    let feed = given.feed().await;
    assert!((1..=6_000).eq(feed.iter().map(|change| change.change)), "no number is missing or twice");
    assert!(feed[..5_000].iter().all(|change| change.op == ChangeOp::Created));
    for id in [0, 511, 512, 514, 1_024, 1_025, 4_999] {
        assert_eq!(given.record("s", id).await.change, u64::try_from(id).unwrap() + 1);
    }
}

/// Keys of every kind and strange content come back byte for byte.
pub async fn every_kind_of_key_and_content_comes_back_as_it_was(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let keys = [
        "0",
        "-1",
        "1.5",
        "18446744073709551616",
        "true",
        "\"\"",
        "\"a\\u0000b\"",
        "\"\\u0000\"",
        "\"😀\"",
        "\"1\"",
        "[1,\"a\"]",
        "[\"a\",1]",
        "[\"\",\"\"]",
    ]
    .map(|json| key::Key::from_json(json.as_bytes()).unwrap().as_bytes().to_vec());
    let contents = ["{}", r#"{"a":"\u0000"}"#, r#"{"":{"":[null,true,-0.10e5]}}"#, r#"{"😀":"ß"}"#];
    let mut batch = Batch::new(name("s"), Scope::whole(), given.store.seed());
    for (position, key) in (0..).zip(&keys) {
        batch.upsert(position as u64, key, contents[position % contents.len()].as_bytes());
    }
    given.commit(&sync, vec![Item::Batch { batch, checkpoint: None }]).await;
    let feed = given.feed().await;
    assert_eq!(feed.len(), keys.len());
    for (position, key) in keys.iter().enumerate() {
        let data = contents[position % contents.len()].as_bytes();
        let found = given.store.record(None, &name("s"), key).await.unwrap();
        assert_eq!((found.len(), found[0].data.as_slice()), (1, data));
        assert_eq!((&feed[position].key, feed[position].data.as_deref()), (key, Some(data)));
    }
    let mut in_order = keys.to_vec();
    in_order.sort();
    let listed: Vec<_> = given.all_records().await.into_iter().map(|record| record.key).collect();
    assert_eq!(listed, in_order);
}

/// Names of streams and scopes that are long, or look like something else, are names as any other.
pub async fn any_name_of_a_stream_or_scope_is_kept_apart(given: Given) {
    let long = "ß".repeat(127);
    let streams = ["s", "S", "s ", "s%", "s'\"", "s_", &long, "😀"];
    let sync = given.begun(given.connector(), &streams).await;
    let scope = "../a file's \"name\"\n\u{0}.csv";
    for stream in streams {
        let lines = [put(1, "a")];
        given.commit(&sync, given.whole_listing(stream, scope, &lines, stream.into())).await;
    }
    assert_eq!(given.stats().await.records, streams.len() as u64);
    for stream in streams {
        assert_eq!(given.ids(stream).await, [1]);
        assert_eq!(given.cursor(&sync, stream, scope).await, Some(stream.into()));
        assert_eq!(given.record(stream, 1).await.key, key_of(1));
    }
}

/// `length` characters that hardly compress and need no escape in JSON.
fn noise(seed: u64, length: usize) -> String {
    let mut bytes = vec![0; length];
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed << 32));
    entropy.fill(&mut bytes);
    bytes.into_iter().map(|byte| char::from(b'0' + byte % 10)).collect()
}

/// The key of a string of so many bytes that ends in `end`.
fn long_key(length: usize, end: &str) -> Vec<u8> {
    let json = format!("\"{}{end}\"", "k".repeat(length - end.len()));
    let mut key = Vec::new();
    key::encode_json_scalar(json.as_bytes(), &mut key).unwrap();
    key
}
