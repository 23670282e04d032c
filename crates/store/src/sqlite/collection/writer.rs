//! A collection's only writer: one thread, one connection, one transaction after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::block::BlockEncoder;
use super::error::{Outcome, Trouble};
use super::inbox::{PendingPush, PushGroup};
use super::keys::{KeyLog, KeyLogRoom};
use super::seen::SeenSets;
use super::stores::Options;
use super::wal::Wal;
use crate::collection::{Push, PushEffect};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// Writes that may wait for their turn; further callers wait for a place.
const QUEUE: usize = 64;

/// What the thread is asked to do. Each answers for itself.
enum Job {
    /// One transaction.
    Write(Box<dyn FnOnce(&mut Writer) + Send>),
    /// A push, which may share its transaction with others.
    Push(Box<PendingPush>),
}

/// What the thread owns.
pub(super) struct Writer {
    // Let go before the connection, which is then the file's last.
    wal: Wal,
    connection: Connection,
    memory: Memory,
    /// Whether a run has ended and the key log is to be merged when there is nothing else to do.
    rests: bool,
}

/// What the writer keeps between transactions, besides the file: only what can be made again from it.
pub(super) struct Memory {
    pub(super) seen: SeenSets,
    pub(super) key_log: KeyLog,
    pub(super) encoder: BlockEncoder,
}

impl Memory {
    /// Forgets what a transaction that failed may have changed.
    fn forget(&mut self) {
        self.seen.clear();
        self.key_log.forget();
    }
}

impl Writer {
    fn new(
        mut connection: Connection,
        path: &Path,
        options: &Options,
        room: &KeyLogRoom,
    ) -> std::io::Result<Self> {
        let wal = Wal::of(&mut connection, path, options.wal_pages).map_err(std::io::Error::other)?;
        let (seen, key_log) = (SeenSets::default(), KeyLog::new(options, room));
        let memory = Memory { seen, key_log, encoder: BlockEncoder::new()? };
        Ok(Self { wal, connection, memory, rests: false })
    }

    /// Runs `work` as one transaction: durable if this returns `Ok`, without trace otherwise, in the file and in memory.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut Memory) -> Outcome<T>,
    ) -> Outcome<T> {
        let Self { connection, memory, .. } = self;
        let done = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Trouble::from)
            .and_then(|tx| {
                let value = work(&tx, memory)?;
                tx.commit()?;
                Ok(value)
            });
        if done.is_err() {
            memory.forget();
        }
        done
    }

    /// The next job. If there is none yet, tidies up first; that is no part of any job, which would wait for it.
    fn wait(&mut self, waiting: &mut mpsc::Receiver<Job>) -> Option<Job> {
        if self.rests {
            match waiting.try_recv() {
                Ok(job) => return Some(job),
                Err(_) => self.tidy(),
            }
        }
        waiting.blocking_recv()
    }

    /// Leaves no key log to the next run.
    fn tidy(&mut self) {
        self.rests = false;
        // Whatever goes wrong, the rows are where they were.
        let _ = self.catch_panic(|writer| writer.transact(|tx, memory| memory.key_log.merge(tx, || Ok(()))));
        let _ = self.connection.release_memory();
        self.wal.tend(&self.connection);
    }

    /// Does a job. Pushes that wait directly behind a push are done with it; gives the job that came after them.
    fn carry_out(&mut self, job: Job, waiting: &mut mpsc::Receiver<Job>) -> Option<Job> {
        let first = match job {
            Job::Write(write) => {
                write(self);
                return None;
            }
            Job::Push(first) => first,
        };
        let mut group = PushGroup::of(*first);
        let mut behind = None;
        while group.has_room() && behind.is_none() {
            match waiting.try_recv() {
                Ok(Job::Push(push)) => group.add(*push),
                Ok(other) => behind = Some(other),
                Err(_) => break,
            }
        }
        // If it panics, dropping the group tells those who wait.
        let _ = self.catch_panic(|writer| {
            group.store(writer);
            Ok(())
        });
        behind
    }

    /// A bug in one write must not take the writer from all others. Its transaction is rolled back as it unwinds.
    fn catch_panic<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or_else(|_| {
            self.memory.forget();
            Err(Trouble::Broken("the write panicked"))
        })
    }

    /// Gives back memory that only a sync under way needs.
    pub(super) fn rest(&mut self) {
        self.memory.seen.clear();
        self.rests = true;
        // It only makes the next write slower if it fails.
        let _ = self.connection.release_memory();
    }
}

/// The handle on the thread.
pub(super) struct WriterHandle {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    closed: Arc<AtomicBool>,
}

