//! The changes of the sync that is undone, and those that later syncs made to the same records.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;

use inlet_model::ChangeOp;

use super::super::block::{BlockEntry, StreamId};
use super::super::error::Outcome;
use super::super::{blocks, keys, streams};
use super::table::{self, Collected, Left, UndoRow};
use crate::collection::Run;
use crate::sql::Session;

/// To read a block costs about as much as so many of its entries.
const BLOCK_COST: usize = 16;

/// Looks at about `limit` changes.
pub(super) fn some(connection: &dyn Session, undo: &mut UndoRow, undone: &Run, limit: usize) -> Outcome<()> {
    let matching = streams::matching(connection, Some(undone.connector_id), None)?;
    let own = matching.into_iter().map(|stream| stream.id).collect();
    let mut collector = Collector { connection, undone, undo: undo.id, own, noted: BTreeMap::new() };
    let mut left = limit;
    while left > 0 && undo.collected < undo.through {
        match next_range(connection, undone, undo.collected)? {
            Some(range) if *range.start() <= undo.through => {
                undo.collected = collector.range(&range, undo.collected, &mut left)?;
            }
            _ => undo.collected = undo.through,
        }
    }
    collector.write()
}

/// The next changes to look at: those of the sync, then those of later ones. These can only matter where the sync deleted
/// something: of what is there, the key table says who changed it last.
fn next_range(connection: &dyn Session, undone: &Run, after: u64) -> Outcome<Option<RangeInclusive<u64>>> {
    match &undone.changes {
        Some(changes) if after < *changes.end() => Ok(Some(changes.clone())),
        _ if undone.counts.deleted == 0 => Ok(None),
        _ => table::next_run(connection, undone.connector_id, after),
    }
}

struct Collector<'a> {
    connection: &'a dyn Session,
    undone: &'a Run,
    undo: i64,
    /// The streams of the connector.
    own: HashSet<StreamId>,
    /// What the entries since the last write say, by the keys of their records as they are filed.
    noted: BTreeMap<Vec<u8>, Noted>,
}

/// What entries say of a record.
#[derive(Debug)]
struct Noted {
    /// The change that stood before the first of the sync's, if one of these is the sync's.
    before: Option<u64>,
    left: Left,
}

impl Default for Noted {
    fn default() -> Self {
        Self { before: None, left: Left::Changed }
    }
}

impl Collector<'_> {
    /// Looks at the changes of the range behind `after`, until as much is done as was left to do; gives the last one.
    fn range(&mut self, range: &RangeInclusive<u64>, after: u64, left: &mut usize) -> Outcome<u64> {
        let after = after.max(*range.start() - 1);
        let mut through = *range.end();
        blocks::scan(self.connection, after, |block| {
            for index in block.first_after(after)..block.len() {
                let entry = block.entry(index);
                if entry.head.change > *range.end() {
                    return Ok(true);
                }
                if self.own.contains(&entry.head.stream) {
                    self.entry(&entry);
                }
                *left = left.saturating_sub(1);
            }
            *left = left.saturating_sub(BLOCK_COST);
            if *left == 0 {
                through = block.last().unwrap_or(through).min(through);
            }
            Ok(*left == 0)
        })?;
        Ok(through)
    }

    fn entry(&mut self, entry: &BlockEntry<'_>) {
        let head = &entry.head;
        let noted = self.noted.entry(keys::filed(head.stream, entry.key)).or_default();
        if entry.origin.sync_id != Some(self.undone.sync_id) {
            noted.left = Left::Changed;
            return;
        }
        noted.before.get_or_insert(head.previous);
        noted.left = if head.op == ChangeOp::Deleted { Left::Gone } else { Left::There(head.change) };
    }

    /// Writes down what was found.
    fn write(&mut self) -> Outcome<()> {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for (filed, Noted { before, left }) in std::mem::take(&mut self.noted) {
            match before {
                Some(before) => own.push(Collected { filed, before, left }),
                None => others.push(filed),
            }
        }
        table::collect(self.connection, self.undo, &own)?;
        table::note_changed(self.connection, self.undo, &others)
    }
}
