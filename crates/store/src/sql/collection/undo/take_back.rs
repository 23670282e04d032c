//! What was collected is taken back, in the order of keys: records that are as the sync left them become what they were.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use inlet_model::{ChangeOp, Counts, HashSeed, RecordHash, Scope, StreamName};

use super::super::block::{Block, BlockEntry, EntryHead, Origin, ScopeId, StreamId};
use super::super::blocks::{self, BlockWriter};
use super::super::error::{Outcome, Trouble};
use super::super::key_row::KeyRow;
use super::super::keys;
use super::super::streams::{self, StreamRow};
use super::super::sweep::key_in_block;
use super::super::tables::{Stored, WriteTables};
use super::super::writer::Memory;
use super::super::{meta, scopes};
use super::table::{self, Collected, Left, UndoRow};
use crate::collection::UndoStep;
use crate::sql::Session;

/// A step restores no more data than this, but for one record, and reads no more blocks.
const BYTES: usize = 8 << 20;
const BLOCKS: usize = 256;

/// Blocks of earlier versions that a step keeps at hand: records that were brought together are restored together.
const AT_HAND: usize = 8;

/// What a step came to.
pub(super) struct Taken {
    pub(super) taken_back: u64,
    pub(super) kept: u64,
    /// Whether nothing is left.
    pub(super) is_all: bool,
    pub(super) counts: Vec<(StreamName, Counts)>,
    /// The changes that it made.
    pub(super) changes: Option<RangeInclusive<u64>>,
}

/// Takes some of it back.
pub(super) fn some(
    connection: &dyn WriteTables,
    memory: &mut Memory,
    seed: HashSeed,
    step: &UndoStep,
    undo: &UndoRow,
) -> Outcome<Taken> {
    connection.gather_keys(&mut || if step.cancel.is_raised() { Err(Trouble::Cancelled) } else { Ok(()) })?;
    let limit = step.max_changes.max(1);
    let collected = table::first(connection, undo.id, limit)?;
    let first_change = meta::next_change(connection)?;
    let mut step = TakeBack {
        connection,
        seed,
        origin: Origin { sync_id: Some(step.sync_id), at: step.now },
        blocks: BlockWriter::new(&mut memory.encoder),
        earlier: Earlier::default(),
        streams: HashMap::new(),
        records_of: HashMap::new(),
        rows: Vec::new(),
        next_change: first_change,
        kept: 0,
        bytes: 0,
    };
    let mut through = None;
    let mut looked_at = 0;
    for record in &collected {
        step.record(record)?;
        through = Some(record.filed.as_slice());
        looked_at += 1;
        if step.bytes >= BYTES || step.earlier.read >= BLOCKS {
            break;
        }
    }
    if let Some(through) = through {
        table::remove_through(connection, undo.id, through)?;
    }
    let is_all = looked_at == collected.len() && looked_at < limit;
    let (kept, end) = (step.kept, step.next_change);
    let rows =
        step.rows.iter().map(|row| Stored { filed: &row.filed, row: &row.stored, is_there: row.is_there });
    connection.write_keys(&rows.collect::<Vec<_>>(), 0)?;
    let counts = step.save()?;
    let changes = (end > first_change).then(|| first_change..=end - 1);
    Ok(Taken { taken_back: end - first_change, kept, is_all, counts, changes })
}

/// A step under way.
struct TakeBack<'a> {
    connection: &'a dyn WriteTables,
    seed: HashSeed,
    origin: Origin,
    blocks: BlockWriter<'a>,
    earlier: Earlier,
    streams: HashMap<StreamId, (StreamRow, Counts)>,
    /// Records that scopes gain or lose.
    records_of: HashMap<(StreamId, ScopeId), i64>,
    /// In order.
    rows: Vec<NewRow>,
    next_change: u64,
    kept: u64,
    bytes: usize,
}

/// What becomes of a row of the key table; see [`Stored`].
struct NewRow {
    filed: Vec<u8>,
    stored: Vec<u8>,
    is_there: bool,
}

