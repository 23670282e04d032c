//! The catalog and the collections in PostgreSQL.

mod conformance;
mod connections;
mod nodes;
mod pooler;
mod suites;
mod tls;

use inlet_model::{ManualClock, SeededEntropy, Timestamp};
use inlet_store::postgres::Postgres;
use inlet_store::{SqlCatalog, StoreResult};

async fn try_open(url: &str) -> StoreResult<SqlCatalog> {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    Postgres::new(url)?.catalog(&clock, &SeededEntropy::new(1)).await
}
