//! Schemas of streams, and records that do not fit them.

use inlet_model::ConnectorId;
use inlet_model::schema::{Observer, Schema};
use serde_json::json;

use super::given::{Claim, Given, name};
use super::items::{WHOLE, complete, kept, listing, put, puts, stream_end, stream_failed};
use crate::collection::{Item, KnownSchema, SchemaVersion, SchemasQuery};

fn schema_of(record: &str) -> Schema {
    let mut observer = Observer::default();
    observer.take(record.as_bytes());
    observer.schema()
}

fn schema(stream: &str, record: &str) -> Item {
    Item::Schema { stream: name(stream), schema: schema_of(record) }
}

impl Given {
    async fn known(&self, claim: &Claim, stream: &str) -> KnownSchema {
        self.begin(claim).await.schemas.get(&name(stream)).cloned().unwrap_or_default()
    }

    async fn versions(&self, connector_id: ConnectorId, stream: Option<&str>) -> Vec<SchemaVersion> {
        let query = SchemasQuery { connector_id, stream: stream.map(name), after: None, limit: 1_000 };
        self.store.schemas(query).await.unwrap()
    }
}

fn numbers(versions: &[SchemaVersion]) -> Vec<(&str, u64)> {
    versions.iter().map(|version| (version.stream.as_str(), version.version)).collect()
}

/// Each version is kept with the sync and the time of its commit, whatever else the commit holds.
pub async fn a_schema_is_written_with_the_records_that_made_it(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=2, "a")), schema("s", r#"{"id":1}"#)]).await;
    let first = given.last_now();
    given.commit(&sync, vec![schema("s", r#"{"id":1,"v":"a"}"#), schema("t", r#"{"x":[]}"#)]).await;
    let given = given.reopened().await;
    let versions = given.versions(sync.connector_id, Some("s")).await;
    assert_eq!(numbers(&versions), [("s", 2), ("s", 1)], "the newest comes first");
    assert_eq!((versions[1].sync_id, versions[1].at), (sync.sync_id, first));
    assert_eq!(versions[0].schema, schema_of(r#"{"id":1,"v":"a"}"#));
    assert_eq!(numbers(&given.versions(sync.connector_id, None).await), [("s", 2), ("t", 1)]);
    assert_eq!(given.versions(given.connector(), None).await, []);
}

/// A commit that is refused leaves no version.
pub async fn a_schema_of_a_commit_that_is_refused_is_not_written(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let again = given.begun_again(&sync).await;
    assert!(given.try_commit(&sync, vec![schema("s", r#"{"id":1}"#)]).await.is_err());
    assert_eq!(given.versions(again.connector_id, None).await, []);
}

/// The next run, and the next attempt, start from the last version. It is learned once the stream was read to its end.
pub async fn a_run_finds_the_schema_and_whether_it_is_learned(given: Given) {
    let sync = given.claim(given.connector(), &["s"]);
    assert_eq!(given.known(&sync, "s").await, KnownSchema::default());
    given.commit(&sync, vec![schema("s", r#"{"id":1}"#), stream_failed("s")]).await;
    let again = given.taken_over(&sync);
    let known = KnownSchema { version: 1, schema: schema_of(r#"{"id":1}"#), is_learned: false };
    assert_eq!(given.known(&again, "s").await, known);
    given.commit(&again, vec![stream_end("s")]).await;
    given.finish(&again).await;
    let next = given.claim(sync.connector_id, &["s"]);
    assert_eq!(given.known(&next, "s").await, KnownSchema { is_learned: true, ..known });
}

/// A stream of another shape, or whose checkpoints are reset, learns its schema anew, under the next number.
pub async fn a_schema_is_learned_anew(given: Given) {
    let connector = given.connector();
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, vec![schema("s", r#"{"id":1}"#), stream_end("s")]).await;
    given.finish(&sync).await;
    let reshaped = given.claim(connector, &["s"]).shaped("another");
    let unknown = |version| KnownSchema { version, ..KnownSchema::default() };
    assert_eq!(given.known(&reshaped, "s").await, unknown(1));
    given.commit(&reshaped, vec![schema("s", r#"{"other":1}"#), stream_end("s")]).await;
    given.finish(&reshaped).await;
    assert_eq!(numbers(&given.versions(connector, Some("s")).await), [("s", 2), ("s", 1)]);
    given.store.reset_checkpoints(connector, None).await.unwrap();
    assert_eq!(given.known(&given.claim(connector, &["s"]).shaped("another"), "s").await, unknown(2));
}

/// Of very many versions the last hundred are there, in pages.
pub async fn the_last_hundred_versions_are_kept(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    for number in 1..=103 {
        given.commit(&sync, vec![schema("s", &format!(r#"{{"f{number}":1}}"#))]).await;
    }
    let versions = given.versions(sync.connector_id, Some("s")).await;
    assert_eq!((versions.len(), versions[0].version, versions[99].version), (100, 103, 4));
    let after = Some((name("s"), 103));
    let query = SchemasQuery { connector_id: sync.connector_id, stream: Some(name("s")), after, limit: 2 };
    assert_eq!(numbers(&given.store.schemas(query).await.unwrap()), [("s", 102), ("s", 101)]);
}

/// A record that is there, but refused as it is, stays as it was: its listing has seen it.
pub async fn a_record_that_is_refused_as_it_is_stays_as_it_was(given: Given) {
    let connector = given.connector();
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(1))).await;
    given.finish(&sync).await;
    let next = given.begun(connector, &["s"]).await;
    let lines = [put(1, "b"), kept(2), kept(9)];
    given.commit(&next, vec![listing("s", WHOLE), given.records("s", WHOLE, &lines)]).await;
    let counts = given.commit(&next, vec![complete("s", WHOLE, json!(2))]).await.counts;
    assert_eq!((counts.read, counts.updated, counts.unchanged, counts.rejected), (3, 1, 0, 2));
    assert_eq!(given.rejected(&next).await.len(), 2);
    assert_eq!(given.sweep(&next, "s").await, 1, "3 is gone");
    assert_eq!(given.ids("s").await, [1, 2]);
}

/// A second record of its key in one listing is another record, whichever of them is refused as it is.
pub async fn a_key_that_was_kept_was_seen(given: Given) {
    let connector = given.connector();
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=2, "a"), json!(1))).await;
    given.finish(&sync).await;
    let next = given.begun(connector, &["s"]).await;
    let lines = [kept(1), put(1, "b"), put(2, "b"), kept(2)];
    let items = vec![listing("s", WHOLE), given.records("s", WHOLE, &lines)];
    let counts = given.commit(&next, items).await.counts;
    assert_eq!((counts.read, counts.updated, counts.rejected), (4, 1, 3));
}

/// Refused in another scope than that in which it was, it has moved there.
pub async fn a_record_that_is_refused_where_it_has_moved_to_is_not_deleted(given: Given) {
    let connector = given.connector();
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, given.whole_listing("s", "a", &puts(1..=2, "a"), json!(1))).await;
    given.commit(&sync, given.whole_listing("s", "b", &[], json!(1))).await;
    given.finish(&sync).await;
    let next = given.begun(connector, &["s"]).await;
    given.commit(&next, given.whole_listing("s", "b", &[kept(1)], json!(2))).await;
    given.commit(&next, given.whole_listing("s", "a", &[put(2, "a")], json!(2))).await;
    assert_eq!(given.sweep(&next, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2]);
}
