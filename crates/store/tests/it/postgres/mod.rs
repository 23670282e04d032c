//! The catalog and the collections in PostgreSQL.

mod conformance;
mod nodes;
mod suites;

use std::time::Duration;

use inlet_model::{ManualClock, SeededEntropy, Timestamp};
use inlet_store::postgres::Postgres;
use inlet_store::{SqlCatalog, StoreResult};

/// That of the engine.
const LEASE: Duration = Duration::from_secs(30);

async fn try_open(url: &str) -> StoreResult<SqlCatalog> {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    Postgres::new(url, LEASE)?.catalog(&clock, &SeededEntropy::new(1)).await
}
