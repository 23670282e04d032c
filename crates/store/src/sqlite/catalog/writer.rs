//! The catalog's only writer: one thread, one connection, one transaction after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::error::Trouble;
use crate::{StoreError, StoreErrorKind, StoreResult, fault};

/// Writes that may wait for their turn; further callers wait for a place.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The handle on the thread. Dropping it ends the thread after the writes that wait.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(mut db: Connection) -> std::io::Result<Self> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new().name("catalog-writer".to_owned()).spawn(move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut db);
            }
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `change` as one transaction. A caller that goes away does not stop a write that has its place.
    pub(super) async fn write<T, F>(&self, operation: &'static str, change: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Trouble> + Send + 'static,
    {
        let closed = || StoreError::new(StoreErrorKind::Closed, operation);
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            // A bug in one write must not take the writer from all others; the transaction was rolled back.
            let outcome = catch_unwind(AssertUnwindSafe(|| transact(db, change)))
                .unwrap_or(Err(Trouble::Broken("the write panicked")));
            // Nobody may be waiting any more.
            let _ = answer.send(outcome);
        });
        self.jobs.as_ref().ok_or_else(closed)?.send(job).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?.map_err(|trouble| trouble.during(operation))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // It only fails if the thread panicked, and there is nobody to tell.
            let _ = thread.join();
        }
    }
}

/// Runs `change` in one transaction: durable if this returns `Ok`, without trace otherwise.
pub(super) fn transact<T>(
    db: &mut Connection,
    change: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let outcome = change(&tx)?;
    fault::point("catalog.write.before");
    tx.commit()?;
    fault::point("catalog.write.after");
    Ok(outcome)
}
