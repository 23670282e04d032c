//! The catalog in one SQLite file.
//!
//! All changes go through one writer thread, each as one transaction; reads run beside it on read-only connections and
//! see all that was committed before.

#[cfg(test)]
mod plans;
mod readers;
mod reserve;
mod schema;
mod signal;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{Clock, Entropy};
use tokio::sync::Notify;

use self::readers::Readers;
use self::reserve::Reserve;
pub(super) use self::schema::{inspect, is_older, open_whole};
use self::signal::Signal;
use self::writer::Writer;
use crate::sql::SqlCatalog;
use crate::sql::catalog::{Change, Database, Query, Size, Trouble};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// Opens the catalog of a data directory, made if it is not there: then its secret is drawn, and it holds a space `default`
/// with a collection `default`. An older format is brought to the present one.
///
/// Whoever opens it holds the directory's [lock](super::DataDir). Dropping it waits for the writes that were begun, and
/// closes the file.
///
/// [`NewerFormat`](StoreErrorKind::NewerFormat) if a newer Inlet wrote the file, [`Damaged`](StoreErrorKind::Damaged)
/// if it is something else; neither is touched.
pub fn open_catalog(path: &Path, clock: &dyn Clock, entropy: &dyn Entropy) -> StoreResult<SqlCatalog> {
    let (mut db, secret) = schema::open(path, clock, entropy)?;
    let failed = |error: rusqlite::Error| Trouble::Sql(error.into()).during("open the catalog");
    let readers = Readers::open(path).map_err(failed)?;
    let deliveries = Signal::default();
    deliveries.listen(&mut db).map_err(failed)?;
    let told = deliveries.clone();
    let writer = Writer::start(db, move || told.pass_on())
        .map_err(|error| StoreError::new(StoreErrorKind::Unavailable, "open the catalog").because(error))?;
    let reserve = Reserve::keep(path);
    Ok(SqlCatalog::of(SqliteDatabase { path: path.to_owned(), reserve, deliveries, readers, writer }, secret))
}

/// The file of a catalog.
struct SqliteDatabase {
    path: PathBuf,
    reserve: Reserve,
    deliveries: Signal,
    // Closed before the writer, whose connection is then the last and tidies the log away.
    readers: Readers,
    writer: Writer,
}

#[async_trait]
impl Database for SqliteDatabase {
    async fn read(&self, operation: &'static str, size: Size, query: Query<'static>) -> StoreResult<()> {
        match size {
            Size::Row => self.readers.read_row(operation, query).await,
            Size::Rows => self.readers.read_rows(operation, query).await,
        }
    }

    async fn write(&self, operation: &'static str, mut change: Change<'static>) -> StoreResult<()> {
        self.writer.write(operation, move |tx| change(&**tx)).await
    }

    fn revision(&self) -> Option<u64> {
        // Whoever opens the catalog holds its directory's lock: nobody else writes.
        Some(self.writer.revision())
    }

    fn release_reserve(&self) {
        self.reserve.release();
    }

    fn delivery_queued(&self) -> Arc<Notify> {
        self.deliveries.told()
    }
}

impl fmt::Debug for SqliteDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDatabase").field("path", &self.path).finish_non_exhaustive()
    }
}
