//! The tables of a store within a transaction.

use std::cell::RefCell;
use std::ops::{ControlFlow, Range};

use super::copy::Copy;
use super::statement::StoreName;
use super::{keys, size, walk};
use crate::postgres::client::Client;
use crate::postgres::session::{self, Typed};
use crate::sql::collection::key_row::KeyRow;
use crate::sql::collection::{NewBlock, Outcome, Step, Stored, Tables, Walked, WriteTables, blocks};
use crate::sql::{Bind, Columns, Dialect, Session, SqlResult};

/// A connection on which a transaction is open, for one store.
pub(super) struct StoreTables<'tx> {
    client: RefCell<&'tx mut Client>,
    store: &'tx StoreName,
}

/// Fewer blocks than this are inserted one by one.
const WORTH_A_COPY: usize = 4;

impl<'tx> StoreTables<'tx> {
    pub(super) fn new(client: &'tx mut Client, store: &'tx StoreName) -> Self {
        Self { client: RefCell::new(client), store }
    }

    pub(super) fn store(&self) -> &StoreName {
        self.store
    }

    /// Runs a statement with parameters that only this database knows; how many rows it has changed.
    pub(super) fn execute_typed(&self, sql: &str, params: &[Typed<'_>]) -> SqlResult<usize> {
        let (sql, params) = self.store.complete(sql, params.to_vec());
        session::execute(&mut self.client.borrow_mut(), &sql, &params)
    }

    /// The rows of such a statement.
    pub(super) fn query_typed(&self, sql: &str, params: &[Typed<'_>]) -> SqlResult<Vec<tokio_postgres::Row>> {
        let (sql, params) = self.store.complete(sql, params.to_vec());
        self.client.borrow_mut().query_typed(&sql, &params)
    }

    /// Fills a table by a copy.
    pub(super) fn copy(
        &self,
        table: &str,
        columns: &str,
        rows: impl FnOnce(&mut Copy<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        let table = self.store.table(table);
        let sql = format!("COPY {table} (store, {columns}) FROM STDIN (FORMAT binary)");
        let mut client = self.client.borrow_mut();
        let mut copy = Copy::begin(&mut client, &sql, Some(self.store.id))?;
        rows(&mut copy)?;
        copy.finish()
    }
}

impl Session for StoreTables<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&self, sql: &str, params: &[&dyn Bind]) -> SqlResult<usize> {
        self.execute_typed(sql, &session::typed(&session::bound(params)?))
    }

    fn each(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()> {
        // All of them, so that whoever is shown one may ask for more.
        let rows = self.query_typed(sql, &session::typed(&session::bound(params)?))?;
        session::show_each(&rows, show)
    }
}

impl Tables for StoreTables<'_> {
    fn key(&self, filed: &[u8]) -> Outcome<Option<KeyRow>> {
        keys::get(self, filed)
    }

    fn keys(&self, filed: &[Vec<u8>]) -> Outcome<Vec<Option<KeyRow>>> {
        keys::find_all(self, filed)
    }

    fn walk(&self, streams: &[Walked], each: &mut dyn FnMut(Step) -> Outcome<bool>) -> Outcome<()> {
        walk::walk(self, streams, each)
    }

    fn bytes(&self) -> Outcome<u64> {
        size::bytes(self)
    }
}

impl WriteTables for StoreTables<'_> {
    fn look_up<'k>(
        &self,
        filed: &[&'k [u8]],
        each: &mut dyn FnMut(&'k [u8], Option<KeyRow>) -> Outcome<()>,
    ) -> Outcome<u64> {
        keys::look_up(self, filed, each)?;
        Ok(0)
    }

    fn write_keys(&self, rows: &[Stored<'_>], _passed: u64) -> Outcome<()> {
        keys::write(self, rows)
    }

    fn gather_keys(&self, _go_on: &mut dyn FnMut() -> Outcome<()>) -> Outcome<()> {
        Ok(())
    }

    fn gather_many_keys(&self, _go_on: &mut dyn FnMut() -> Outcome<()>) -> Outcome<()> {
        Ok(())
    }

    fn scan_keys(
        &self,
        range: Range<&[u8]>,
        limit: usize,
        show: &mut dyn FnMut(&[u8], KeyRow),
    ) -> Outcome<()> {
        keys::scan(self, range, limit, show)
    }

    fn remove_keys(&self, filed: &[&[u8]]) -> Outcome<()> {
        keys::remove(self, filed)
    }

    fn store_blocks(&self, new: &[NewBlock]) -> Outcome<()> {
        if new.len() < WORTH_A_COPY {
            return new.iter().try_for_each(|NewBlock { block, live }| blocks::insert(self, block, *live));
        }
        self.copy("store_blocks", "first_change, stored", |copy| {
            new.iter().try_for_each(|NewBlock { block, .. }| {
                copy.row(3)?.integer(block.first_change as i64)?.bytes(&block.stored)?;
                Ok(())
            })
        })?;
        self.copy("store_block_index", "first_change, last_change, entries, live, expired", |copy| {
            new.iter().try_for_each(|NewBlock { block, live }| {
                let row =
                    copy.row(6)?.integer(block.first_change as i64)?.integer(block.last_change as i64)?;
                row.integer(block.count as i64)?.integer(*live as i64)?.integer(0)?;
                Ok(())
            })
        })
    }
}
