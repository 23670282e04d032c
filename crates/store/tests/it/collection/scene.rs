//! What the tests of files set up: syncs of one connector over the trait alone, and what a collection then shows.

use std::collections::BTreeMap;
use std::time::Duration;

use inlet_model::sync::Outcome;
use inlet_model::{Batch, ConnectorId, Scope, StreamName, SyncId, Timestamp, key};
use inlet_store::CollectionStore;
use inlet_store::collection::{
    CancelFlag, ChangeCursor, ChangePage, Commit, Fence, FinishRun, Item, NewRun, RecordQuery, RunStream,
    UndoEffect, UndoProgress, UndoStep, UpkeepProgress, UpkeepStep,
};

const CONNECTOR: ConnectorId = ConnectorId::from_u128(2);

/// A sync, which has the number as its fence too.
pub(super) fn sync_id(number: u64) -> SyncId {
    SyncId::from_u128(100 + u128::from(number))
}

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).plus(Duration::from_secs(seconds))
}

fn stream() -> StreamName {
    StreamName::new("s").unwrap()
}

/// The sync begins, or its next attempt under a greater fence.
pub(crate) async fn begin(store: &dyn CollectionStore, number: u64, fence: u64) {
    let new_run = NewRun {
        sync_id: sync_id(number),
        connector_id: CONNECTOR,
        fence: Fence(fence),
        attempt: u32::try_from(1 + fence - number).unwrap(),
        after_crash: fence > number,
        streams: vec![RunStream {
            name: stream(),
            shape: "a shape".to_owned(),
            full_refresh: false,
            appends: false,
        }],
        lines: Vec::new(),
        now: at(number),
    };
    store.begin_run(new_run).await.unwrap();
}

pub(crate) async fn commit(store: &dyn CollectionStore, number: u64, ids: std::ops::Range<u64>, value: &str) {
    let mut batch = Batch::new(stream(), Scope::whole(), store.seed());
    for id in ids {
        let mut encoded = Vec::new();
        key::encode_json_scalar(id.to_string().as_bytes(), &mut encoded).unwrap();
        match value {
            "" => batch.delete(id, &encoded),
            value => batch.upsert(id, &encoded, format!(r#"{{"id":{id},"v":"{value}"}}"#).as_bytes()),
        }
    }
    let commit = Commit {
        sync_id: sync_id(number),
        connector_id: CONNECTOR,
        fence: Fence(number),
        cancel: CancelFlag::default(),
        now: at(number),
        items: vec![Item::Batch { batch, checkpoint: None }],
    };
    store.commit(commit).await.unwrap();
}

pub(crate) async fn finish(store: &dyn CollectionStore, number: u64, fence: u64) {
    let finish = FinishRun {
        sync_id: sync_id(number),
        connector_id: CONNECTOR,
        fence: Fence(fence),
        outcome: Outcome::Succeeded,
        failure: None,
        lines: Vec::new(),
        cancel: CancelFlag::default(),
        now: at(number),
    };
    store.finish_run(finish).await.unwrap();
}

/// A whole sync that gives these records this value, or deletes them if it is empty.
pub(crate) async fn synced(store: &dyn CollectionStore, number: u64, ids: std::ops::Range<u64>, value: &str) {
    begin(store, number, number).await;
    commit(store, number, ids, value).await;
    finish(store, number, number).await;
}

/// A step of upkeep that keeps no history; whether there may be more.
pub(crate) async fn upkeep_step(store: &dyn CollectionStore, seconds: u64, max_entries: usize) -> bool {
    let (history, runs) = (Duration::ZERO, Duration::MAX);
    let step = UpkeepStep { now: at(seconds), history, runs, max_entries };
    store.upkeep_step(step).await.unwrap() == UpkeepProgress::More
}

pub(crate) async fn undo_step(
    store: &dyn CollectionStore,
    number: u64,
    fence: u64,
    undone: u64,
) -> UndoProgress {
    let step = UndoStep {
        sync_id: sync_id(number),
        connector_id: CONNECTOR,
        fence: Fence(fence),
        cancel: CancelFlag::default(),
        now: at(number),
        undone: sync_id(undone),
        max_changes: 100,
    };
    match store.undo_step(step).await.unwrap() {
        UndoEffect::Progress(progress) => progress,
        UndoEffect::Impossible(why) => panic!("it cannot be undone: {why:?}"),
    }
}

/// Key → data.
pub(crate) type Held = BTreeMap<Vec<u8>, Vec<u8>>;

/// The records, which the replayed feed equals; and how many changes the feed has.
pub(crate) async fn held(store: &dyn CollectionStore) -> (Held, usize) {
    let query = RecordQuery { limit: 1 << 20, max_bytes: 1 << 30, ..RecordQuery::default() };
    let page = store.records(query).await.unwrap();
    let records: Held = page.records.into_iter().map(|record| (record.key, record.data)).collect();
    let page = store.changes(ChangeCursor::START, 1 << 20, 1 << 30).await.unwrap();
    let ChangePage::Changes { changes, .. } = page else { panic!("the beginning never expires") };
    let (mut replayed, length) = (Held::new(), changes.len());
    for change in changes {
        match change.data {
            Some(data) => replayed.insert(change.key, data),
            None => replayed.remove(&change.key),
        };
    }
    assert_eq!(replayed, records, "the replayed feed is not the records");
    assert_eq!(store.stats().await.unwrap().records, records.len() as u64);
    (records, length)
}
