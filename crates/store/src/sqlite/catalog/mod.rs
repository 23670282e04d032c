//! The catalog in one SQLite file.
//!
//! All changes go through one writer thread, each as one transaction; reads run beside it on read-only connections and
//! see all that was committed before. What must never be broken by a race is a unique index, not a check.

mod audit;
mod collections;
mod connectors;
mod deletes;
mod deliveries;
mod error;
mod idempotency;
mod keys;
mod page;
#[cfg(test)]
mod plans;
mod purges;
mod readers;
mod reserve;
mod row;
mod schedules;
mod schema;
mod secrets;
mod spaces;
mod syncs;
mod tasks;
mod triggers;
mod webhooks;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use inlet_model::{Clock, Entropy};
use rusqlite::Connection;

use self::audit::Write;
pub(super) use self::schema::inspect;

use self::deliveries::Signal;
use self::error::Trouble;
use self::readers::Readers;
use self::reserve::Reserve;
use self::writer::Writer;
use crate::catalog::{Catalog, Cause};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// The catalog of one data directory.
///
/// Whoever opens it holds the directory's [lock](super::DataDir). Dropping it waits for the writes that were begun, and
/// closes the file. Its methods need a Tokio runtime.
pub struct SqliteCatalog {
    path: PathBuf,
    reserve: Reserve,
    secret: [u8; 32],
    /// Counts the writes that may have changed which keys are found.
    key_epoch: AtomicU64,
    /// Tells whoever sends deliveries that some were queued.
    deliveries: Signal,
    // Closed before the writer, whose connection is then the last and tidies the log away.
    readers: Readers,
    writer: Writer,
}

impl SqliteCatalog {
    /// Opens the catalog, made if it is not there: then its secret is drawn, and it holds a space `default` with a
    /// collection `default`. An older format is brought to the present one.
    ///
    /// [`NewerFormat`](StoreErrorKind::NewerFormat) if a newer Inlet wrote the file, [`Damaged`](StoreErrorKind::Damaged)
    /// if it is something else; neither is touched.
    pub fn open(path: &Path, clock: &dyn Clock, entropy: &dyn Entropy) -> StoreResult<Self> {
        let (mut db, secret) = schema::open(path, clock, entropy)?;
        let failed = |error| Trouble::from(error).during("open the catalog");
        let readers = Readers::open(path).map_err(failed)?;
        let deliveries = Signal::default();
        deliveries.listen(&mut db).map_err(failed)?;
        let told = deliveries.clone();
        let writer = Writer::start(db, move || told.pass_on()).map_err(|error| {
            StoreError::new(StoreErrorKind::Unavailable, "open the catalog").because(error)
        })?;
        let reserve = Reserve::keep(path);
        let key_epoch = AtomicU64::new(0);
        Ok(Self { path: path.to_owned(), reserve, secret, key_epoch, deliveries, readers, writer })
    }

    /// Reads a row or two.
    async fn read_row<T>(
        &self,
        operation: &'static str,
        query: impl FnOnce(&Connection) -> Result<T, Trouble>,
    ) -> StoreResult<T> {
        self.readers.read_row(operation, query).await
    }

    /// Reads many rows.
    async fn read_rows<T, F>(&self, operation: &'static str, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        self.readers.read_rows(operation, query).await
    }

    /// Changes something, in one transaction and in the name of whoever asks for it.
    async fn write<T, F>(&self, operation: &'static str, change: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Write<'_>) -> Result<T, Trouble> + Send + 'static,
    {
        let cause = Cause::current();
        self.writer.write(operation, move |tx| change(&Write::new(tx, cause))).await
    }
}

impl Catalog for SqliteCatalog {
    fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    fn revision(&self) -> Option<u64> {
        // Whoever opens the catalog holds its directory's lock: nobody else writes.
        Some(self.writer.revision())
    }

    fn release_reserve(&self) {
        self.reserve.release();
    }
}

/// Without the secret.
impl fmt::Debug for SqliteCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteCatalog").field("path", &self.path).finish_non_exhaustive()
    }
}
