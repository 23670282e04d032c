//! Records: found in the key table, read from their blocks.

use inlet_model::{ConnectorId, Record, StreamName, Timestamp};

use super::block::{BlockEntry, StreamId};
use super::blocks;
use super::error::{Outcome, Trouble};
use super::keys;
use super::streams::{self, StreamRow};
use super::tables::{Tables, Walked};
use crate::collection::{RecordCursor, RecordPage, RecordQuery};

/// A record of the page: its key in the key table, its change, and itself once its block was read.
pub(super) struct Slot<'s> {
    filed: Vec<u8>,
    change: u64,
    stream: &'s StreamRow,
    record: Option<Record>,
}

impl<'s> Slot<'s> {
    /// A record that is to be read.
    pub(super) fn of(stream: &'s StreamRow, filed: Vec<u8>, change: u64) -> Self {
        Self { filed, change, stream, record: None }
    }
}

/// A page of records.
pub(super) fn page(connection: &dyn Tables, query: &RecordQuery) -> Outcome<RecordPage> {
    let streams = streams::matching(connection, query.connector_id, query.stream.as_ref())?;
    // One more than asked for tells whether there is a next page.
    let mut slots = find(connection, &streams, query.after.as_ref(), query.limit.saturating_add(1))?;
    let more = slots.len() > query.limit;
    slots.truncate(query.limit);
    fill(connection, slots, query.max_bytes, more)
}

/// The page of these records, cut where it holds `max_bytes`; `more` says whether others follow it anyway.
pub(super) fn fill(
    connection: &dyn Tables,
    mut slots: Vec<Slot<'_>>,
    max_bytes: usize,
    mut more: bool,
) -> Outcome<RecordPage> {
    let fitting = read(connection, &mut slots, max_bytes)?;
    more |= fitting < slots.len();
    slots.truncate(fitting);
    let next = slots.last().filter(|_| more).map(|last| RecordCursor(last.filed.clone()));
    let records = slots.into_iter().filter_map(|slot| slot.record).collect();
    Ok(RecordPage { records, next })
}

/// The records with that key.
pub(super) fn with_key(
    connection: &dyn Tables,
    connector_id: Option<ConnectorId>,
    stream: &StreamName,
    key: &[u8],
) -> Outcome<Vec<Record>> {
    let mut records = Vec::new();
    for stream in streams::matching(connection, connector_id, Some(stream))? {
        let Some(row) = connection.key(&keys::filed(stream.id, key))? else { continue };
        let block = blocks::holding(connection, row.change)?;
        let entry = block.find(row.change).ok_or(NOT_IN_BLOCK)?;
        // Two very long keys may be filed alike.
        if entry.key == key {
            records.push(record(&stream, &entry)?);
        }
    }
    Ok(records)
}

const NOT_IN_BLOCK: Trouble = Trouble::Damaged("a change is not in its block");

/// The next keys of the streams, in order: streams of one name together, whatever connector they belong to.
fn find<'s>(
    connection: &dyn Tables,
    streams: &'s [StreamRow],
    after: Option<&RecordCursor>,
    limit: usize,
) -> Outcome<Vec<Slot<'s>>> {
    let place = after.map(|cursor| Place::read(connection, cursor)).transpose()?;
    let mut slots = Vec::new();
    for alike in streams.chunk_by(|one, other| one.name == other.name) {
        let behind = place.as_ref().filter(|place| place.name == alike[0].name);
        let is_through = place.as_ref().is_some_and(|place| alike[0].name < place.name);
        if !is_through && slots.len() < limit {
            merge(connection, alike, behind, limit, &mut slots)?;
        }
    }
    Ok(slots)
}

/// A place in the order of records.
struct Place<'c> {
    name: StreamName,
    stream: StreamId,
    key: &'c [u8],
}

impl<'c> Place<'c> {
    fn read(connection: &dyn Tables, cursor: &'c RecordCursor) -> Outcome<Self> {
        const NOT_OURS: Trouble = Trouble::Broken("the place is none of this collection");
        let (stream, key) = keys::split(&cursor.0).ok_or(NOT_OURS)?;
        let row = streams::get(connection, stream)?.ok_or(NOT_OURS)?;
        Ok(Self { name: row.name, stream, key })
    }

