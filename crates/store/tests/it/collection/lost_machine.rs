//! A machine that is lost in the middle: the log of the database ends anywhere, and what is left is a state that was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use inlet_model::{Batch, ConnectorId, Counts, Scope, StoreId, StreamName, SyncId, Timestamp, key};
use inlet_store::collection::{
    CancelFlag, ChangeCursor, ChangePage, Commit, Fence, Item, NewRun, RecordQuery, RunStream,
};
use inlet_store::sqlite::CollectionOptions;
use inlet_store::{CollectionStore, CollectionStores};

const STORE: StoreId = StoreId::from_u128(1);
const CONNECTOR: ConnectorId = ConnectorId::from_u128(2);
const SYNC: SyncId = SyncId::from_u128(3);
const COMMITS: usize = 16;
const CUTS: u64 = 120;
const WAL_HEADER: u64 = 32;

/// Key → data, and the counters, as they were after a commit.
#[derive(Debug, Clone, PartialEq, Default)]
struct State {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    counts: Counts,
    last_change: u64,
}

#[tokio::test]
async fn a_log_cut_anywhere_opens_to_the_state_after_one_of_the_commits() {
    cut_anywhere(CollectionOptions::default()).await;
}

#[tokio::test]
async fn a_log_cut_anywhere_loses_no_key_that_waits_in_the_key_log() {
    cut_anywhere(CollectionOptions { key_log_rows: 100, ..super::logging_options() }).await;
}

async fn cut_anywhere(options: CollectionOptions) {
    let folder = tempfile::tempdir().unwrap();
    // No checkpoint, so that every commit is in the log alone.
    let options = CollectionOptions { wal_pages: 0, ..options };
    let written = folder.path().join("written");
    let stores = super::open(&written, options.clone());
    let store = stores.open(STORE).await.unwrap();
    let states = write(&*store).await;
    let files = [format!("{STORE}.db"), format!("{STORE}.db-wal")];
    let wal = fs::read(written.join(&files[1])).unwrap();
    let page_size = u64::from(u32::from_be_bytes(wal[8..12].try_into().unwrap()));
    let frame = page_size + 24;

    let mut reached = vec![false; states.len()];
    for cut in 0..CUTS {
        let draw = xxhash(cut);
        // Every second cut lies between two frames, the others anywhere.
        let length = match cut % 2 {
            0 => WAL_HEADER + draw % ((wal.len() as u64 - WAL_HEADER) / frame + 1) * frame,
            _ => draw % (wal.len() as u64 + 1),
        };
        let lost = folder.path().join(format!("lost-{cut}"));
        fs::create_dir(&lost).unwrap();
        fs::copy(written.join(&files[0]), lost.join(&files[0])).unwrap();
        fs::write(lost.join(&files[1]), &wal[..usize::try_from(length).unwrap()]).unwrap();
        let state = read(&lost, &options).await;
        let at = states.iter().position(|each| *each == state);
        reached[at.unwrap_or_else(|| {
            panic!("cut {cut} at {length}: a state that never was: {:?}", state.counts)
        })] = true;
        fs::remove_dir_all(&lost).unwrap();
    }
    assert!(
        reached.iter().filter(|reached| **reached).count() > COMMITS / 2,
        "the cuts lie far apart: {reached:?}"
    );
}

/// Writes the commits; the state before the first and after each.
async fn write(store: &dyn CollectionStore) -> Vec<State> {
    let stream = StreamName::new("s").unwrap();
    let new_run = NewRun {
        sync_id: SYNC,
        connector_id: CONNECTOR,
        fence: Fence(1),
        attempt: 1,
        after_crash: false,
        streams: vec![RunStream {
            name: stream.clone(),
            shape: String::new(),
            full_refresh: false,
            appends: false,
        }],
        lines: Vec::new(),
        now: Timestamp::from_millis(1),
    };
    store.begin_run(new_run).await.unwrap();
    let mut state = State::default();
    let mut states = vec![state.clone()];
    for number in 0..COMMITS as u64 {
        let mut batch = Batch::new(stream.clone(), Scope::whole(), store.seed());
        for position in 0..40 {
            let id = xxhash(number * 1000 + position) % 200;
            let mut encoded = Vec::new();
            key::encode_json_scalar(id.to_string().as_bytes(), &mut encoded).unwrap();
            if position % 7 == 6 {
                batch.delete(position, &encoded);
                state.records.remove(&encoded);
            } else {
                let data = format!(r#"{{"commit":{number},"id":{id}}}"#).into_bytes();
                batch.upsert(position, &encoded, &data);
                state.records.insert(encoded, data);
            }
        }
        let commit = Commit {
            sync_id: SYNC,
            connector_id: CONNECTOR,
            fence: Fence(1),
            cancel: CancelFlag::default(),
            now: Timestamp::from_millis(2 + i64::try_from(number).unwrap()),
            items: vec![Item::Batch { batch, checkpoint: Some(number.into()) }],
        };
        let receipt = store.commit(commit).await.unwrap();
        state.counts = receipt.counts;
        state.last_change = receipt.last_change;
        states.push(state.clone());
    }
    states
}

/// What a directory holds, by its records, its replayed feed and its counters, which must agree.
async fn read(dir: &Path, options: &CollectionOptions) -> State {
    let stores = super::open(dir, options.clone());
    let store: Arc<dyn CollectionStore> = stores.open(STORE).await.unwrap();
    let query = RecordQuery { limit: 1000, max_bytes: 1 << 20, ..RecordQuery::default() };
    let page = store.records(query).await.unwrap();
    let records: BTreeMap<_, _> = page.records.into_iter().map(|record| (record.key, record.data)).collect();
    let ChangePage::Changes { changes, .. } =
        store.changes(ChangeCursor::START, 10_000, 1 << 24).await.unwrap()
    else {
        panic!("nothing was compacted");
    };
    let mut replayed = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        assert_eq!(change.change, index as u64 + 1, "a change number is missing or twice");
        match &change.data {
            Some(data) => replayed.insert(change.key.clone(), data.clone()),
            None => replayed.remove(&change.key),
        };
    }
    assert_eq!(replayed, records, "the replayed feed is not the records");
    let counts = store.run(SYNC).await.unwrap().map(|run| run.counts).unwrap_or_default();
    assert!(counts.add_up());
    assert_eq!(counts.created + counts.updated + counts.deleted, changes.len() as u64);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.records, stats.last_change), (records.len() as u64, changes.len() as u64));
    assert_sound(&dir.join(format!("{STORE}.db")));
    State { records, counts, last_change: stats.last_change }
}

fn assert_sound(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
}

/// A number drawn from a seed.
fn xxhash(seed: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64(&seed.to_le_bytes())
}