impl TakeBack<'_> {
    fn record(&mut self, record: &Collected) -> Outcome<()> {
        let (stream, _) = keys::split(&record.filed).ok_or(Trouble::Damaged("a key has no stream"))?;
        let current = self.connection.key(&record.filed)?;
        let is_as_left = match (record.left, &current) {
            (Left::There(change), Some(current)) => current.change == change,
            (Left::Gone, None) => true,
            _ => false,
        };
        if !is_as_left {
            self.kept += 1;
            self.counts(stream)?.unchanged += 1;
            self.counts(stream)?.read += 1;
            return Ok(());
        }
        match (current, record.before) {
            (None, 0) => Ok(()),
            (Some(current), 0) => self.delete(stream, &record.filed, &current),
            (current, before) => self.restore(stream, &record.filed, current.as_ref(), before),
        }
    }

    fn delete(&mut self, stream: StreamId, filed: &[u8], current: &KeyRow) -> Outcome<()> {
        let key = keys::restore_key(filed, || key_in_block(self.connection, current.change))?;
        let head = EntryHead {
            change: self.next_change,
            op: ChangeOp::Deleted,
            stream,
            scope: current.scope,
            created_us: current.created_us,
            previous: current.change,
        };
        self.blocks.push(&BlockEntry { head, origin: self.origin, key: &key, data: &[] }, false)?;
        self.blocks.supersede(current.change);
        self.rows.push(NewRow { filed: filed.to_vec(), stored: Vec::new(), is_there: true });
        *self.records_of.entry((stream, current.scope)).or_default() -= 1;
        self.counts(stream)?.deleted += 1;
        self.next_change += 1;
        Ok(())
    }

    /// Gives a record the content that the change `before` gave it.
    fn restore(
        &mut self,
        stream: StreamId,
        filed: &[u8],
        current: Option<&KeyRow>,
        before: u64,
    ) -> Outcome<()> {
        self.earlier.block(self.connection, before)?;
        // Borrowed apart from the rest of the step.
        let block = std::mem::take(&mut self.earlier.last).ok_or(NOT_IN_BLOCK)?;
        let entry = block.find(before).ok_or(NOT_IN_BLOCK)?;
        let hash = *RecordHash::of(self.seed, entry.data).as_bytes();
        if current.is_none_or(|current| current.hash != hash) {
            let scope = self.scope(stream, entry.head.scope)?;
            let row = KeyRow { hash, change: self.next_change, created_us: entry.head.created_us, scope };
            self.put(stream, filed, current, &row, &entry)?;
        }
        self.earlier.last = Some(block);
        Ok(())
    }

    fn put(
        &mut self,
        stream: StreamId,
        filed: &[u8],
        current: Option<&KeyRow>,
        row: &KeyRow,
        entry: &BlockEntry<'_>,
    ) -> Outcome<()> {
        let head = EntryHead {
            change: row.change,
            op: if current.is_some() { ChangeOp::Updated } else { ChangeOp::Created },
            stream,
            scope: row.scope,
            created_us: row.created_us,
            previous: current.map_or(0, |current| current.change),
        };
        self.blocks
            .push(&BlockEntry { head, origin: self.origin, key: entry.key, data: entry.data }, true)?;
        let mut stored = Vec::new();
        row.encode(&mut stored);
        self.rows.push(NewRow { filed: filed.to_vec(), stored, is_there: current.is_some() });
        *self.records_of.entry((stream, row.scope)).or_default() += 1;
        if let Some(current) = current {
            self.blocks.supersede(current.change);
            *self.records_of.entry((stream, current.scope)).or_default() -= 1;
        }
        let counts = self.counts(stream)?;
        match current {
            Some(_) => counts.updated += 1,
            None => counts.created += 1,
        }
        counts.read += 1;
        counts.bytes += entry.data.len() as u64;
        self.bytes += entry.data.len();
        self.next_change += 1;
        Ok(())
    }

    /// The scope that a record comes back to: its own, or that of the whole stream if that is not there any more.
    fn scope(&mut self, stream: StreamId, scope: ScopeId) -> Outcome<ScopeId> {
        for scope in [scope, ScopeId::WHOLE] {
            if scopes::get(self.connection, stream, scope)?.is_some() {
                return Ok(scope);
            }
        }
        let (row, _) = self.stream(stream)?;
        let whole = row.new_scope(&Scope::whole());
        scopes::save(self.connection, stream, &whole)?;
        Ok(ScopeId::WHOLE)
    }

    fn counts(&mut self, stream: StreamId) -> Outcome<&mut Counts> {
        Ok(&mut self.stream(stream)?.1)
    }

    fn stream(&mut self, id: StreamId) -> Outcome<&mut (StreamRow, Counts)> {
        match self.streams.entry(id) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                let row = streams::get(self.connection, id)?;
                let row = row.ok_or(Trouble::Damaged("a record belongs to a stream that is not there"))?;
                Ok(place.insert((row, Counts::default())))
            }
        }
    }

    /// Writes everything but the rows of the key table; gives the counters of each stream.
    fn save(self) -> Outcome<Vec<(StreamName, Counts)>> {
        self.blocks.finish(self.connection)?;
        meta::set_next_change(self.connection, self.next_change)?;
        for ((stream, scope), count) in self.records_of.into_iter().filter(|(_, count)| *count != 0) {
            scopes::add_records(self.connection, stream, scope, count)?;
        }
        let too_few = Trouble::Damaged("a stream has too few records");
        let mut all = Vec::new();
        for (mut row, counts) in self.streams.into_values() {
            let records = (row.records + counts.created).checked_sub(counts.deleted);
            let Some(records) = records else { return Err(too_few) };
            row.records = records;
            streams::save(self.connection, &row)?;
            all.push((row.name, counts));
        }
        Ok(all)
    }
}

const NOT_IN_BLOCK: Trouble = Trouble::Damaged("a change is not in its block");

/// The blocks with earlier versions that were read last.
#[derive(Default)]
struct Earlier {
    /// The one that was asked for last.
    last: Option<Block>,
    others: Vec<Block>,
    read: usize,
}

impl Earlier {
    fn block(&mut self, connection: &dyn Session, change: u64) -> Outcome<&Block> {
        let holds = |block: &Block| block.find(change).is_some();
        if !self.last.as_ref().is_some_and(holds) {
            let found = match self.others.iter().position(holds) {
                Some(place) => self.others.remove(place),
                None => {
                    self.read += 1;
                    blocks::holding(connection, change)?
                }
            };
            self.others.extend(self.last.replace(found));
            if self.others.len() >= AT_HAND {
                self.others.remove(0);
            }
        }
        self.last.as_ref().ok_or(NOT_IN_BLOCK)
    }
}
