//! The collections of the embedded backend.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::SeededEntropy;
use inlet_store::CollectionStores;
use inlet_store::conformance::collection::Backend;
use inlet_store::sqlite::{CollectionOptions, SqliteCollections};

mod conformance;
mod files;
pub(crate) mod golden;
mod histories;
mod lost_machine;
pub(crate) mod scene;
mod upkeep;

/// A place for collections, which goes with it.
#[derive(Debug)]
pub(crate) struct Place {
    folder: tempfile::TempDir,
    options: CollectionOptions,
}

impl Place {
    fn new(options: CollectionOptions) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), options }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("collections")
    }
}

#[async_trait]
impl Backend for Place {
    async fn open(&self) -> Arc<dyn CollectionStores> {
        Arc::new(open(&self.dir(), self.options.clone()))
    }
}

/// An empty place.
pub(crate) fn fresh() -> Place {
    Place::new(CollectionOptions::default())
}

/// An empty place where rows of the key table wait in the key log, though they be few and close to each other.
pub(crate) fn logging() -> Place {
    Place::new(logging_options())
}

pub(crate) fn logging_options() -> CollectionOptions {
    CollectionOptions { logged_rows: 1, scattered_rows: 0, key_log_rows: 7, ..CollectionOptions::default() }
}

/// The collections in `dir`.
pub(crate) fn open(dir: &Path, options: CollectionOptions) -> SqliteCollections {
    SqliteCollections::new(dir, Arc::new(SeededEntropy::new(1)), options).unwrap()
}
