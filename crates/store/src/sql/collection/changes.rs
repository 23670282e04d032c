//! The change feed: blocks read in order.

use std::collections::HashMap;

use inlet_model::{Change, ChangeOp};

use super::block::{Block, BlockEntry, StreamId};
use super::error::{Outcome, Trouble};
use super::streams::{self, StreamRow};
use super::upkeep::expired;
use super::{blocks, meta};
use crate::collection::{ChangeCursor, ChangePage};
use crate::sql::Session;

/// A page of the feed.
pub(super) fn page(
    connection: &dyn Session,
    after: ChangeCursor,
    limit: usize,
    max_bytes: usize,
) -> Outcome<ChangePage> {
    let compacted_through = meta::compacted_through(connection)?;
    if !after.is_whole(compacted_through) {
        return Ok(ChangePage::Expired { compacted_through });
    }
    let mut changes = Vec::new();
    let floor = if after == ChangeCursor::START { compacted_through } else { after.floor };
    let mut next = ChangeCursor { floor, ..after };
    let end = meta::next_change(connection)?;
    // Asked again and again by consumers that wait for more: no block is read for nothing.
    if limit == 0 || after.after.saturating_add(1) >= end {
        return Ok(ChangePage::Changes { changes, next });
    }
    let mut streams = StreamNames { connection, known: HashMap::new() };
    let mut bytes = 0;
    // What the upkeep may have put last has gone: the reader is then as far as one that saw it.
    next.after = end - 1;
    blocks::scan(connection, after.after, |block| {
        let expired = expired_in(connection, block, compacted_through)?;
        for index in block.first_after(after.after)..block.len() {
            let entry = block.entry(index);
            if expired.binary_search(&entry.head.change).is_ok() {
                continue;
            }
            changes.push(streams.change(&entry)?);
            bytes += entry.data.len();
            if changes.len() >= limit || bytes >= max_bytes {
                next.after = entry.head.change;
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    Ok(ChangePage::Changes { changes, next })
}

/// The changes in the block that are no part of the feed any more.
fn expired_in(connection: &dyn Session, block: &Block, compacted_through: u64) -> Outcome<Vec<u64>> {
    match (block.first(), block.last()) {
        (Some(first), Some(last)) if first <= compacted_through => expired::between(connection, first, last),
        _ => Ok(Vec::new()),
    }
}

/// The streams that the page has met.
struct StreamNames<'c> {
    connection: &'c dyn Session,
    known: HashMap<StreamId, StreamRow>,
}

impl StreamNames<'_> {
    fn change(&mut self, entry: &BlockEntry<'_>) -> Outcome<Change> {
        let head = &entry.head;
        let stream = match self.known.entry(head.stream) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(
                streams::get(self.connection, head.stream)?
                    .ok_or(Trouble::Damaged("a change belongs to a stream that is not there"))?,
            ),
        };
        Ok(Change {
            change: head.change,
            op: head.op,
            connector_id: stream.connector_id,
            stream: stream.name.clone(),
            key: entry.key.to_vec(),
            data: (head.op != ChangeOp::Deleted).then(|| entry.data.to_vec()),
            sync_id: entry.origin.sync_id,
            at: entry.origin.at,
            previous: head.previous,
        })
    }
}
