//! The catalog in SQLite.

mod audit_size;
mod conformance;
mod crash;
mod files;
mod forgetting;
pub(crate) mod golden;
mod held_up;
mod values;
mod waiting_size;

use std::path::Path;
use std::sync::Arc;

use inlet_model::{ManualClock, SeededEntropy, Timestamp};
use inlet_store::Catalog;
use inlet_store::SqlCatalog;
use inlet_store::sqlite::open_catalog;
use tempfile::TempDir;

/// A new catalog, in a directory that goes when the test is over.
async fn fresh() -> (Arc<dyn Catalog>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let catalog = open(&directory.path().join("catalog.db"));
    (Arc::new(catalog), directory)
}

fn open(path: &Path) -> SqlCatalog {
    try_open(path).unwrap()
}

fn try_open(path: &Path) -> inlet_store::StoreResult<SqlCatalog> {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    open_catalog(path, &clock, &SeededEntropy::new(1))
}

/// Looks into the file beside the catalog, or alters it.
fn look_into(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}
