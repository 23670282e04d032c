//! The catalog and the collection store.
//!
//! The **catalog** knows what exists and what is wanted: spaces, collections, connectors, syncs, keys, idempotency.
//! A **collection store** holds one collection's data: records, changes, inbox, checkpoints, fences and runs. Each fact
//! lives in one place: what a sync did is written by the very commits that did it, into the collection store; the
//! catalog's status of a sync is a copy. Both are traits; each backend passes one conformance suite.

pub mod catalog;
pub mod collection;
#[cfg(feature = "testing")]
pub mod conformance;
mod error;
pub mod postgres;
mod signals;
mod sql;
pub mod sqlite;
pub mod transfer;

pub use catalog::Catalog;
pub use collection::{CollectionStore, CollectionStores};
pub use error::{StoreError, StoreErrorKind, StoreResult};
pub use inlet_model::fault;
pub use signals::{NoSignals, Signal, Signals};
pub use sql::SqlCatalog;
