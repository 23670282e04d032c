//! Golden files: a collection of every version ever released, and what it reads as.
//!
//! `golden/vN/collection.db` was written by version `N` and never changes. With `INLET_TEST_WRITE_GOLDEN` set, the present
//! version writes its own if there is none yet, and every `collection.txt` is written anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use inlet_model::log::{LogLevel, NewLogLine};
use inlet_model::mask::Masking;
use inlet_model::sync::{Failure, Outcome};
use inlet_model::{
    Batch, ConnectorId, PushedRecord, Rejection, Scope, StoreId, StreamName, SyncId, Timestamp, key,
};
use inlet_store::catalog::PurgeId;
use inlet_store::collection::{
    CancelFlag, ChangeCursor, ChangePage, Commit, Fence, FinishRun, Item, LogQuery, NewRun, PurgeStep, Push,
    PushEffect, RecordQuery, RejectedQuery, RunStream, Sweep, Unseen,
};
use inlet_store::sqlite::CollectionOptions;
use inlet_store::{CollectionStore, CollectionStores};

const VERSIONS: &[&str] = &["v1"];
const STORE: StoreId = StoreId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const CONNECTOR: ConnectorId = ConnectorId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002);
const FIRST: SyncId = SyncId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0003);
const SECOND: SyncId = SyncId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0004);

#[tokio::test]
async fn a_collection_of_every_version_reads_as_it_was_written() {
    let present = golden(VERSIONS.last().unwrap(), "collection.db");
    if writes_golden() && !present.exists() {
        fs::copy(written(tempfile::tempdir().unwrap().path()).await, &present).unwrap();
    }
    for version in VERSIONS {
        let shown = show(opened(version).path()).await;
        let expected = golden(version, "collection.txt");
        if writes_golden() {
            fs::write(&expected, &shown).unwrap();
        }
        assert!(shown == fs::read_to_string(&expected).unwrap(), "{version} now reads as:\n{shown}");
    }
}

/// What the generator writes now is what the present version's file holds, block for block: the file is no relic of
/// another program.
#[tokio::test]
async fn the_present_version_still_writes_its_golden_file() {
    let folder = tempfile::tempdir().unwrap();
    let now = written(folder.path()).await;
    assert_eq!(blocks(&now), blocks(&golden(VERSIONS.last().unwrap(), "collection.db")));
    let shown = show(folder.path()).await;
    let expected = show(opened(VERSIONS.last().unwrap()).path()).await;
    assert!(shown == expected, "the generator now writes:\n{shown}");
}

/// A copy of that version's file, in a directory of its own.
fn opened(version: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden(version, "collection.db"), folder.path().join(file_name())).unwrap();
    folder
}

fn writes_golden() -> bool {
    std::env::var_os("INLET_TEST_WRITE_GOLDEN").is_some()
}

fn golden(version: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(version).join(file)
}

fn file_name() -> String {
    format!("{STORE}.db")
}

/// The stored blocks, byte for byte.
fn blocks(file: &Path) -> Vec<(i64, Vec<u8>)> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("copy.db");
    fs::copy(file, &path).unwrap();
    let connection = rusqlite::Connection::open_with_flags(&path, flags).unwrap();
    let mut statement =
        connection.prepare("SELECT first_change, stored FROM blocks ORDER BY first_change").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Writes a collection that has something in every table, and gives its file.
pub(crate) async fn written(dir: &Path) -> PathBuf {
    {
        let stores = super::open(dir, CollectionOptions::default());
        let store = stores.open(STORE).await.unwrap();
        first_sync(&*store).await;
        second_sync(&*store).await;
        push(&*store).await;
        purge(&*store).await;
    }
    dir.join(file_name())
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + millis)
}

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

