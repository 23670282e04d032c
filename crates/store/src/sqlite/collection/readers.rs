//! Reading beside the writer: a few read-only connections, used on threads that may block, in short transactions.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::schema;
use super::tables::FileTables;
use crate::sql::collection::{Query, Reads, Trouble};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// Reads of one collection that may run at the same time.
const CONNECTIONS: usize = 2;

/// The connections, each opened when it is first needed.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    cache_bytes: u32,
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, cache_bytes: u32) -> Self {
        let free = Arc::new(Semaphore::new(CONNECTIONS));
        Self { path, cache_bytes, idle: Arc::default(), free }
    }
}

#[async_trait]
impl Reads for Readers {
    async fn run(&self, operation: &'static str, query: Query) -> StoreResult<()> {
        let closed = |_| StoreError::new(StoreErrorKind::Closed, operation);
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(closed)?;
        let (path, cache_bytes, idle) = (self.path.clone(), self.cache_bytes, Arc::clone(&self.idle));
        let reading = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let known = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = known.map_or_else(|| schema::open_reader(&path, cache_bytes), Ok)?;
            let transaction = connection.unchecked_transaction()?;
            query(&FileTables::new(&transaction, &path))?;
            transaction.finish()?;
            // One that went wrong is not used again.
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(())
        });
        match reading.await {
            Ok(outcome) => outcome.map_err(|trouble: Trouble| trouble.during(operation)),
            Err(error) => Err(StoreError::new(StoreErrorKind::Internal, operation).because(error)),
        }
    }

    async fn close(&self) {
        if let Ok(_all) = self.free.acquire_many(CONNECTIONS as u32).await {
            self.free.close();
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
