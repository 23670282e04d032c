//! The blocks of a collection in its file: appended by commits and sweeps, found by change number.
//!
//! `block_index` holds what changes about a block, apart from the block itself, so that counting a dead entry does not
//! write the block again.

use rusqlite::{Connection, OptionalExtension, params};

use super::block::{Block, BlockEncoder, BlockEntry};
use super::error::{Outcome, Trouble};
use super::streams::read_number;

/// Appends the entries of one transaction.
pub(super) struct BlockWriter<'a> {
    connection: &'a Connection,
    encoder: &'a mut BlockEncoder,
    /// Entries of the block under way that the key table will point at.
    live: u64,
    /// Changes that the key table does not point at any more.
    superseded: Vec<u64>,
}

impl<'a> BlockWriter<'a> {
    pub(super) fn new(connection: &'a Connection, encoder: &'a mut BlockEncoder) -> Self {
        encoder.clear();
        Self { connection, encoder, live: 0, superseded: Vec::new() }
    }

    /// Appends an entry; `live` says whether the key table will point at it.
    pub(super) fn push(&mut self, entry: &BlockEntry<'_>, live: bool) -> Outcome<()> {
        if self.encoder.is_full() {
            self.flush()?;
        }
        self.encoder.push(entry);
        self.live += u64::from(live);
        Ok(())
    }

    /// Notes that the key table does not point at `change` any more.
    pub(super) fn supersede(&mut self, change: u64) {
        self.superseded.push(change);
    }

    /// Stores what is left, and counts the entries that died.
    pub(super) fn finish(mut self) -> Outcome<()> {
        if !self.encoder.is_empty() {
            self.flush()?;
        }
        self.superseded.sort_unstable();
        count_dead(self.connection, &self.superseded)
    }

    fn flush(&mut self) -> Outcome<()> {
        let block = self.encoder.finish()?;
        self.connection
            .prepare_cached("INSERT INTO blocks (first_change, stored) VALUES (?1, ?2)")?
            .execute(params![block.first_change as i64, block.stored])?;
        self.connection
            .prepare_cached(
                "INSERT INTO block_index (first_change, last_change, entries, live) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                block.first_change as i64,
                block.last_change as i64,
                block.count as i64,
                self.live as i64
            ])?;
        self.live = 0;
        Ok(())
    }
}

/// Takes `changes`, in order, from the live counts of their blocks.
fn count_dead(connection: &Connection, changes: &[u64]) -> Outcome<()> {
    let mut find = connection.prepare_cached(
        "SELECT first_change, last_change FROM block_index WHERE first_change <= ?1 ORDER BY first_change DESC LIMIT 1",
    )?;
    let mut update =
        connection.prepare_cached("UPDATE block_index SET live = live - ?2 WHERE first_change = ?1")?;
    let mut rest = changes;
    while let Some(&change) = rest.first() {
        let (first, last) = find
            .query_row([change as i64], |row| Ok((read_number(row, 0)?, read_number(row, 1)?)))
            .optional()?
            .filter(|(_, last)| change <= *last)
            .ok_or(Trouble::Damaged("a change is in no block"))?;
        let (dead, others) = rest.split_at(rest.partition_point(|&change| change <= last));
        update.execute([first as i64, dead.len() as i64])?;
        rest = others;
    }
    Ok(())
}

/// The block that holds `change`.
pub(super) fn holding(connection: &Connection, change: u64) -> Outcome<Block> {
    let mut statement = connection.prepare_cached(
        "SELECT first_change, stored FROM blocks WHERE first_change <= ?1 ORDER BY first_change DESC LIMIT 1",
    )?;
    let mut rows = statement.query([change as i64])?;
    let row = rows.next()?.ok_or(Trouble::Damaged("a change is in no block"))?;
    Ok(Block::decode(read_number(row, 0)?, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?)
}

/// Gives the blocks from the one that may hold `after + 1` on to `each`, until it says that it has enough.
pub(super) fn scan(
    connection: &Connection,
    after: u64,
    mut each: impl FnMut(&Block) -> Outcome<bool>,
) -> Outcome<()> {
    let mut statement = connection.prepare_cached(
        "SELECT first_change, stored FROM blocks
         WHERE first_change >= coalesce((SELECT max(first_change) FROM blocks WHERE first_change <= ?1), 0)
         ORDER BY first_change",
    )?;
    let mut rows = statement.query([after.saturating_add(1).min(i64::MAX as u64) as i64])?;
    while let Some(row) = rows.next()? {
        let block =
            Block::decode(read_number(row, 0)?, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
        if each(&block)? {
            break;
        }
    }
    Ok(())
}
