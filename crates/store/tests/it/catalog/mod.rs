//! The catalog in SQLite.

mod conformance;

use std::path::Path;
use std::sync::Arc;

use inlet_model::{ManualClock, SeededEntropy, Timestamp};
use inlet_store::Catalog;
use inlet_store::sqlite::SqliteCatalog;
use tempfile::TempDir;

/// A new catalog, in a directory that goes when the test is over.
async fn fresh() -> (Arc<dyn Catalog>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let catalog = open(&directory.path().join("catalog.db"), 1);
    (Arc::new(catalog), directory)
}

fn open(path: &Path, seed: u64) -> SqliteCatalog {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    SqliteCatalog::open(path, &clock, &SeededEntropy::new(seed)).unwrap()
}
