//! The suites that every catalog and every collection store pass.

use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{ManualClock, SeededEntropy, Timestamp};
use inlet_store::CollectionStores;
use inlet_store::conformance::collection::{Backend, Given};
use inlet_store::postgres::{Layout, Postgres, PostgresCollections, PostgresOptions};

use super::suites::{distribute, failing};
use super::try_open;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_passes_the_suite() {
    let failed = failing(inlet_store::catalog_tests!(@list), |url, behaviour| async move {
        behaviour(Arc::new(try_open(&url).await.unwrap())).await;
    });
    assert_eq!(failed.await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collections_pass_the_suite() {
    let failed = failing(inlet_store::collection_tests!(@list), |url, behaviour| async move {
        behaviour(Given::new(Schema::of(url)).await).await;
    });
    assert_eq!(failed.await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collections_pass_the_suite_without_partitions() {
    let failed = failing(inlet_store::collection_tests!(@list), |url, behaviour| async move {
        behaviour(Given::new(Schema { url, layout: Layout::Shared }).await).await;
    });
    assert_eq!(failed.await, [""; 0]);
}

/// A place for collections: the schema of that URL.
#[derive(Debug)]
pub(super) struct Schema {
    url: String,
    layout: Layout,
}

impl Schema {
    pub(super) fn of(url: String) -> Self {
        Self { url, layout: Layout::default() }
    }
}

#[async_trait]
impl Backend for Schema {
    async fn open(&self) -> Arc<dyn CollectionStores> {
        let (clock, entropy) = (ManualClock::new(Timestamp::from_millis(1)), SeededEntropy::new(1));
        let options = PostgresOptions { layout: self.layout, ..Default::default() };
        let database = Postgres::with_options(&self.url, options).unwrap();
        if database.migrate(&clock, &entropy).await.unwrap().before == 0 {
            distribute(&self.url).await;
        }
        Arc::new(PostgresCollections::new(&database, Arc::new(SeededEntropy::new(1))))
    }
}
