//! The key table: for each live record its hash, the change that made it what it is, its creation and its scope.
//!
//! It is ordered by stream and then by key: a stream's number in front, in an encoding that keeps the order of numbers.

mod look_up;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;
use std::ops::Range;

use inlet_model::HASH_LEN;
use inlet_model::key::{STORAGE_KEY_MAX, storage_key};
use rusqlite::{Connection, params};

use super::block::{ScopeId, StreamId};
use super::error::{Outcome, Trouble};

pub(super) use look_up::look_up;
pub(super) use write::write;

/// Stream numbers below this are one byte; others are this and how many bytes follow, then those, big-endian.
const LONG_STREAM: u8 = 0xf0;

/// A row of the key table but for its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) hash: [u8; HASH_LEN],
    pub(super) change: u64,
    pub(super) created_us: i64,
    pub(super) scope: ScopeId,
}

/// Appends the stream's number as the key table has it.
pub(super) fn push_stream(out: &mut Vec<u8>, stream: u64) {
    if stream < u64::from(LONG_STREAM) {
        out.push(stream as u8);
    } else {
        let bytes = stream.to_be_bytes();
        let skipped = (stream.leading_zeros() / 8) as usize;
        out.push(LONG_STREAM + (bytes.len() - skipped) as u8);
        out.extend_from_slice(&bytes[skipped..]);
    }
}

/// Appends the key under which the key table files a record.
pub(super) fn push_filed(out: &mut Vec<u8>, stream: StreamId, key: &[u8]) {
    push_stream(out, u64::from(stream.0));
    out.extend_from_slice(&storage_key(key));
}

/// The key under which the key table files a record.
pub(super) fn filed(stream: StreamId, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 5);
    push_filed(&mut out, stream, key);
    out
}

/// All keys that a stream may have in the key table.
pub(super) fn range_of(stream: StreamId) -> Range<Vec<u8>> {
    let (mut start, mut end) = (Vec::new(), Vec::new());
    push_stream(&mut start, u64::from(stream.0));
    push_stream(&mut end, u64::from(stream.0) + 1);
    start..end
}

/// The stream, and the key within it.
pub(super) fn split(filed: &[u8]) -> Option<(StreamId, &[u8])> {
    let (&first, rest) = filed.split_first()?;
    if first < LONG_STREAM {
        return Some((StreamId(u32::from(first)), rest));
    }
    let (number, key) = rest.split_at_checked(usize::from(first - LONG_STREAM))?;
    let number = number.iter().try_fold(0_u32, |sum, byte| Some(sum.checked_mul(256)? + u32::from(*byte)))?;
    Some((StreamId(number), key))
}

/// The record's whole key, if the key table has it: a very long one stands only in its block.
pub(super) fn whole_key(filed: &[u8]) -> Option<&[u8]> {
    split(filed).map(|(_, key)| key).filter(|key| key.len() < STORAGE_KEY_MAX)
}

/// Reads the row that starts at column `at`.
pub(super) fn read_row(row: &rusqlite::Row<'_>, at: usize) -> Outcome<KeyRow> {
    let mut hash = [0; HASH_LEN];
    // A hash of another length is another algorithm's: it equals none, and the record counts as changed.
    if let Ok(stored) =
        <&[u8; HASH_LEN]>::try_from(row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from)?)
    {
        hash = *stored;
    }
    Ok(KeyRow {
        hash,
        change: u64::try_from(row.get::<_, i64>(at + 1)?)
            .map_err(|_| Trouble::Damaged("a change is below zero"))?,
        created_us: row.get(at + 2)?,
        scope: ScopeId(row.get(at + 3)?),
    })
}

/// The row of a key.
pub(super) fn get(connection: &Connection, filed: &[u8]) -> Outcome<Option<KeyRow>> {
    let mut statement =
        connection.prepare_cached("SELECT hash, change, created, scope FROM keys WHERE k = ?1")?;
    let mut rows = statement.query(params![filed])?;
    rows.next()?.map(|row| read_row(row, 0)).transpose()
}

/// The key as a caller sees it: whole if the key table has it whole, else as `in_block` finds it.
pub(super) fn restore_key<'k>(
    filed: &'k [u8],
    in_block: impl FnOnce() -> Outcome<Vec<u8>>,
) -> Outcome<Cow<'k, [u8]>> {
    match whole_key(filed) {
        Some(key) => Ok(Cow::Borrowed(key)),
        None => in_block().map(Cow::Owned),
    }
}
