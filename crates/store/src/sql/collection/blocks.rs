//! The blocks of a collection in its file: appended by commits and sweeps, found by change number, made anew by the upkeep.
//!
//! `block_index` holds what changes about a block, apart from the block itself, so that counting a dead entry does not
//! write the block again.

use super::block::{Block, BlockEncoder, BlockEntry, BlockError, EncodedBlock};
use super::error::{Outcome, Trouble};
use super::tables::{NewBlock, WriteTables};
use crate::sql::{Bound, Columns, Session, SqlResult, params, rows};

/// Blocks that are looked at with one statement, at most.
const BLOCKS_AT_ONCE: usize = 512;

/// Blocks that are counted in with one statement: few, since the server may compare all of them with each other.
const COUNTED_AT_ONCE: usize = 32;

const NO_BLOCK: Trouble = Trouble::Damaged("a change is in no block");

/// Makes blocks of the entries of one transaction. Apart from storing them it needs no connection, and so may run beside
/// one.
pub(super) struct BlockWriter<'a> {
    encoder: &'a mut BlockEncoder,
    /// Entries of the block under way that the key table will point at.
    live: u64,
    /// Blocks that are to be stored.
    ready: Vec<NewBlock>,
    /// Changes that the key table does not point at any more.
    superseded: Vec<u64>,
}

impl<'a> BlockWriter<'a> {
    pub(super) fn new(encoder: &'a mut BlockEncoder) -> Self {
        encoder.clear();
        Self { encoder, live: 0, ready: Vec::new(), superseded: Vec::new() }
    }

    /// Appends an entry; `live` says whether the key table will point at it.
    pub(super) fn push(&mut self, entry: &BlockEntry<'_>, live: bool) -> Outcome<()> {
        if self.encoder.is_full() {
            self.finish_block()?;
        }
        self.encoder.push(entry);
        self.live += u64::from(live);
        Ok(())
    }

    /// Notes that the key table does not point at `change` any more.
    pub(super) fn supersede(&mut self, change: u64) {
        self.superseded.push(change);
    }

    /// Stores the blocks that are full.
    pub(super) fn store(&mut self, connection: &dyn WriteTables) -> Outcome<()> {
        connection.store_blocks(&self.ready)?;
        self.ready.clear();
        Ok(())
    }

    /// Stores what is left, and counts the entries that died.
    pub(super) fn finish(mut self, connection: &dyn WriteTables) -> Outcome<()> {
        if !self.encoder.is_empty() {
            self.finish_block()?;
        }
        self.store(connection)?;
        self.superseded.sort_unstable();
        count_dead(connection, &self.superseded)
    }

    fn finish_block(&mut self) -> Outcome<()> {
        let block = self.encoder.finish()?;
        self.ready.push(NewBlock { block, live: std::mem::take(&mut self.live) });
        Ok(())
    }
}

/// Stores a block of which so many entries are live, and none has expired.
pub(crate) fn insert(connection: &dyn Session, block: &EncodedBlock, live: u64) -> Outcome<()> {
    let (first, last) = (block.first_change as i64, block.last_change as i64);
    connection.execute(
        "INSERT INTO store_blocks (store, first_change, stored) VALUES (?0, ?1, ?2)",
        params![first, block.stored],
    )?;
    connection.execute(
        "INSERT INTO store_block_index (store, first_change, last_change, entries, live, expired)
         VALUES (?0, ?1, ?2, ?3, ?4, 0)",
        params![first, last, block.count as i64, live as i64],
    )?;
    Ok(())
}

/// Removes the block that begins with `first_change`.
pub(super) fn remove(connection: &dyn Session, first_change: u64) -> Outcome<()> {
    for sql in [
        "DELETE FROM store_blocks WHERE store = ?0 AND first_change = ?1",
        "DELETE FROM store_block_index WHERE store = ?0 AND first_change = ?1",
    ] {
        connection.execute(sql, params![first_change as i64])?;
    }
    Ok(())
}

/// Takes `changes`, in order, from the live counts of their blocks.
fn count_dead(connection: &dyn Session, changes: &[u64]) -> Outcome<()> {
    count(connection, changes, "live = live - counted.column2")
}

/// Adds `changes`, in order, to the expired entries of their blocks.
pub(super) fn count_expired(connection: &dyn Session, changes: &[u64]) -> Outcome<()> {
    count(connection, changes, "expired = expired + counted.column2")
}