fn new_run(sync_id: SyncId, fence: u64) -> NewRun {
    let streams = ["whole", "parts"].map(|name| RunStream {
        name: stream(name),
        shape: "a shape".to_owned(),
        full_refresh: false,
        appends: false,
    });
    NewRun {
        sync_id,
        connector_id: CONNECTOR,
        fence: Fence(fence),
        attempt: 1,
        after_crash: false,
        streams: streams.to_vec(),
        lines: vec![NewLogLine::new(LogLevel::Info, "attempt.begun", "The sync begins.")],
        now: at(0),
    }
}

fn commit(sync_id: SyncId, fence: u64, now: i64, items: Vec<Item>) -> Commit {
    let cancel = CancelFlag::default();
    Commit { sync_id, connector_id: CONNECTOR, fence: Fence(fence), cancel, now: at(now), items }
}

fn batch(store: &dyn CollectionStore, name: &str, scope: &str, records: &[(&str, &str)]) -> Batch {
    let mut batch = Batch::new(stream(name), Scope::new(scope), store.seed());
    for (position, (key, data)) in (1..).zip(records) {
        let mut encoded = Vec::new();
        key::encode_json_scalar(key.as_bytes(), &mut encoded).unwrap();
        batch.upsert(position, &encoded, data.as_bytes());
    }
    batch
}

fn listed(store: &dyn CollectionStore, name: &str, scope: &str, records: &[(&str, &str)]) -> [Item; 3] {
    let (stream, scope_name) = (stream(name), Scope::new(scope));
    let batch = batch(store, name, scope, records);
    let cursor = Some(serde_json::json!({"of": scope, "records": records.len()}));
    [
        Item::Listing { stream: stream.clone(), scope: scope_name.clone() },
        Item::Batch { batch, checkpoint: Some(records.len().into()) },
        Item::Complete { stream, scope: scope_name, cursor, unseen: Unseen::Goes },
    ]
}

