//! Reading beside the writer: a few read-only connections, used on threads that may block.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Trouble;
use super::schema;
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

    pub(super) async fn read<T, F>(&self, operation: &'static str, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        let closed = || StoreError::new(StoreErrorKind::Closed, operation);
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| closed())?;
        let lease = Lease::take(Arc::clone(&self.idle), permit).ok_or_else(closed)?;
        let reading = tokio::task::spawn_blocking(move || query(lease.connection()));
        match reading.await {
            Ok(outcome) => outcome.map_err(|trouble| trouble.during(operation)),
            Err(error) => Err(StoreError::new(StoreErrorKind::Internal, operation).because(error)),
        }
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
