//! Walking through the keys of streams as readers see them: the rows of the table and of the key log as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rusqlite::{Connection, Rows, params};

use super::{KeyRow, log, read_logged};
use crate::sql::collection::keys::{range_of, split};
use crate::sql::collection::{Outcome, Step, Trouble, Walked};

const LOG: &str = "SELECT k, row FROM key_log WHERE k >= ?1 AND k < ?2 AND part = ?3 ORDER BY k";
const TABLE: &str = "SELECT k, row FROM keys WHERE k >= ?1 AND k < ?2 ORDER BY k";

/// Gives the rows of the streams to `each`, in order of keys and with equal keys in the order of the streams, until it says
/// that it has enough. Each stream has its rows in the key table and in the parts of the key log; of a key's rows the latest
/// counts.
pub(crate) fn walk(
    connection: &Connection,
    streams: &[Walked],
    each: &mut dyn FnMut(Step) -> Outcome<bool>,
) -> Outcome<()> {
    let parts: Vec<Option<u64>> = log::parts(connection)?.map(Some).chain([None]).collect();
    let sources = streams.iter().flat_map(|stream| parts.iter().map(move |part| (stream, *part)));
    let mut statements = sources
        .clone()
        .map(|(_, part)| connection.prepare_cached(if part.is_some() { LOG } else { TABLE }))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut cursors = Vec::with_capacity(statements.len());
    let mut heads = BinaryHeap::with_capacity(statements.len());
    for ((walked, part), statement) in sources.zip(&mut statements) {
        let end = range_of(walked.stream).end;
        let mut rows = match part {
            Some(part) => statement.query(params![walked.from, end, part as i64])?,
            None => statement.query(params![walked.from, end])?,
        };
        heads.extend(Head::next(&mut rows, cursors.len())?.map(Reverse));
        cursors.push(rows);
    }
    let mut last = Vec::new();
    while let Some(Reverse(head)) = heads.pop() {
        let Head { cursor, filed, row, .. } = head;
        heads.extend(Head::next(&mut cursors[cursor], cursor)?.map(Reverse));
        if filed == last {
            continue;
        }
        last.clone_from(&filed);
        // One that has gone has no row.
        if let Some(row) = row
            && !each(Step { stream: cursor / parts.len(), filed, row })?
        {
            break;
        }
    }
    Ok(())
}

/// The next row of one of several cursors. Ordered by key, then by cursor: by stream and then the latest first.
struct Head {
    key: Vec<u8>,
    cursor: usize,
    filed: Vec<u8>,
    row: Option<KeyRow>,
}

impl Head {
    fn next(rows: &mut Rows<'_>, cursor: usize) -> Outcome<Option<Self>> {
        let Some(row) = rows.next()? else { return Ok(None) };
        let filed: Vec<u8> = row.get(0)?;
        let (_, key) = split(&filed).ok_or(Trouble::Damaged("a key has no stream"))?;
        Ok(Some(Self { key: key.to_vec(), cursor, row: read_logged(row, 1)?, filed }))
    }

    fn place(&self) -> (&[u8], usize) {
        (&self.key, self.cursor)
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}
