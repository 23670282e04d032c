//! Reading beside the writer: a few read-only connections, which never wait for it.
//!
//! Reading one row is done on the spot. It costs about ten microseconds, handing it to a thread that may block five times
//! as much; and with the log (WAL) a reader waits for no lock, so at worst a page of a small file comes from the disk.
//! Whatever reads many rows goes to such a thread.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::schema;
use crate::sql::Session;
use crate::sql::catalog::Trouble;
use crate::sqlite::connection::Access;
use crate::{StoreError, StoreErrorKind, StoreResult};

/// Reads that may run at the same time.
const CONNECTIONS: usize = 4;

/// The connections. A read sees all that was committed before it began.
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connections = (0..CONNECTIONS).map(|_| schema::connect(path, Access::Read));
        let idle = connections.collect::<rusqlite::Result<Vec<Connection>>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), free: Arc::new(Semaphore::new(CONNECTIONS)) })
    }

    /// Runs a query that looks at a row or two, here and now.
    pub(super) async fn read_row<T>(
        &self,
        operation: &'static str,
        query: impl FnOnce(&dyn Session) -> Result<T, Trouble>,
    ) -> StoreResult<T> {
        let lease = self.lease(operation).await?;
        query(lease.connection()).map_err(|trouble| trouble.during(operation))
    }

    /// Runs a query that looks at many rows, on a thread that may block.
    pub(super) async fn read_rows<T, F>(&self, operation: &'static str, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Session) -> Result<T, Trouble> + Send + 'static,
    {
        let lease = self.lease(operation).await?;
        match tokio::task::spawn_blocking(move || query(lease.connection())).await {
            Ok(outcome) => outcome.map_err(|trouble| trouble.during(operation)),
            Err(error) => Err(StoreError::new(StoreErrorKind::Internal, operation).because(error)),
        }
    }

    async fn lease(&self, operation: &'static str) -> StoreResult<Lease> {
        let closed = || StoreError::new(StoreErrorKind::Closed, operation);
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| closed())?;
        Lease::take(Arc::clone(&self.idle), permit).ok_or_else(closed)
    }
}

/// A connection in use. It goes back when this is dropped, also by a panic.
struct Lease {
    db: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    // Dropped after the connection is back: who gets the permit finds one.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    fn take(idle: Arc<Mutex<Vec<Connection>>>, permit: OwnedSemaphorePermit) -> Option<Self> {
        let db = idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Self { db: Some(db), idle, _permit: permit })
    }

    fn connection(&self) -> &Connection {
        self.db.as_ref().expect("only drop takes it")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        }
    }
}
