//! The catalog in PostgreSQL.

mod conformance;
mod nodes;

use inlet_model::{ManualClock, SeededEntropy, Timestamp};
use inlet_store::postgres::open_catalog;
use inlet_store::{SqlCatalog, StoreResult};

async fn try_open(url: &str) -> StoreResult<SqlCatalog> {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    open_catalog(url, &clock, &SeededEntropy::new(1)).await
}
