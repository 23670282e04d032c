//! The tables of one collection, within a transaction.
//!
//! Most are read and written by statements that all databases share. What each does in its own way, because it is done to very
//! many rows at once, is here: the key table, and the storing of blocks.

use std::ops::Range;

use super::block::{EncodedBlock, StreamId};
use super::error::Outcome;
use super::key_row::KeyRow;
use crate::sql::Session;

/// A stream to walk through, from this place in the key table on.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) stream: StreamId,
    pub(crate) from: Vec<u8>,
}

/// A row that is there now.
#[derive(Debug)]
pub(crate) struct Step {
    /// Which of the streams that are walked through it belongs to.
    pub(crate) stream: usize,
    pub(crate) filed: Vec<u8>,
    pub(crate) row: KeyRow,
}

/// A row of the key table that is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'k> {
    /// The key as it is filed.
    pub(crate) filed: &'k [u8],
    /// The row as it is stored; empty if its record has gone.
    pub(crate) row: &'k [u8],
    /// Whether the key has a row already.
    pub(crate) is_there: bool,
}

/// A block that is to be stored.
#[derive(Debug)]
pub(crate) struct NewBlock {
    pub(crate) block: EncodedBlock,
    /// How many of its entries the key table points at.
    pub(crate) live: u64,
}

/// What a collection holds, as it was when the transaction began.
pub(crate) trait Tables: Session {
    /// The row of a key.
    fn key(&self, filed: &[u8]) -> Outcome<Option<KeyRow>>;

    /// The rows of keys, which come in any order.
    fn keys(&self, filed: &[Vec<u8>]) -> Outcome<Vec<Option<KeyRow>>>;

    /// Gives the rows of streams to `each`, in order of keys and with equal keys in the order of the streams, until it says
    /// that it has enough.
    fn walk(&self, streams: &[Walked], each: &mut dyn FnMut(Step) -> Outcome<bool>) -> Outcome<()>;

    /// What the collection takes up, in bytes.
    fn bytes(&self) -> Outcome<u64>;
}

/// The same for whoever also writes. Nobody else writes before the transaction is over.
pub(crate) trait WriteTables: Tables {
    /// Looks up keys, which come in order, and gives each and its row, or `None`, to `each`. Returns about how many rows lie
    /// among them: how scattered they are.
    fn look_up<'k>(
        &self,
        filed: &[&'k [u8]],
        each: &mut dyn FnMut(&'k [u8], Option<KeyRow>) -> Outcome<()>,
    ) -> Outcome<u64>;

    /// Writes rows, which come in order and whose look-up returned `passed`. Those that go were there.
    fn write_keys(&self, rows: &[Stored<'_>], passed: u64) -> Outcome<()>;

    /// Where rows of the key table wait elsewhere, brings them there. `go_on` says now and then whether to.
    fn gather_keys(&self, go_on: &mut dyn FnMut() -> Outcome<()>) -> Outcome<()>;

    /// The same if they are many.
    fn gather_many_keys(&self, go_on: &mut dyn FnMut() -> Outcome<()>) -> Outcome<()>;

    /// Shows rows in the order of keys, at most so many. To be called when all are gathered.
    fn scan_keys(
        &self,
        range: Range<&[u8]>,
        limit: usize,
        show: &mut dyn FnMut(&[u8], KeyRow),
    ) -> Outcome<()>;

    /// Removes rows that are there. To be called when all are gathered.
    fn remove_keys(&self, filed: &[&[u8]]) -> Outcome<()>;

    /// Stores blocks, whose changes are greater than those of all others.
    fn store_blocks(&self, blocks: &[NewBlock]) -> Outcome<()>;
}
