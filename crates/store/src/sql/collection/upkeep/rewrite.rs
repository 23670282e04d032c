//! Blocks made anew without what has expired in them, and small ones as one. Every entry that stays keeps its number.

use std::ops::ControlFlow;

use super::super::block::{Block, BlockEncoder};
use super::super::blocks;
use super::super::error::{Outcome, Trouble};
use super::expired;
use crate::sql::{Columns, Dialect, Session, SqlResult, params};

/// A block with fewer entries may become one with its neighbour.
const SMALL_ENTRIES: u64 = 128;

/// So may one that takes up less than this, however few its entries.
const SMALL_BYTES: usize = 64 << 10;

/// A block made of several takes up no more than this, nor has it more entries: what one closed block may have.
const BYTES: usize = 256 << 10;
const ENTRIES: usize = 512;

/// So much is read in one step, and at least two blocks.
const STEP_BYTES: usize = 4 << 20;

/// A block as its index knows it.
struct Indexed {
    first: u64,
    last: u64,
    entries: u64,
    live: u64,
    expired: u64,
}

const COLUMNS: &str = "first_change, last_change, entries, live, expired";

impl Indexed {
    fn read(columns: &mut Columns<'_>) -> SqlResult<Self> {
        Ok(Self {
            first: columns.unsigned()?,
            last: columns.unsigned()?,
            entries: columns.unsigned()?,
            live: columns.unsigned()?,
            expired: columns.unsigned()?,
        })
    }

    fn is_due(&self) -> bool {
        self.expired * 2 >= self.entries
    }

    fn left(&self) -> u64 {
        self.entries.saturating_sub(self.expired)
    }
}

/// Whether a block may become one with its neighbours.
pub(super) fn is_small(block: &Block) -> bool {
    (block.len() as u64) < SMALL_ENTRIES && block.bytes() < SMALL_BYTES
}

/// Makes the first blocks anew of which half has expired; whether there were any.
pub(super) fn due(connection: &dyn Session, encoder: &mut BlockEncoder, max_entries: usize) -> Outcome<bool> {
    let hint = match connection.dialect() {
        Dialect::Sqlite => "INDEXED BY block_index_due",
        Dialect::Postgres => "",
    };
    let sql = format!(
        "SELECT first_change FROM store_block_index {hint}
         WHERE store = ?0 AND entries <= expired * 2 ORDER BY first_change LIMIT 1"
    );
    let Some(first) = connection.row_if_any(&sql, params![], |columns| columns.unsigned())? else {
        return Ok(false);
    };
    anew(connection, encoder, &run(connection, first, max_entries)?)?;
    Ok(true)
}

/// The blocks that are made anew together: the one that is due, those behind it that are due or will be small, and the one
/// before it if it is small.
fn run(connection: &dyn Session, first: u64, max_entries: usize) -> Outcome<Vec<u64>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM store_block_index WHERE store = ?0 AND first_change < ?1 ORDER BY first_change DESC LIMIT 1"
    );
    let before = connection.row_if_any(&sql, params![first as i64], Indexed::read)?;
    let before = before.filter(|block| block.left() < SMALL_ENTRIES).map(|block| block.first);
    let mut run: Vec<u64> = before.into_iter().collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM store_block_index WHERE store = ?0 AND first_change >= ?1 ORDER BY first_change LIMIT ?2"
    );
    let mut entries = 0;
    connection.each(&sql, params![first as i64, max_entries.max(1) as i64], &mut |columns| {
        let block = Indexed::read(columns)?;
        if block.first > first && !block.is_due() && block.left() >= SMALL_ENTRIES {
            return Ok(ControlFlow::Break(()));
        }
        run.push(block.first);
        entries += block.entries;
        let is_enough = entries >= max_entries as u64;
        Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(run)
}

/// Makes blocks that follow each other anew, as many of them as a step may read.
pub(super) fn anew(connection: &dyn Session, encoder: &mut BlockEncoder, run: &[u64]) -> Outcome<()> {
    encoder.clear();
    let mut gathered = Gathered::default();
    let mut read = 0;
    for (place, first) in run.iter().enumerate() {
        let index = indexed(connection, *first)?;
        let block = blocks::holding(connection, *first)?;
        read += block.bytes();
        let gone = expired::between(connection, index.first, index.last)?;
        let stays = |change: u64| gone.binary_search(&change).is_err();
        let left: Vec<_> =
            (0..block.len()).map(|at| block.entry(at)).filter(|it| stays(it.head.change)).collect();
        if left.len() as u64 != index.left() {
            return Err(Trouble::Damaged("a block has more or less entries than its index says"));
        }
        blocks::remove(connection, index.first)?;
        expired::forget(connection, index.first, index.last)?;
        let bytes = left.iter().map(|entry| entry.key.len() + entry.data.len()).sum();
        if !gathered.has_room_for(left.len(), bytes) {
            gathered.store(connection, encoder)?;
        }
        left.iter().for_each(|entry| encoder.push(entry));
        gathered.add(left.len(), bytes, index.live);
        // The second may be the one that is due.
        if read >= STEP_BYTES && place > 0 {
            break;
        }
    }
    gathered.store(connection, encoder)
}

/// What the encoder holds: blocks that become one. None is divided between two, so that live entries need not be told apart.
#[derive(Default)]
struct Gathered {
    entries: usize,
    bytes: usize,
    live: u64,
}

impl Gathered {
    fn has_room_for(&self, entries: usize, bytes: usize) -> bool {
        self.entries == 0 || (self.entries + entries <= ENTRIES && self.bytes + bytes <= BYTES)
    }

    fn add(&mut self, entries: usize, bytes: usize, live: u64) {
        self.entries += entries;
        self.bytes += bytes;
        self.live += live;
    }

    /// Stores the block, if it has an entry.
    fn store(&mut self, connection: &dyn Session, encoder: &mut BlockEncoder) -> Outcome<()> {
        let Self { entries, live, .. } = std::mem::take(self);
        if entries == 0 {
            return Ok(());
        }
        blocks::insert(connection, &encoder.finish()?, live)
    }
}

fn indexed(connection: &dyn Session, first: u64) -> Outcome<Indexed> {
    let sql = format!("SELECT {COLUMNS} FROM store_block_index WHERE store = ?0 AND first_change = ?1");
    let found = connection.row_if_any(&sql, params![first as i64], Indexed::read)?;
    found.ok_or(Trouble::Damaged("a block is not in the index"))
}