/// Updates for each block that holds some of `changes`, which come in order, how many: `counted.column2`.
fn count(connection: &dyn Session, changes: &[u64], set: &str) -> Outcome<()> {
    let counted: Vec<_> = share_out(connection, changes)?
        .into_iter()
        .map(|(first, count)| vec![Bound::Integer(first as i64), Bound::Integer(count as i64)])
        .collect();
    for counted in counted.chunks(COUNTED_AT_ONCE) {
        let params = rows::parameters(counted);
        // Between which blocks they are is said besides: a server that does not know the table yet may go through all that may be meant.
        let sql = format!(
            "UPDATE store_block_index SET {set} FROM (VALUES {}) AS counted
             WHERE store = ?0 AND first_change = counted.column1 AND first_change >= ?1 AND first_change <= ?{}",
            rows::values(counted, ""),
            params.len() - 1
        );
        connection.execute(&sql, &params)?;
    }
    Ok(())
}

/// The first change of each block that holds some of `changes`, which come in order, and how many it holds.
fn share_out(connection: &dyn Session, changes: &[u64]) -> Outcome<Vec<(u64, usize)>> {
    let mut counted = Vec::new();
    let (mut rest, mut looked_at) = (changes, 1);
    while let Some((&next, &last)) = rest.first().zip(rest.last()) {
        let blocks: Vec<(u64, u64)> = connection.rows(
            "SELECT first_change, last_change FROM store_block_index WHERE store = ?0 AND first_change >= (
                 SELECT max(first_change) FROM store_block_index WHERE store = ?0 AND first_change <= ?1)
             AND first_change <= ?2 ORDER BY first_change LIMIT ?3",
            params![next as i64, last as i64, looked_at as i64],
            |columns| Ok((columns.unsigned()?, columns.unsigned()?)),
        )?;
        let before = counted.len();
        for (first, last) in blocks {
            let (within, others) = rest.split_at(rest.partition_point(|&change| change <= last));
            if within.first().is_some_and(|&change| change < first) {
                return Err(NO_BLOCK);
            }
            counted.extend((!within.is_empty()).then_some((first, within.len())));
            rest = others;
        }
        // Where the changes lie close, most blocks have some: many are asked for at once. Else most would be for nothing.
        looked_at = match counted.len() - before {
            0 => return Err(NO_BLOCK),
            found if found * 8 >= looked_at => (looked_at * 8).min(BLOCKS_AT_ONCE),
            _ => looked_at.div_ceil(2),
        };
    }
    Ok(counted)
}

/// The block that holds `change`.
pub(super) fn holding(connection: &dyn Session, change: u64) -> Outcome<Block> {
    let found = connection.row_if_any(
        "SELECT first_change, stored FROM store_blocks
         WHERE store = ?0 AND first_change <= ?1 ORDER BY first_change DESC LIMIT 1",
        params![change as i64],
        decoded,
    )?;
    Ok(found.ok_or(NO_BLOCK)??)
}

/// A block of a row with its first change and its bytes, where they lie.
fn decoded(columns: &mut Columns<'_>) -> SqlResult<Result<Block, BlockError>> {
    Ok(Block::decode(columns.unsigned()?, columns.blob()?))
}

/// Gives the blocks from the one that may hold `after + 1` on to `each`, until it says that it has enough.
pub(super) fn scan(
    connection: &dyn Session,
    after: u64,
    mut each: impl FnMut(&Block) -> Outcome<bool>,
) -> Outcome<()> {
    let after = after.saturating_add(1).min(i64::MAX as u64) as i64;
    let mut next: i64 = connection.row(
        "SELECT coalesce((SELECT max(first_change) FROM store_blocks WHERE store = ?0 AND first_change <= ?1), 0)",
        params![after],
        |columns| columns.plain(),
    )?;
    // One at a time: a block may be as large as the largest record.
    loop {
        let found = connection.row_if_any(
            "SELECT first_change, stored FROM store_blocks WHERE store = ?0 AND first_change >= ?1 ORDER BY first_change LIMIT 1",
            params![next],
            |columns| Ok((columns.plain::<i64>()?, decoded(columns.at(0))?)),
        )?;
        let Some((first, block)) = found else { return Ok(()) };
        if each(&block?)? {
            return Ok(());
        }
        next = first + 1;
    }
}
