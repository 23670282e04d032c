//! The key table: for each live record its hash, the change that made it what it is, its creation and its scope.
//!
//! It is ordered by stream and then by key: a stream's number in front, in an encoding that keeps the order of numbers.
//! Rows that lie scattered wait in the key [`log`] and stand for those of the table.

mod log;
mod look_up;
mod room;
mod row;
#[cfg(test)]
mod tests;
mod walk;
mod write;

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use inlet_model::key::{STORAGE_KEY_MAX, storage_key};
use rusqlite::Connection;

use super::block::StreamId;
use super::error::Outcome;
use crate::sql::{Session, params};

pub(super) use log::KeyLog;
pub(super) use look_up::look_up;
pub(super) use room::KeyLogRoom;
pub(super) use row::KeyRow;
pub(super) use walk::{Walked, walk};
pub(super) use write::remove;

/// Stream numbers below this are one byte; others are this and how many bytes follow, then those, big-endian.
const LONG_STREAM: u8 = 0xf0;

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

/// Reads the row that is stored in column `at`.
pub(super) fn read_row(row: &rusqlite::Row<'_>, at: usize) -> Outcome<KeyRow> {
    KeyRow::decode(read_bytes(row, at)?)
}

/// Reads a row of the key log; `None` for a record that has gone.
fn read_logged(row: &rusqlite::Row<'_>, at: usize) -> Outcome<Option<KeyRow>> {
    log::decode(read_bytes(row, at)?)
}

fn read_bytes<'r>(row: &'r rusqlite::Row<'_>, at: usize) -> Outcome<&'r [u8]> {
    Ok(row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from)?)
}

/// Shows rows of the key table in the order of keys: those from `start` up to `end`, at most so many. The key log must be
/// merged.
pub(super) fn show(
    connection: &dyn Session,
    start: &[u8],
    end: &[u8],
    limit: usize,
    mut show: impl FnMut(&[u8], KeyRow),
) -> Outcome<()> {
    let mut unreadable = None;
    connection.each(
        "SELECT k, row FROM keys WHERE k >= ?1 AND k < ?2 ORDER BY k LIMIT ?3",
        params![start, end, limit as i64],
        &mut |columns| {
            let filed = columns.blob()?;
            match KeyRow::decode(columns.blob()?) {
                Ok(row) => show(filed, row),
                Err(trouble) => unreadable = Some(trouble),
            }
            Ok(if unreadable.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        },
    )?;
    unreadable.map_or(Ok(()), Err)
}

/// The row of a key.
pub(super) fn get(connection: &Connection, filed: &[u8]) -> Outcome<Option<KeyRow>> {
    if let Some(row) = log::get(connection, filed)? {
        return Ok(row);
    }
    let mut statement = connection.prepare_cached("SELECT row FROM keys WHERE k = ?1")?;
    let mut rows = statement.query([filed])?;
    rows.next()?.map(|row| read_row(row, 0)).transpose()
}

/// The rows of keys, which come in any order.
pub(super) fn find_all(connection: &Connection, filed: &[Vec<u8>]) -> Outcome<Vec<Option<KeyRow>>> {
    let has_log = log::parts(connection)?.next().is_some();
    let mut order: Vec<usize> = (0..filed.len()).collect();
    order.sort_unstable_by(|one, other| filed[*one].cmp(&filed[*other]));
    let mut found = vec![None; filed.len()];
    let mut places = order.iter();
    look_up(connection, order.iter().map(|place| filed[*place].as_slice()), |key, in_table| {
        let place = *places.next().expect("each key is looked up once, in order");
        let logged = if has_log { log::get(connection, key)? } else { None };
        found[place] = logged.unwrap_or(in_table);
        Ok(())
    })?;
    Ok(found)
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
