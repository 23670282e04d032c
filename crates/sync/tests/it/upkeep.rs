//! The upkeep of collections, beside syncs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use inlet_model::StoreId;
use inlet_source::Message;
use inlet_store::collection::{ChangeCursor, ChangePage};
use inlet_store::{CollectionStore, CollectionStores, StoreResult};
use inlet_sync::EngineOptions;

use crate::fixture::{Fixture, batch, complete, end, listing};

/// An engine that keeps no history, and looks all the time.
fn forgetful() -> EngineOptions {
    let none = Duration::ZERO;
    let upkeep_period = Duration::from_millis(1);
    EngineOptions { history: Some(none), undo_time: none, upkeep_period, ..EngineOptions::default() }
}

/// Lists the same records again and again, each time with another value.
fn script_of_changes(fixture: &Fixture, records: i64) {
    let round = Arc::new(AtomicUsize::new(0));
    fixture.script(move |request, out| {
        let value = round.fetch_add(1, Ordering::Relaxed).to_string();
        async move {
            out.send(listing("s")).await.unwrap();
            let batch = batch(&request, "s", 0..records, &value);
            out.send(Message::Batch { batch, checkpoint: None }).await.unwrap();
            out.send(complete("s", true)).await.unwrap();
            out.send(end("s")).await.unwrap();
            Ok(())
        }
    });
}

async fn feed(store: &dyn CollectionStore) -> Vec<u64> {
    match store.changes(ChangeCursor::START, 100_000, 1 << 30).await.unwrap() {
        ChangePage::Changes { changes, .. } => changes.iter().map(|change| change.change).collect(),
        ChangePage::Expired { .. } => panic!("the beginning never expires"),
    }
}

async fn wait_until(mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it is so within 30 seconds");
}

#[tokio::test]
async fn what_is_past_the_history_goes_while_syncs_go_on() {
    let fixture = Fixture::new(&["s"]).await;
    script_of_changes(&fixture, 900);
    let engine = fixture.engine_with(forgetful()).await;
    for round in 0..6 {
        let sync = fixture.sync_to_the_end(&engine).await;
        let changed = if round == 0 { sync.counts.created } else { sync.counts.updated };
        assert_eq!(changed, 900);
    }
    let store = fixture.store().await;
    let latest: Vec<u64> = (5 * 900 + 1..=6 * 900).collect();
    wait_until(async || feed(&*store).await == latest).await;
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.records, stats.last_change), (900, 6 * 900));
}

#[tokio::test]
async fn by_default_nothing_of_today_goes() {
    let fixture = Fixture::new(&["s"]).await;
    script_of_changes(&fixture, 10);
    let upkeep_period = Duration::from_millis(1);
    let engine = fixture.engine_with(EngineOptions { upkeep_period, ..EngineOptions::default() }).await;
    for _ in 0..3 {
        fixture.sync_to_the_end(&engine).await;
    }
    assert_eq!(feed(&*fixture.store().await).await.len(), 30);
}

/// Counts how often stores are looked for.
#[derive(Debug)]
struct Counted {
    stores: Arc<dyn CollectionStores>,
    looks: AtomicUsize,
}

#[async_trait]
impl CollectionStores for Counted {
    async fn open(&self, id: StoreId) -> StoreResult<Arc<dyn CollectionStore>> {
        self.stores.open(id).await
    }

    async fn find(&self, id: StoreId) -> StoreResult<Option<Arc<dyn CollectionStore>>> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.stores.find(id).await
    }

    async fn remove(&self, id: StoreId) -> StoreResult<()> {
        self.stores.remove(id).await
    }

    async fn list(&self) -> StoreResult<Vec<StoreId>> {
        self.stores.list().await
    }
}

#[tokio::test]
async fn a_collection_in_which_nothing_is_due_is_looked_at_once_and_one_without_data_is_not_made() {
    let mut fixture = Fixture::new(&["s"]).await;
    let counted = Arc::new(Counted { stores: Arc::clone(&fixture.stores), looks: AtomicUsize::new(0) });
    fixture.stores = Arc::clone(&counted) as Arc<dyn CollectionStores>;
    let upkeep_period = Duration::from_millis(1);
    let engine = fixture.engine_with(EngineOptions { upkeep_period, ..EngineOptions::default() }).await;
    wait_until(async || counted.looks.load(Ordering::Relaxed) > 0).await;
    assert_eq!(fixture.stores.list().await.unwrap(), []);
    script_of_changes(&fixture, 10);
    for _ in 0..5 {
        fixture.sync_to_the_end(&engine).await;
    }
    assert_eq!(counted.looks.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_engine_that_stops_does_not_wait_for_the_upkeep_and_the_next_goes_on() {
    let fixture = Fixture::new(&["s"]).await;
    script_of_changes(&fixture, 900);
    let engine = fixture.engine().await;
    for _ in 0..4 {
        fixture.sync_to_the_end(&engine).await;
    }
    engine.stop(Duration::from_secs(10)).await;
    let store = fixture.store().await;
    assert_eq!(feed(&*store).await.len(), 4 * 900);
    let stopped = fixture.engine_with(forgetful()).await;
    stopped.stop(Duration::from_secs(10)).await;
    assert_eq!(store.stats().await.unwrap().records, 900);
    let _engine = fixture.engine_with(forgetful()).await;
    wait_until(async || feed(&*store).await.len() == 900).await;
}
