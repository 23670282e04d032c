//! The catalog's only writer: one thread, one connection, one transaction after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::sql::catalog::Trouble;
use crate::{StoreError, StoreErrorKind, StoreResult, fault};

/// Writes that may wait for their turn; further callers wait for a place.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Connection, &dyn Fn()) + Send>;

/// The handle on the thread. Dropping it ends the thread after the writes that wait.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    revision: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// `after` runs after each write, before it is answered.
    pub(super) fn start(mut db: Connection, after: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new().name("catalog-writer".to_owned()).spawn(move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut db, &after);
            }
        })?;
        Ok(Self { jobs: Some(jobs), revision: Arc::new(AtomicU64::new(1)), thread: Some(thread) })
    }

    /// A number that grows with each write, before it is answered.
    pub(super) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Runs `change` as one transaction. A caller that goes away does not stop a write that has its place.
    pub(super) async fn write<T, F>(&self, operation: &'static str, change: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Trouble> + Send + 'static,
    {
        let closed = || StoreError::new(StoreErrorKind::Closed, operation);
        let (answer, answered) = oneshot::channel();
        let revision = Arc::clone(&self.revision);
        let job: Job = Box::new(move |db, after| {
            // A bug in one write must not take the writer from all others; the transaction was rolled back.
            let outcome = catch_unwind(AssertUnwindSafe(|| transact(db, change)))
                .unwrap_or(Err(Trouble::Broken("the write panicked")));
            // Also after a failure: a commit that failed may yet have come through.
            revision.fetch_add(1, Ordering::Release);
            after();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn a_database() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE words (word TEXT NOT NULL)").unwrap();
        db
    }

    fn add(tx: &Transaction<'_>, word: &str) -> Result<(), Trouble> {
        tx.execute("INSERT INTO words VALUES (?1)", [word])?;
        Ok(())
    }

    async fn words(writer: &Writer) -> Vec<String> {
        let read = |tx: &Transaction<'_>| {
            let mut statement = tx.prepare("SELECT word FROM words ORDER BY rowid")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<Vec<String>>>()?)
        };
        writer.write("read", read).await.unwrap()
    }

    #[tokio::test]
    async fn a_write_that_is_given_up_leaves_nothing() {
        let writer = Writer::start(a_database(), || ()).unwrap();
        let given_up = writer.write("add", |tx| {
            add(tx, "half")?;
            Err::<(), _>(Trouble::Broken("on purpose"))
        });
        let error = given_up.await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Internal);
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "on purpose");
        assert_eq!(words(&writer).await, [""; 0]);
    }

    #[tokio::test]
    async fn every_write_is_seen_in_the_revision_before_it_is_answered() {
        let writer = Writer::start(a_database(), || ()).unwrap();
        let first = writer.revision();
        writer.write("add", |tx| add(tx, "one")).await.unwrap();
        let second = writer.revision();
        assert!(second > first);
        writer.write("add", |_| Err::<(), _>(Trouble::Broken("on purpose"))).await.unwrap_err();
        assert!(writer.revision() > second);
    }

    #[tokio::test]
    async fn a_write_that_panics_is_an_error_and_the_next_goes_on() {
        let writer = Writer::start(a_database(), || ()).unwrap();
        let panicking = writer.write("add", |tx| {
            add(tx, "half")?;
            if tx.is_autocommit() { Ok(()) } else { panic!("on purpose") }
        });
        assert_eq!(panicking.await.unwrap_err().kind(), StoreErrorKind::Internal);
        writer.write("add", |tx| add(tx, "whole")).await.unwrap();
        assert_eq!(words(&writer).await, ["whole"]);
    }

    #[tokio::test]
    async fn a_full_disk_leaves_nothing_and_the_next_goes_on() {
        let db = a_database();
        let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        let writer = Writer::start(db, || ()).unwrap();
        let too_much = writer.write("add", |tx| {
            add(tx, "small")?;
            add(tx, &"large".repeat(10_000))
        });
        assert_eq!(too_much.await.unwrap_err().kind(), StoreErrorKind::DiskFull);
        writer.write("add", |tx| add(tx, "next")).await.unwrap();
        assert_eq!(words(&writer).await, ["next"]);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_stop_its_write() {
        let writer = Arc::new(Writer::start(a_database(), || ()).unwrap());
        let (go, wait) = std::sync::mpsc::sync_channel::<()>(1);
        let slow = writer.write("add", move |tx| {
            wait.recv().expect("the test says when");
            add(tx, "slow")
        });
        assert!(tokio::time::timeout(Duration::from_millis(10), slow).await.is_err());
        go.send(()).unwrap();
        assert_eq!(words(&writer).await, ["slow"]);
    }

    #[tokio::test]
    async fn writes_that_wait_are_done_before_the_writer_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("words.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch("CREATE TABLE words (word TEXT NOT NULL)").unwrap();
        let writer = Writer::start(db, || ()).unwrap();
        let (go, wait) = std::sync::mpsc::sync_channel::<()>(1);
        let held = writer.write("wait", move |_| {
            wait.recv().expect("the test says when");
            Ok(())
        });
        assert!(tokio::time::timeout(Duration::from_millis(10), held).await.is_err());
        let waiting = writer.write("add", |tx| add(tx, "last"));
        assert!(tokio::time::timeout(Duration::from_millis(10), waiting).await.is_err());
        go.send(()).unwrap();
        drop(writer);
        let db = Connection::open(&path).unwrap();
        assert_eq!(db.query_row("SELECT word FROM words", [], |row| row.get(0)), Ok("last".to_owned()));
    }
}
