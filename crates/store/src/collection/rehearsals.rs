//! Rehearsals: what a run would do, found out without writing anything.

use std::fmt::Debug;

use async_trait::async_trait;
use inlet_model::sync::Failure;
use inlet_model::{Counts, StreamName};

use super::{Item, NewRun, RejectedRecord, RunStart, StreamDeletes};
use crate::StoreResult;

/// What a rehearsed run would have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// Its streams, in the order they were to be read.
    pub streams: Vec<RehearsedStream>,
}

/// One stream's part of a rehearsed run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsedStream {
    /// The stream.
    pub name: StreamName,
    /// What it would have counted, its deletes included.
    pub counts: Counts,
    /// Whether that is certain. With more new and changed records than a rehearsal remembers, one that comes twice may be
    /// counted twice.
    pub exact: bool,
    /// What its sweep would delete, or ask for.
    pub deletes: StreamDeletes,
    /// Some of the records that would change.
    pub samples: Vec<Sample>,
    /// Some of the records that would be refused.
    pub rejected: Vec<RejectedRecord>,
    /// Whether it was read to its end, and why it failed.
    pub end: Option<Option<Failure>>,
}

/// A record that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its key, encoded.
    pub key: Vec<u8>,
    /// What it is now; `None` if it would be created.
    pub before: Option<Vec<u8>>,
    /// What it would be; `None` if it would be deleted.
    pub after: Option<Vec<u8>>,
}

/// How much a rehearsal shows of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleLimits {
    /// Of each stream so many that would be created, updated, deleted and rejected.
    pub each: usize,
    /// Together no more than so many bytes of keys and data.
    pub bytes: usize,
    /// Look at so many keys for those that would be deleted.
    pub max_keys: usize,
}

/// A run under way that writes nothing.
#[async_trait]
pub trait Rehearsal: Debug + Send {
    /// Takes the items of a commit, and gives what the run would have counted so far, but for its deletes.
    async fn apply(&mut self, items: Vec<Item>) -> StoreResult<Counts>;

    /// What the run would have done, if it were swept now.
    async fn end(self: Box<Self>) -> StoreResult<Rehearsed>;
}

/// The rehearsals of a collection's runs.
///
/// Whoever rehearses a run sees to it that no other run of the connector is under way. Runs of other connectors may go on
/// meanwhile. A rehearsal takes some megabytes of memory, however much it is given.
#[async_trait]
pub trait Rehearsals {
    /// Begins to rehearse a run, which starts as if it had swept first what waits. Listings that are open begin anew, since
    /// what they have seen is not looked up.
    async fn rehearse(
        &self,
        run: NewRun,
        samples: SampleLimits,
    ) -> StoreResult<(RunStart, Box<dyn Rehearsal>)>;
}