impl WriterHandle {
    /// Starts the thread that writes through `connection` to the file at `path`, with a key log that shares `room`.
    pub(super) fn start(
        connection: Connection,
        path: &Path,
        options: &Options,
        room: &KeyLogRoom,
    ) -> std::io::Result<Self> {
        let mut writer = Writer::new(connection, path, options, room)?;
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let closed = Arc::new(AtomicBool::new(false));
        let closing = Arc::clone(&closed);
        let thread = std::thread::Builder::new().name("collection-writer".to_owned()).spawn(move || {
            let mut next = None;
            while let Some(job) = next.take().or_else(|| writer.wait(&mut waiting)) {
                if !closing.load(Ordering::SeqCst) {
                    next = writer.carry_out(job, &mut waiting);
                    writer.wal.tend(&writer.connection);
                }
            }
        })?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)), closed })
    }

    /// Runs `work` when its turn comes. A caller that goes away does not stop a write that has its place.
    pub(super) async fn write<T, F>(&self, operation: &'static str, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writer) -> Outcome<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Job::Write(Box::new(move |writer| {
            let outcome = writer.catch_panic(work);
            // Nobody may be waiting any more.
            let _ = answer.send(outcome);
        }));
        self.ask(operation, job, answered).await
    }

    /// Stores a push when its turn comes.
    pub(super) async fn push(&self, push: Push) -> StoreResult<PushEffect> {
        let (answer, answered) = oneshot::channel();
        self.ask("push", Job::Push(Box::new(PendingPush { push, answer })), answered).await
    }

    async fn ask<T>(
        &self,
        operation: &'static str,
        job: Job,
        answered: oneshot::Receiver<Outcome<T>>,
    ) -> StoreResult<T> {
        let closed = || StoreError::new(StoreErrorKind::Closed, operation);
        let jobs = self.jobs().clone().ok_or_else(closed)?;
        jobs.send(job).await.map_err(|_| closed())?;
        drop(jobs);
        match answered.await {
            Ok(outcome) => outcome.map_err(|trouble| trouble.during(operation)),
            Err(_) if self.is_closed() => Err(closed()),
            Err(_) => Err(Trouble::Broken("a write was not answered").during(operation)),
        }
    }

    /// Whether it takes no more writes.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Takes no more writes, and drops those that wait.
    pub(super) fn refuse(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Waits for the writes that have their place, and for the file to be closed. Blocks the thread.
    pub(super) fn end(&self) {
        drop(self.jobs().take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It only fails if the thread panicked, and there is nobody to tell.
            let _ = thread.join();
        }
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So that the file is at rest once nobody has the collection any more.
impl Drop for WriterHandle {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;
    use tempfile::TempDir;

    use super::super::schema;
    use super::*;

    fn writer() -> (WriterHandle, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collection.db");
        let (connection, _) = schema::open(&path, &Options::default(), &SeededEntropy::new(1)).unwrap();
        (WriterHandle::start(connection, &path, &Options::default(), &KeyLogRoom::default()).unwrap(), folder)
    }

    /// Fills a table that has no meaning here.
    fn fill(tx: &Transaction<'_>, bytes: u32) -> Outcome<()> {
        tx.execute("INSERT INTO blocks (first_change, stored) VALUES (NULL, zeroblob(?1))", [bytes])?;
        Ok(())
    }

    fn filled(writer: &mut Writer) -> Outcome<i64> {
        Ok(writer.connection.query_row("SELECT count(*) FROM blocks", [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn a_write_that_panics_leaves_nothing_and_the_next_goes_on() {
        let (writer, _folder) = writer();
        let panicking = writer.write("write", |writer| {
            writer.transact(|tx, _| {
                fill(tx, 10)?;
                panic!("a bug");
                #[expect(unreachable_code, reason = "the type of what never comes")]
                Ok(())
            })
        });
        assert_eq!(panicking.await.unwrap_err().kind(), StoreErrorKind::Internal);
        assert_eq!(writer.write("look", filled).await.unwrap(), 0);
        writer.write("write", |writer| writer.transact(|tx, _| fill(tx, 10))).await.unwrap();
        assert_eq!(writer.write("look", filled).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_write_without_room_leaves_nothing_and_goes_through_once_there_is() {
        let (writer, _folder) = writer();
        let allow = |pages: u32| {
            move |writer: &mut Writer| Ok(writer.connection.pragma_update(None, "max_page_count", pages)?)
        };
        writer.write("shrink", allow(1)).await.unwrap();
        let write = |writer: &mut Writer| writer.transact(|tx, _| fill(tx, 1 << 20));
        assert_eq!(writer.write("write", write).await.unwrap_err().kind(), StoreErrorKind::DiskFull);
        assert_eq!(writer.write("look", filled).await.unwrap(), 0);
        writer.write("grow", allow(1 << 20)).await.unwrap();
        writer.write("write", write).await.unwrap();
        assert_eq!(writer.write("look", filled).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn writes_that_have_their_place_are_done_though_nobody_waits() {
        let (writer, folder) = writer();
        {
            let write = writer.write("write", |writer| writer.transact(|tx, _| fill(tx, 10)));
            let mut write = std::pin::pin!(write);
            let waker = std::task::Waker::noop();
            // Once asked, it has its place; then the caller goes away.
            let _ = write.as_mut().poll(&mut std::task::Context::from_waker(waker));
        }
        drop(writer);
        let connection = Connection::open(folder.path().join("collection.db")).unwrap();
        let count: i64 = connection.query_row("SELECT count(*) FROM blocks", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1);
    }

    #[tokio::test]
    async fn a_closed_writer_takes_nothing() {
        let (writer, _folder) = writer();
        writer.refuse();
        let write = writer.write("write", |writer| writer.transact(|tx, _| fill(tx, 10)));
        assert_eq!(write.await.unwrap_err().kind(), StoreErrorKind::Closed);
        writer.end();
        assert_eq!(writer.write("look", filled).await.unwrap_err().kind(), StoreErrorKind::Closed);
    }
}
