//! Moving everything from one backend to the other: the catalog, and every collection's store.
//!
//! A move copies the [`tables`] one after the other, in the order of their keys, in [`pages`] of bounded size. Each page is written together
//! with how far that has come ([`journal`]), so that a move which was stopped at any moment, however that was, goes on where it was when it
//! is begun again. While it is not finished, nobody can open what it writes. At its end both [`sides`](side) are read once more and
//! [compared](check), table by table.
//!
//! Nobody may work with either side meanwhile. A directory's lock sees to that. A database says which nodes are alive when the move begins
//! and when it ends; what a node has changed in between makes the sides differ.

mod between;
mod check;
mod copy;
mod error;
mod journal;
mod numbers;
mod pages;
mod side;
mod tables;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

pub use self::between::{into_database, into_directory};
pub use self::check::Sum;
pub(crate) use self::error::Moved;
pub use self::error::TransferError;
pub(crate) use self::journal::{Place, is_unfinished, note};
pub(crate) use self::pages::Page;
pub use self::side::Part;
pub(crate) use self::side::{Source, Target};
pub use self::tables::{CATALOG, STORE, Table};

/// How much is moved at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferOptions {
    /// Rows of a page at most.
    pub page_rows: usize,
    /// A page takes no more rows once they have so many bytes.
    pub page_bytes: usize,
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self { page_rows: 20_000, page_bytes: 8 << 20 }
    }
}

/// What a move is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferStep {
    /// Rows are written.
    Copying,
    /// Both sides are read and compared.
    Checking,
}

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferProgress {
    /// What it is doing.
    pub step: TransferStep,
    /// With which table.
    pub table: &'static str,
    /// Rows of all tables that this step has done so far, those of an earlier try among them.
    pub rows: u64,
}

/// Who is told how far a move has come, and says whether it is to go on.
pub type TransferWatch<'watch> = &'watch mut (dyn FnMut(&TransferProgress) -> ControlFlow<()> + Send);

/// What was moved, and found to be the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferReport {
    /// Of each table all its rows. Those of the stores are taken together.
    pub tables: BTreeMap<&'static str, Sum>,
    /// How many stores of collections there are.
    pub stores: u64,
}

impl TransferReport {
    /// How many rows a table has.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.get(table).map_or(0, |sum| sum.rows)
    }
}

/// Moves everything from one side to the other, which is empty or has a part of it already. Blocks the thread.
pub(crate) fn run(
    source: &mut dyn Source,
    target: &mut dyn Target,
    options: TransferOptions,
    mut watch: TransferWatch<'_>,
) -> Moved<TransferReport> {
    let stores = source.stores()?;
    let mut places = journal::begin(source, target)?;
    let mut copying = copy::Copying::new(options, &mut watch);
    for part in side::parts(&stores) {
        copying.part(source, target, part, &mut places)?;
    }
    let report = check::compare(source, target, &mut watch)?;
    source.refuse_if_in_use()?;
    crate::fault::point("transfer.checked");
    journal::end(target)?;
    crate::fault::point("transfer.finished");
    Ok(report)
}