    /// Where a stream of the same name begins behind the place: with equal keys the lower stream comes first.
    fn start_in(&self, stream: StreamId) -> Vec<u8> {
        let mut start = keys::range_of(stream).start;
        start.extend_from_slice(self.key);
        if stream <= self.stream {
            // The least that is greater than the key itself.
            start.push(0);
        }
        start
    }
}

/// Appends the next keys of streams of one name, in order of keys.
fn merge<'s>(
    connection: &dyn Tables,
    alike: &'s [StreamRow],
    behind: Option<&Place<'_>>,
    limit: usize,
    slots: &mut Vec<Slot<'s>>,
) -> Outcome<()> {
    let start_in =
        |stream| behind.map_or_else(|| keys::range_of(stream).start, |place| place.start_in(stream));
    let walked: Vec<Walked> =
        alike.iter().map(|stream| Walked { stream: stream.id, from: start_in(stream.id) }).collect();
    connection.walk(&walked, &mut |step| {
        slots.push(Slot::of(&alike[step.stream], step.filed, step.row.change));
        Ok(slots.len() < limit)
    })
}

/// Reads the records, each block once, and gives how many from the front fit into `max_bytes`.
///
/// The order of blocks is not that of keys, so how many fit is known only at the end. What is known not to is let
/// go at once: no more is held than the page may have and what one block adds.
fn read(connection: &dyn Tables, slots: &mut [Slot<'_>], max_bytes: usize) -> Outcome<usize> {
    let mut by_change: Vec<(u64, usize)> =
        slots.iter().enumerate().map(|(index, slot)| (slot.change, index)).collect();
    by_change.sort_unstable();
    let mut fitting = slots.len();
    let mut held = 0;
    let mut rest = by_change.as_slice();
    while let Some(&(change, index)) = rest.first() {
        if index >= fitting {
            rest = &rest[1..];
            continue;
        }
        let block = blocks::holding(connection, change)?;
        while let Some((&(change, index), others)) = rest.split_first() {
            if index < fitting {
                let Some(entry) = block.find(change) else { break };
                held += entry.data.len();
                slots[index].record = Some(record(slots[index].stream, &entry)?);
            }
            rest = others;
        }
        if rest.first() == Some(&(change, index)) {
            return Err(NOT_IN_BLOCK);
        }
        if held >= max_bytes {
            fitting = fitting.min(cut(slots, max_bytes));
            held = drop_beyond(slots, fitting);
        }
    }
    Ok(fitting)
}

/// How many records from the front, of those read so far, it takes to fill `max_bytes`.
fn cut(slots: &[Slot<'_>], max_bytes: usize) -> usize {
    let mut bytes = 0;
    let full = slots.iter().position(|slot| {
        bytes += slot.record.as_ref().map_or(0, |record| record.data.len());
        bytes >= max_bytes
    });
    full.map_or(slots.len(), |index| index + 1)
}

/// Lets go of the records that do not fit, and gives the bytes of those that are left.
fn drop_beyond(slots: &mut [Slot<'_>], fitting: usize) -> usize {
    slots[fitting..].iter_mut().for_each(|slot| slot.record = None);
    slots[..fitting].iter().filter_map(|slot| slot.record.as_ref()).map(|record| record.data.len()).sum()
}

fn record(stream: &StreamRow, entry: &BlockEntry<'_>) -> Outcome<Record> {
    Ok(Record {
        connector_id: stream.connector_id,
        stream: stream.name.clone(),
        key: entry.key.to_vec(),
        data: entry.data.to_vec(),
        change: entry.head.change,
        sync_id: entry.origin.sync_id.ok_or(Trouble::Damaged("a record was brought by no sync"))?,
        created_at: Timestamp::from_micros(entry.head.created_us),
        updated_at: entry.origin.at,
    })
}
