//! The key log: rows of the key table that wait to be written there.
//!
//! Where the keys of a commit lie scattered over a large table, each falls on a page of its own, and the commit would write
//! many times what it changes. Such a commit appends its rows to the log, as a *part* of their own, in order; the log is
//! merged into the table once it is long. A row of the log stands for that of its key in the table and in earlier
//! parts. The writer has the log in memory as one; readers look into each part ([`parts`]).

use rusqlite::{Connection, params};

use super::super::stores::Options;
use super::room::{Held, KeyLogRoom};
use super::write::{self, Pair};
use super::{KeyRow, read_bytes};
use crate::sql::collection::{Outcome, Stored, Trouble};
use crate::sqlite::connection::read_number;

/// The log is merged before it takes up more memory than this, and before it has more parts than a reader should look into.
const BYTES: usize = 24 << 20;
const PARTS: usize = 64;

/// Rows merged between two looks at whether to go on.
const CHUNK: usize = 16_384;

/// The key log, as its writer has it.
#[derive(Debug)]
pub(crate) struct KeyLog {
    /// See [`Options`].
    logged_rows: usize,
    scattered_rows: u64,
    key_log_rows: usize,
    /// `None` where they must be read from the file.
    rows: Option<LogRows>,
    held: Held,
}

/// What is in the log: of each key its latest row, in order of keys.
#[derive(Debug, Default)]
pub(crate) struct LogRows {
    /// Of each part its keys and rows. One buffer for all would be moved again and again as it grows.
    parts: Vec<Vec<u8>>,
    rows: Vec<LogRow>,
    bytes: usize,
}

#[derive(Debug, Clone, Copy)]
struct LogRow {
    start: u32,
    part: u16,
    key_len: u16,
    row_len: u16,
}

impl KeyLog {
    pub(crate) fn new(options: &Options, room: &KeyLogRoom) -> Self {
        let Options { logged_rows, scattered_rows, key_log_rows, .. } = *options;
        Self { logged_rows, scattered_rows, key_log_rows, rows: None, held: room.hold() }
    }

    /// Forgets what a transaction that failed may have changed; what is in the file stays.
    pub(crate) fn forget(&mut self) {
        self.rows = None;
        self.held.set(0);
    }

    /// Takes the rows out; who takes them puts them back, unless the transaction fails.
    pub(crate) fn take(&mut self, connection: &Connection) -> Outcome<LogRows> {
        self.rows.take().map_or_else(|| LogRows::load(connection), Ok)
    }

    /// Puts the rows back.
    pub(crate) fn put(&mut self, rows: LogRows) {
        self.held.set(rows.memory());
        self.rows = Some(rows);
    }

    /// Writes rows, which come in order and whose look-up passed so many others. Into the log if that is less work, and if
    /// anything is there already.
    pub(crate) fn write(&mut self, connection: &Connection, rows: &[Stored<'_>], passed: u64) -> Outcome<()> {
        let mut log = self.take(connection)?;
        let is_scattered =
            rows.len() >= self.logged_rows && passed >= self.scattered_rows * rows.len() as u64;
        if !rows.is_empty() && (is_scattered || !log.parts.is_empty()) {
            log.append(connection, rows)?;
        } else if write::overwrite(connection, rows.iter().map(pair))? > 0 {
            return Err(write::GONE);
        }
        self.put(log);
        Ok(())
    }

    /// Merges the log if it is long, or if all logs together take up too much. `go_on` says now and then whether to.
    pub(crate) fn merge_if_long(
        &mut self,
        connection: &Connection,
        go_on: impl FnMut() -> Outcome<()>,
    ) -> Outcome<()> {
        let log = self.take(connection)?;
        let is_long = log.rows.len() >= self.key_log_rows || log.bytes >= BYTES || log.parts.len() >= PARTS;
        self.put(log);
        if is_long || self.held.is_too_much() { self.merge(connection, go_on) } else { Ok(()) }
    }

    /// Writes all rows into the key table, and empties the log.
    pub(crate) fn merge(
        &mut self,
        connection: &Connection,
        mut go_on: impl FnMut() -> Outcome<()>,
    ) -> Outcome<()> {
        let log = self.take(connection)?;
        if !log.parts.is_empty() {
            for rows in log.rows.chunks(CHUNK) {
                go_on()?;
                // One that came and went while it was in the log has never been in the table.
                write::overwrite(connection, rows.iter().map(|row| (log.key(row), log.row(row))))?;
            }
            connection.prepare_cached("DELETE FROM key_log")?.execute([])?;
        }
        self.put(LogRows::default());
        Ok(())
    }
}

fn pair<'k>(row: &Stored<'k>) -> Pair<'k> {
    (row.filed, row.row)
}

