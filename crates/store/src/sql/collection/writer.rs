//! A collection's only writer in this process: one thread, one transaction after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::block::BlockEncoder;
use super::error::{Outcome, Trouble};
use super::inbox::{PendingPush, PushGroup};
use super::place::Transactions;
use super::seen::SeenSets;
use super::tables::WriteTables;
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
pub(crate) struct Writer {
    transactions: Box<dyn Transactions>,
    memory: Memory,
    /// Whether a run has ended and what it left behind is to be put in order when there is nothing else to do.
    rests: bool,
}

/// What the writer keeps between transactions: only what can be made again from what is stored.
pub(crate) struct Memory {
    pub(super) seen: SeenSets,
    pub(super) encoder: BlockEncoder,
}

impl Memory {
    fn new() -> std::io::Result<Self> {
        Ok(Self { seen: SeenSets::default(), encoder: BlockEncoder::new()? })
    }

    /// Forgets what a transaction that failed, or a writer elsewhere, may have changed.
    pub(crate) fn forget(&mut self) {
        self.seen.clear();
    }
}

impl Writer {
    /// Runs `work` as one transaction: durable if this returns `Ok`, without trace otherwise, in the place and in memory.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&dyn WriteTables, &mut Memory) -> Outcome<T>,
    ) -> Outcome<T> {
        let (mut work, mut value) = (Some(work), None);
        let done = self.transactions.run(&mut self.memory, &mut |tables, memory| {
            let work = work.take().ok_or(Trouble::Broken("a write was done twice"))?;
            value = Some(work(tables, memory)?);
            Ok(())
        });
        if done.is_err() {
            self.memory.forget();
        }
        done?;
        value.ok_or(Trouble::Broken("a transaction did nothing"))
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

    /// Leaves nothing to the next run that would make it slower.
    fn tidy(&mut self) {
        self.rests = false;
        // Whatever goes wrong, what is stored is what it was.
        let _ = self.catch_panic(|writer| {
            writer.transactions.tidy(&mut writer.memory);
            Ok(())
        });
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
            self.transactions.forget();
            Err(Trouble::Broken("the write panicked"))
        })
    }

    /// Gives back memory that only a sync under way needs.
    pub(super) fn rest(&mut self) {
        self.memory.seen.clear();
        self.rests = true;
        self.transactions.rest();
    }
}

/// The handle on the thread.
pub(crate) struct WriterHandle {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    closed: Arc<AtomicBool>,
}

impl WriterHandle {
    /// Starts the thread that writes.
    pub(super) fn start(transactions: Box<dyn Transactions>) -> std::io::Result<Self> {
        let mut writer = Writer { transactions, memory: Memory::new()?, rests: false };
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let closed = Arc::new(AtomicBool::new(false));
        let closing = Arc::clone(&closed);
        let thread = std::thread::Builder::new().name("collection-writer".to_owned()).spawn(move || {
            let mut next = None;
            while let Some(job) = next.take().or_else(|| writer.wait(&mut waiting)) {
                if !closing.load(Ordering::SeqCst) {
                    next = writer.carry_out(job, &mut waiting);
                    writer.transactions.tend();
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
    use tempfile::TempDir;

    use super::*;
    use crate::sql::{Session, params};
    use crate::sqlite::open_transactions;

    fn writer() -> (WriterHandle, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let transactions = open_transactions(&folder.path().join("collection.db"));
        (WriterHandle::start(transactions).unwrap(), folder)
    }

    /// Fills a table that has no meaning here.
    fn fill(tx: &dyn Session, bytes: u32) -> Outcome<()> {
        let stored = vec![0_u8; bytes as usize];
        tx.execute(
            "INSERT INTO store_blocks (store, first_change, stored) VALUES (?0, NULL, ?1)",
            params![stored],
        )?;
        Ok(())
    }

    fn filled(writer: &mut Writer) -> Outcome<i64> {
        let sql = "SELECT count(*) FROM store_blocks WHERE store = ?0";
        writer.transact(|tx, _| {
            let session: &dyn Session = tx;
            Ok(session.row(sql, params![], |columns| columns.plain())?)
        })
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
            move |writer: &mut Writer| {
                writer.transact(|tx, _| {
                    let session: &dyn Session = tx;
                    Ok(session.row(&format!("PRAGMA max_page_count = {pages}"), params![], |_| Ok(()))?)
                })
            }
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
        let transactions = open_transactions(&folder.path().join("collection.db"));
        let writer = WriterHandle::start(transactions).unwrap();
        assert_eq!(writer.write("look", filled).await.unwrap(), 1);
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
