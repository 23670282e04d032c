//! What a collection lies in: a file of its own, or the tables of a server that it shares with others.

use std::fmt;

use async_trait::async_trait;

use super::error::Outcome;
use super::tables::{Tables, WriteTables};
use super::writer::Memory;
use crate::StoreResult;
use crate::sql::Answer;

/// What a read does.
pub(crate) type Query = Box<dyn FnOnce(&dyn Tables) -> Outcome<()> + Send>;

/// Reading beside the writer, in short transactions.
#[async_trait]
pub(crate) trait Reads: fmt::Debug + Send + Sync {
    /// Runs `query` on what was last durable before it began, on a thread that may block.
    async fn run(&self, operation: &'static str, query: Query) -> StoreResult<()>;

    /// Lets no more read, and waits for those that do.
    async fn close(&self);
}

impl dyn Reads {
    /// Gives what `query` finds in what was last durable before it began.
    pub(super) async fn read<T, F>(&self, operation: &'static str, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Tables) -> Outcome<T> + Send + 'static,
    {
        let answer = Answer::default();
        let told = answer.clone();
        self.run(operation, Box::new(move |tables| query(tables).map(|found| told.is(found)))).await?;
        Ok(answer.take())
    }
}

/// What a write does, once: whatever fails is not done again.
pub(crate) type Work<'w> = &'w mut dyn FnMut(&dyn WriteTables, &mut Memory) -> Outcome<()>;

/// The transactions of the writer, on whose thread all of this runs.
pub(crate) trait Transactions: Send {
    /// Runs `work` as one transaction: durable if this returns `Ok`, without trace otherwise, in the place and in memory.
    fn run(&mut self, memory: &mut Memory, work: Work<'_>) -> Outcome<()>;

    /// Forgets what it remembers of a transaction that did not come to its end.
    fn forget(&mut self) {}

    /// Called after each job.
    fn tend(&mut self) {}

    /// Called when runs have ended and no job waits: puts in order what they left behind, in transactions of its own.
    fn tidy(&mut self, _memory: &mut Memory) {}

    /// Gives back memory that only a sync under way needs.
    fn rest(&mut self) {}
}