impl LogRows {
    fn load(connection: &Connection) -> Outcome<Self> {
        let mut statement = connection.prepare_cached("SELECT part, k, row FROM key_log ORDER BY part, k")?;
        let mut rows = statement.query([])?;
        let mut log = Self::default();
        while let Some(row) = rows.next()? {
            let number = usize::try_from(read_number(row, 0)?).map_err(|_| TOO_MUCH)?;
            if number > log.parts.len() {
                log.parts.push(Vec::new());
            }
            log.push((read_bytes(row, 1)?, read_bytes(row, 2)?))?;
        }
        log.bring_into_order();
        Ok(log)
    }

    /// What it takes up, in bytes.
    fn memory(&self) -> usize {
        self.bytes + self.rows.len() * size_of::<LogRow>()
    }

    /// Appends rows that come in order as the next part.
    fn append(&mut self, connection: &Connection, rows: &[Stored<'_>]) -> Outcome<()> {
        self.parts.push(Vec::with_capacity(rows.iter().map(|row| row.filed.len() + row.row.len()).sum()));
        write::append(connection, self.parts.len(), rows.iter().map(pair))?;
        rows.iter().try_for_each(|row| self.push(pair(row)))?;
        self.bring_into_order();
        Ok(())
    }

    /// Adds a row to the last part.
    fn push(&mut self, (key, row): Pair<'_>) -> Outcome<()> {
        let narrow = |len: usize| u16::try_from(len).map_err(|_| TOO_MUCH);
        let (part, key_len, row_len) =
            (narrow(self.parts.len() - 1)?, narrow(key.len())?, narrow(row.len())?);
        let bytes = &mut self.parts[usize::from(part)];
        let start = u32::try_from(bytes.len()).map_err(|_| TOO_MUCH)?;
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(row);
        self.bytes += key.len() + row.len();
        self.rows.push(LogRow { start, part, key_len, row_len });
        Ok(())
    }

    /// Of rows of the same key the last one stays.
    fn bring_into_order(&mut self) {
        let parts = self.parts.as_slice();
        // Stable, and quick where two parts in order follow each other.
        self.rows.sort_by(|one, other| one.key(parts).cmp(other.key(parts)));
        self.rows.dedup_by(|later, earlier| {
            let same = later.key(parts) == earlier.key(parts);
            if same {
                *earlier = *later;
            }
            same
        });
    }

    fn key(&self, row: &LogRow) -> &[u8] {
        row.key(&self.parts)
    }

    fn row(&self, row: &LogRow) -> &[u8] {
        let start = row.start as usize + usize::from(row.key_len);
        &self.parts[usize::from(row.part)][start..start + usize::from(row.row_len)]
    }

    /// Looks keys up that come in order.
    pub(crate) fn search(&self) -> LogSearch<'_> {
        LogSearch { log: self, at: 0 }
    }
}

impl LogRow {
    fn key<'p>(&self, parts: &'p [Vec<u8>]) -> &'p [u8] {
        let start = self.start as usize;
        &parts[usize::from(self.part)][start..start + usize::from(self.key_len)]
    }
}

/// A search through the log from front to back.
pub(crate) struct LogSearch<'l> {
    log: &'l LogRows,
    at: usize,
}

impl LogSearch<'_> {
    /// The key's row as it is now; `in_table` is what stands in the key table.
    pub(crate) fn now(&mut self, filed: &[u8], in_table: Option<KeyRow>) -> Outcome<Option<KeyRow>> {
        let rest = &self.log.rows[self.at..];
        let is_before = |row: &LogRow| self.log.key(row) < filed;
        // Strides that double: the first row that is not before the key lies within the last of them.
        let mut stride = 1;
        while rest.get(stride).is_some_and(is_before) {
            stride *= 2;
        }
        let within = &rest[stride / 2..rest.len().min(stride + 1)];
        let found = stride / 2 + within.partition_point(is_before);
        self.at += found;
        match rest.get(found).filter(|row| self.log.key(row) == filed) {
            Some(row) => decode(self.log.row(row)),
            None => Ok(in_table),
        }
    }
}

const TOO_MUCH: Trouble = Trouble::Damaged("the key log is too long");

/// A row of the log; an empty one stands for a record that has gone.
pub(super) fn decode(stored: &[u8]) -> Outcome<Option<KeyRow>> {
    if stored.is_empty() { Ok(None) } else { KeyRow::decode(stored).map(Some) }
}

/// The parts that the log has in the file, the latest first.
pub(super) fn parts(connection: &Connection) -> Outcome<impl Iterator<Item = u64> + use<>> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(part), 0) FROM key_log")?;
    // Numbered from 1 on, and none is missing.
    Ok((1..=statement.query_row([], |row| read_number(row, 0))?).rev())
}

/// The latest row of a key in the log, if it has one; that may say that the record has gone.
pub(super) fn get(connection: &Connection, filed: &[u8]) -> Outcome<Option<Option<KeyRow>>> {
    let mut statement = connection.prepare_cached("SELECT row FROM key_log WHERE part = ?1 AND k = ?2")?;
    for part in parts(connection)? {
        if let Some(row) = statement.query(params![part as i64, filed])?.next()? {
            return decode(read_bytes(row, 0)?).map(Some);
        }
    }
    Ok(None)
}
