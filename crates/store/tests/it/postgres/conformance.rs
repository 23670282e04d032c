//! The suites that every catalog and every collection store pass.

use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{ManualClock, SeededEntropy, Timestamp};
use inlet_store::CollectionStores;
use inlet_store::conformance::collection::{Backend, Given};
use inlet_store::postgres::{Postgres, PostgresCollections};

use super::suites::failing;
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
        behaviour(Given::new(Schema(url)).await).await;
    });
    assert_eq!(failed.await, [""; 0]);
}

/// A place for collections: the schema of that URL.
#[derive(Debug)]
pub(super) struct Schema(pub(super) String);

#[async_trait]
impl Backend for Schema {
    async fn open(&self) -> Arc<dyn CollectionStores> {
        let (clock, entropy) = (ManualClock::new(Timestamp::from_millis(1)), SeededEntropy::new(1));
        let database = Postgres::new(&self.0).unwrap();
        database.catalog(&clock, &entropy).await.unwrap();
        Arc::new(PostgresCollections::new(&database, Arc::new(SeededEntropy::new(1))))
    }
}