/// Creates records of every kind of key, refuses one, and leaves a listing open.
async fn first_sync(store: &dyn CollectionStore) {
    store.begin_run(new_run(FIRST, 1)).await.unwrap();
    let keys = [
        ("1", r#"{"id":1,"n":9007199254740993}"#),
        ("-70000", r#"{"id":-70000}"#),
        ("1.50", r#"{"id":1.50}"#),
        ("\"text\"", r#"{"id":"text","note":"é\ud800"}"#),
        ("true", r#"{"id":true}"#),
    ];
    let long = format!("\"{}\"", "k".repeat(1500));
    let mut items = Vec::from(listed(store, "whole", "", &keys));
    items.extend(listed(store, "parts", "a.csv", &[("1", "{}"), ("2", "{}"), (&long, r#"{"long":true}"#)]));
    let mut refused = batch(store, "parts", "b.csv", &[("3", "{}")]);
    refused.reject(Rejection::new(7, "json.syntax", "not JSON".to_owned(), b"{,"));
    let line = b"{\"data\":{\"id\":null},\"op\":\"upsert\"}".to_vec();
    refused.reject(Rejection::new(8, "key.missing", "no key".to_owned(), &line));
    refused.keep_refused(PushedRecord {
        key_fields: vec!["id".to_owned()],
        masked: Masking::default(),
        line,
    });
    let schema = serde_json::from_str(r#"{"id":["boolean","number","string"],"note":[],"n":["integer"]}"#);
    items.push(Item::Schema { stream: stream("whole"), schema: schema.unwrap() });
    items.push(Item::Log(
        NewLogLine::new(LogLevel::Warning, "source.warning", "Watch out.").of(&stream("parts")),
    ));
    items.push(Item::Listing { stream: stream("parts"), scope: Scope::new("b.csv") });
    items.push(Item::Batch { batch: refused, checkpoint: Some("row 8".into()) });
    store.commit(commit(FIRST, 1, 10, items)).await.unwrap();
    let failure = Failure {
        code: "source.changed".to_owned(),
        message: "the file changed".to_owned(),
        hint: Some("sync again".to_owned()),
        retryable: true,
    };
    let end = Item::StreamEnd { stream: stream("parts"), failure: Some(failure.clone()) };
    store.commit(commit(FIRST, 1, 20, vec![end])).await.unwrap();
    let finish = FinishRun {
        sync_id: FIRST,
        connector_id: CONNECTOR,
        fence: Fence(1),
        outcome: Outcome::Failed,
        failure: Some(failure),
        lines: vec![NewLogLine::new(LogLevel::Error, "source.changed", "The file changed.")],
        cancel: CancelFlag::default(),
        now: at(30),
    };
    store.finish_run(finish).await.unwrap();
}

/// Updates, leaves unchanged and deletes; does not end.
async fn second_sync(store: &dyn CollectionStore) {
    store.begin_run(new_run(SECOND, 2)).await.unwrap();
    let records = [("1", r#"{"id":1,"n":2}"#), ("1.50", r#"{"id":1.50}"#), ("\"new\"", r#"{"id":"new"}"#)];
    let items = Vec::from(listed(store, "whole", "", &records));
    store.commit(commit(SECOND, 2, 40, items)).await.unwrap();
    loop {
        let sweep = Sweep {
            sync_id: SECOND,
            connector_id: CONNECTOR,
            fence: Fence(2),
            cancel: CancelFlag::default(),
            now: at(50),
            stream: stream("whole"),
            max_keys: 100,
            absent: Default::default(),
        };
        if store.sweep(sweep).await.unwrap().done {
            return;
        }
    }
}

async fn push(store: &dyn CollectionStore) {
    let push = Push {
        connector_id: CONNECTOR,
        stream: stream("pushed"),
        key_fields: vec!["id".to_owned()],
        masking: serde_json::from_str(r#"{"/a/b":"drop","x":"hash"}"#).unwrap(),
        lines: b"{\"data\":{\"id\":1},\"op\":\"upsert\"}\n".to_vec(),
        count: 1,
        now: at(60),
        max_pending_bytes: 1 << 20,
        idempotent: None,
    };
    assert!(matches!(store.push(push).await.unwrap(), PushEffect::Stored { .. }));
}

/// Removes what is not there: only that it was done remains.
async fn purge(store: &dyn CollectionStore) {
    let stream = Some(stream("old"));
    let step = PurgeStep { id: PurgeId(7), connector_id: CONNECTOR, stream, now: at(9_000), max_keys: 10 };
    assert!(store.purge_step(step).await.unwrap().done);
}

/// Everything the collection in `dir` holds, as text.
async fn show(dir: &Path) -> String {
    let stores = super::open(dir, CollectionOptions::default());
    let store = stores.open(STORE).await.unwrap();
    let mut shown = format!("seed {:016x}\n", store.seed().0);
    let query = RecordQuery { limit: 1000, max_bytes: 1 << 20, ..RecordQuery::default() };
    for record in store.records(query).await.unwrap().records {
        writeln!(shown, "{record:?}").unwrap();
    }
    let ChangePage::Changes { changes, .. } =
        store.changes(ChangeCursor::START, 1000, 1 << 20).await.unwrap()
    else {
        panic!("expired")
    };
    for change in changes {
        writeln!(shown, "{change:?}").unwrap();
    }
    for sync_id in [FIRST, SECOND] {
        let run = store.run(sync_id).await.unwrap();
        writeln!(shown, "{run:#?}").unwrap();
        writeln!(shown, "{:?}", store.rejected(sync_id, RejectedQuery::behind(0, 10)).await.unwrap())
            .unwrap();
        writeln!(shown, "{:?}", store.log(sync_id, LogQuery::behind(0, 10)).await.unwrap()).unwrap();
    }
    let pushed = store.inbox_after(CONNECTOR, &stream("pushed"), 0, 1 << 20).await.unwrap();
    writeln!(shown, "{pushed:?}").unwrap();
    let third = SyncId::from_u128(5);
    let start = store.begin_run(new_run(third, 3)).await.unwrap();
    writeln!(shown, "{:#?}\n{:?}\nunswept {:?}", start.scopes, start.schemas, start.unswept).unwrap();
    shown
}
