//! The change feed: blocks read in order.

use std::collections::HashMap;

use inlet_model::{Change, ChangeOp};
use rusqlite::Connection;

use super::block::{BlockEntry, StreamId};
use super::error::{Outcome, Trouble};
use super::streams::{self, StreamRow};
use super::{blocks, meta};
use crate::collection::ChangePage;

/// A page of the feed.
pub(super) fn page(
    connection: &Connection,
    after: u64,
    limit: usize,
    max_bytes: usize,
) -> Outcome<ChangePage> {
    let compacted_through = meta::compacted_through(connection)?;
    if after > 0 && after < compacted_through {
        return Ok(ChangePage::Expired { compacted_through });
    }
    let mut changes = Vec::new();
    // Asked again and again by consumers that wait for more: no block is read for nothing.
    if limit == 0 || after.saturating_add(1) >= meta::next_change(connection)? {
        return Ok(ChangePage::Changes(changes));
    }
    let mut streams = StreamNames { connection, known: HashMap::new() };
    let mut bytes = 0;
    blocks::scan(connection, after, |block| {
        for index in block.first_after(after)..block.len() {
            let entry = block.entry(index);
            changes.push(streams.change(&entry)?);
            bytes += entry.data.len();
            if changes.len() >= limit || bytes >= max_bytes {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    Ok(ChangePage::Changes(changes))
}

/// The streams that the page has met.
struct StreamNames<'c> {
    connection: &'c Connection,
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
