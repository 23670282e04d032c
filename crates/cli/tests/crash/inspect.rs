//! What a data directory holds, read through the store itself after the process is gone.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use inlet_model::sync::SyncStatus;
use inlet_model::{Change, ChangeOp, ConnectorId, Record, StoreId, SyncId, SystemClock, SystemEntropy};
use inlet_store::catalog::{Catalog, ConnectorFilter, Order, PageQuery, Sync, SyncFilter};
use inlet_store::collection::{ChangeCursor, ChangePage, RecordQuery};
use inlet_store::postgres::{Postgres, PostgresCollections};
use inlet_store::sqlite::{CollectionOptions, SqliteCollections, open_catalog};
use inlet_store::{CollectionStore, CollectionStores as _};

use crate::harness::Schema;

/// The collection of the tests of one command.
const COLLECTION: &str = "crash";
const PAGE: PageQuery = PageQuery { after: None, limit: 1_000, order: Order::NewestFirst };

/// Fails, naming `what`, unless the collection holds exactly `expected` by every account: its records, its replayed feed,
/// its change numbers and its counters.
pub(super) fn assert_holds(data: &Path, expected: &BTreeMap<String, String>, what: &str) {
    block_on(async {
        let (catalog, store) = open(data, COLLECTION).await;
        let records = all_records(&*store).await;
        let held: BTreeMap<String, String> =
            records.iter().map(|record| (key_text(&record.key), text(&record.data))).collect();
        assert_eq!(&held, expected, "{what}: the records are not those of the files");
        let changes = all_changes(&*store).await;
        assert_eq!(&replayed(&changes), expected, "{what}: the replayed feed is not the records");
        let syncs = syncs(&*catalog, COLLECTION).await;
        assert_eq!(syncs.len(), 1, "the command finds its connector again");
        assert_counters(&*store, &syncs.concat(), &changes, what).await;
    });
}

/// Fails, naming `what`, unless what the collection tells of its syncs and its changes adds up, and no sync is open.
pub(super) fn assert_accounts(data: &Path, collection: &str, what: &str) {
    block_on(async {
        let (catalog, store) = open(data, collection).await;
        let syncs = syncs(&*catalog, collection).await.concat();
        assert_counters(&*store, &syncs, &all_changes(&*store).await, what).await;
    });
}

/// The same for a collection in a database.
pub(super) fn assert_accounts_of(schema: &Schema, collection: &str, what: &str) {
    // Its connections have threads of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Postgres::new(&schema.url()).unwrap();
        let catalog = database.catalog(&SystemClock, &SystemEntropy).await.unwrap();
        let store_id = store_of(&catalog, collection).await;
        let stores = PostgresCollections::new(&database, Arc::new(SystemEntropy));
        let store = stores.open(store_id).await.unwrap();
        let syncs = syncs(&catalog, collection).await.concat();
        assert_counters(&*store, &syncs, &all_changes(&*store).await, what).await;
    });
}

/// Whether a sync was running when the process ended.
pub(super) fn has_running_sync(data: &Path) -> bool {
    block_on(async {
        let (catalog, _) = open(data, COLLECTION).await;
        syncs(&*catalog, COLLECTION).await.concat().iter().any(|sync| sync.status == SyncStatus::Running)
    })
}

async fn assert_counters(store: &dyn CollectionStore, syncs: &[Sync], changes: &[Change], what: &str) {
    let numbers: Vec<u64> = changes.iter().map(|change| change.change).collect();
    let all: Vec<u64> = (1..=numbers.len() as u64).collect();
    assert_eq!(numbers, all, "{what}: a change number is missing or twice");
    let mut entries: HashMap<SyncId, u64> = HashMap::new();
    for change in changes {
        let sync_id = change.sync_id.expect("nothing was removed on request");
        *entries.entry(sync_id).or_default() += 1;
    }
    for sync in syncs {
        assert!(sync.status.is_final(), "{what}: {} is {}", sync.id, sync.status);
        let Some(run) = store.run(sync.id).await.unwrap() else { continue };
        assert!(run.counts.add_up(), "{what}: {:?}", run.counts);
        let changed = run.counts.created + run.counts.updated + run.counts.deleted;
        assert_eq!(
            changed,
            entries.remove(&sync.id).unwrap_or(0),
            "{what}: counters and change entries differ"
        );
        assert_eq!(
            Some(sync.status),
            run.outcome.map(SyncStatus::from),
            "{what}: the catalog's copy differs"
        );
        assert_eq!(sync.counts, run.counts, "{what}: the catalog's copy differs");
    }
    assert!(entries.is_empty(), "{what}: changes of unknown syncs");
}

async fn open(data: &Path, collection: &str) -> (Arc<dyn Catalog>, Arc<dyn CollectionStore>) {
    let catalog = open_catalog(&data.join("catalog.db"), &SystemClock, &SystemEntropy).unwrap();
    let store_id = store_of(&catalog, collection).await;
    let stores = SqliteCollections::new(
        &data.join("collections"),
        Arc::new(SystemEntropy),
        CollectionOptions::default(),
    )
    .unwrap();
    (Arc::new(catalog), stores.open(store_id).await.unwrap())
}

async fn store_of(catalog: &dyn Catalog, collection: &str) -> StoreId {
    let found =
        catalog.collection_get(&"default".parse().unwrap(), &collection.parse().unwrap()).await.unwrap();
    found.expect("the collection is there").store_id
}

/// The syncs of each connector.
async fn syncs(catalog: &dyn Catalog, collection: &str) -> Vec<Vec<Sync>> {
    let (space, collection) = ("default".parse().unwrap(), collection.parse().unwrap());
    let connectors =
        catalog.connector_list(&space, &collection, ConnectorFilter::default(), PAGE).await.unwrap().unwrap();
    let mut syncs = Vec::new();
    for connector in connectors.items {
        syncs.push(syncs_of(catalog, connector.id).await);
    }
    syncs
}

async fn syncs_of(catalog: &dyn Catalog, connector_id: ConnectorId) -> Vec<Sync> {
    let (mut syncs, mut query) = (Vec::new(), PAGE);
    loop {
        let page = catalog.sync_list(connector_id, SyncFilter::default(), query.clone()).await.unwrap();
        syncs.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return syncs,
        }
    }
}

async fn all_records(store: &dyn CollectionStore) -> Vec<Record> {
    let mut query = RecordQuery { limit: 1000, max_bytes: 1 << 20, ..RecordQuery::default() };
    let mut records = Vec::new();
    loop {
        let page = store.records(query.clone()).await.unwrap();
        records.extend(page.records);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return records,
        }
    }
}

async fn all_changes(store: &dyn CollectionStore) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    loop {
        let after = changes.last().map_or(0, |change| change.change);
        match store.changes(ChangeCursor::behind(after), 1000, 1 << 20).await.unwrap() {
            ChangePage::Changes { changes: page, .. } if page.is_empty() => return changes,
            ChangePage::Changes { changes: page, .. } => changes.extend(page),
            ChangePage::Expired { .. } => panic!("nothing was compacted"),
        }
    }
}

fn replayed(changes: &[Change]) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for change in changes {
        let key = key_text(&change.key);
        match (change.op, &change.data) {
            (ChangeOp::Deleted, None) => drop(held.remove(&key)),
            (_, Some(data)) => drop(held.insert(key, text(data))),
            (op, None) => panic!("{op:?} without data"),
        }
    }
    held
}

fn key_text(key: &[u8]) -> String {
    let mut json = Vec::new();
    inlet_model::key::to_json(key, &mut json).unwrap();
    text(&json)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
