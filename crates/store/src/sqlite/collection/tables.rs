//! The tables of a file within a transaction.

use std::cell::RefCell;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use rusqlite::Connection;

use super::keys::{self, KeyLog};
use super::statement;
use crate::sql::collection::key_row::KeyRow;
use crate::sql::collection::{NewBlock, Outcome, Step, Stored, Tables, Walked, WriteTables, blocks};
use crate::sql::{Bind, Columns, Dialect, Session, SqlResult, WithSession};

/// What a reader sees.
pub(in crate::sqlite) struct FileTables<'tx> {
    connection: &'tx Connection,
    path: &'tx Path,
}

/// What the writer sees, and changes.
pub(super) struct WriteFileTables<'tx> {
    pub(super) tables: FileTables<'tx>,
    pub(super) key_log: RefCell<&'tx mut KeyLog>,
}

impl<'tx> FileTables<'tx> {
    pub(in crate::sqlite) fn new(connection: &'tx Connection, path: &'tx Path) -> Self {
        Self { connection, path }
    }
}

impl Session for FileTables<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&self, sql: &str, params: &[&dyn Bind]) -> SqlResult<usize> {
        Session::execute(self.connection, &statement::of_file(sql), params)
    }

    fn each(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()> {
        self.connection.each(&statement::of_file(sql), params, show)
    }
}

impl Tables for FileTables<'_> {
    fn key(&self, filed: &[u8]) -> Outcome<Option<KeyRow>> {
        keys::get(self.connection, filed)
    }

    fn keys(&self, filed: &[Vec<u8>]) -> Outcome<Vec<Option<KeyRow>>> {
        keys::find_all(self.connection, filed)
    }

    fn walk(&self, streams: &[Walked], each: &mut dyn FnMut(Step) -> Outcome<bool>) -> Outcome<()> {
        keys::walk(self.connection, streams, each)
    }

    /// The file and its log.
    fn bytes(&self) -> Outcome<u64> {
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        let log = std::fs::metadata(log).map_or(0, |found| found.len());
        Ok(std::fs::metadata(self.path)?.len() + log)
    }
}

impl WithSession for WriteFileTables<'_> {
    fn session(&self) -> &dyn Session {
        &self.tables
    }
}

impl Tables for WriteFileTables<'_> {
    fn key(&self, filed: &[u8]) -> Outcome<Option<KeyRow>> {
        self.tables.key(filed)
    }

    fn keys(&self, filed: &[Vec<u8>]) -> Outcome<Vec<Option<KeyRow>>> {
        self.tables.keys(filed)
    }

    fn walk(&self, streams: &[Walked], each: &mut dyn FnMut(Step) -> Outcome<bool>) -> Outcome<()> {
        self.tables.walk(streams, each)
    }

    fn bytes(&self) -> Outcome<u64> {
        self.tables.bytes()
    }
}

impl WriteTables for WriteFileTables<'_> {
    fn look_up<'k>(
        &self,
        filed: &[&'k [u8]],
        each: &mut dyn FnMut(&'k [u8], Option<KeyRow>) -> Outcome<()>,
    ) -> Outcome<u64> {
        let connection = self.tables.connection;
        let log = self.key_log.borrow_mut().take(connection)?;
        let mut logged = log.search();
        let passed = keys::look_up(connection, filed.iter().copied(), |filed, in_table| {
            each(filed, logged.now(filed, in_table)?)
        })?;
        self.key_log.borrow_mut().put(log);
        Ok(passed)
    }

    fn write_keys(&self, rows: &[Stored<'_>], passed: u64) -> Outcome<()> {
        self.key_log.borrow_mut().write(self.tables.connection, rows, passed)
    }

    fn gather_keys(&self, go_on: &mut dyn FnMut() -> Outcome<()>) -> Outcome<()> {
        self.key_log.borrow_mut().merge(self.tables.connection, go_on)
    }

    fn gather_many_keys(&self, go_on: &mut dyn FnMut() -> Outcome<()>) -> Outcome<()> {
        self.key_log.borrow_mut().merge_if_long(self.tables.connection, go_on)
    }

    fn scan_keys(
        &self,
        range: Range<&[u8]>,
        limit: usize,
        show: &mut dyn FnMut(&[u8], KeyRow),
    ) -> Outcome<()> {
        keys::show(self.tables.connection, range.start, range.end, limit, show)
    }

    fn remove_keys(&self, filed: &[&[u8]]) -> Outcome<()> {
        keys::remove(self.tables.connection, filed.iter().copied())
    }

    fn store_blocks(&self, new: &[NewBlock]) -> Outcome<()> {
        new.iter().try_for_each(|NewBlock { block, live }| blocks::insert(self, block, *live))
    }
}
