//! A database as one side of a move.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Duration;

use inlet_model::StoreId;

use super::client::Client;
use super::collection::{Copy, PLANS, StoreName, make, stores};
use super::layout::Layout;
use super::{schema, session, text, transaction};
use crate::sql::catalog::Start;
use crate::sql::{Bind, Bound, Columns, Dialect, Session, SqlError, SqlResult, params};
use crate::transfer::{Moved, Page, Part, Place, Source, Table, Target, TransferError, note};
use crate::{StoreError, StoreErrorKind, fault};

const OPERATION: &str = "open the database";

/// A page of a large table may take its time, and so may whoever takes its rows.
const PATIENT: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
/// Whoever moves everything rather waits. Beyond this the server is lost.
const LONGEST_ANSWER: Duration = Duration::from_secs(600);
/// Rows are to come in the order of an index, as they are read, and not to be sorted first.
const IN_ORDER: &str = "SET LOCAL enable_sort = off";

/// A database.
pub(crate) struct SharedDatabase<'run> {
    client: &'run mut Client,
    layout: Layout,
}

impl<'run> SharedDatabase<'run> {
    /// One from which everything is moved.
    pub(crate) fn source(client: &'run mut Client, start: &Start) -> Moved<Self> {
        if !schema::are_there(client)? {
            return Err(TransferError::Nothing);
        }
        let database = Self::target(client, start)?;
        match schema::is_unfinished(database.client)? {
            true => Err(StoreError::new(StoreErrorKind::Unfinished, OPERATION).into()),
            false => Ok(database),
        }
    }

    /// One to which everything is moved.
    pub(crate) fn target(client: &'run mut Client, start: &Start) -> Moved<Self> {
        // What a newer version has in its tables, this one would leave behind.
        match schema::open_whole(client, start)? {
            true => Ok(Self { layout: Layout::of(client)?, client }),
            false => Err(StoreError::new(StoreErrorKind::NewerFormat, OPERATION).into()),
        }
    }

    fn name_of(&self, part: Part) -> Option<StoreName> {
        match part {
            Part::Catalog => None,
            Part::Store(id) => Some(StoreName::new(id, self.layout)),
        }
    }

    fn transact(&mut self, begin: &str, work: impl FnOnce(&mut Client) -> Moved<()>) -> Moved<()> {
        self.client.be_patient(LONGEST_ANSWER);
        transaction::run(self.client, &format!("{begin}; {PATIENT}"), |client| {
            work(client)?;
            fault::point("transfer.page.before");
            Moved::Ok(())
        })?;
        fault::point("transfer.page.after");
        Ok(())
    }
}

impl Source for SharedDatabase<'_> {
    fn stores(&mut self) -> Moved<Vec<StoreId>> {
        Ok(stores(self.client)?)
    }

    fn read(&mut self, part: Part, work: &mut dyn FnMut(&dyn Session) -> Moved<()>) -> Moved<()> {
        let begin = format!("BEGIN READ ONLY; {PATIENT}; {PLANS}; {IN_ORDER}");
        self.client.be_patient(LONGEST_ANSWER);
        self.client.batch_execute(&begin)?;
        let store = self.name_of(part);
        let done = work(&Reading { client: RefCell::new(self.client), store: store.as_ref() });
        let ended = self.client.batch_execute("ROLLBACK");
        done.and(ended.map_err(TransferError::from))
    }

    fn refuse_if_in_use(&mut self) -> Moved<()> {
        let mut node = None;
        self.read(Part::Catalog, &mut |db| {
            node = db.row_if_any(
                "SELECT name FROM nodes
                 WHERE lease_until > CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)
                 ORDER BY lease_until DESC LIMIT 1",
                params![],
                |columns| columns.plain(),
            )?;
            Ok(())
        })?;
        node.map_or(Ok(()), |node| Err(TransferError::InUse { node }))
    }
}

impl Target for SharedDatabase<'_> {
    fn make(&mut self, store: StoreId) -> Moved<()> {
        // Its seed comes with the other rows.
        Ok(make(self.client, &StoreName::new(store, self.layout), [0; 8]).map(drop)?)
    }

    fn write(&mut self, part: Part, work: &mut dyn FnMut(&dyn Session) -> Moved<()>) -> Moved<()> {
        let store = self.name_of(part);
        self.transact("BEGIN", |client| {
            work(&Reading { client: RefCell::new(client), store: store.as_ref() })
        })
    }

    fn put(&mut self, part: Part, table: &Table, page: &Page, place: &Place) -> Moved<()> {
        let store = self.name_of(part);
        self.transact("BEGIN", |client| {
            if table.is_single_row() {
                let reading = Reading { client: RefCell::new(client), store: store.as_ref() };
                update(&reading, table, page)?;
            } else {
                copy(client, store.as_ref(), table, page)?;
            }
            note(&Reading { client: RefCell::new(client), store: None }, part, table, place)
        })
    }
}

fn update(db: &dyn Session, table: &Table, page: &Page) -> Moved<()> {
    for row in page.rows() {
        let params: Vec<_> = row.iter().map(|value| value as &dyn Bind).collect();
        db.execute(&table.update(), &params)?;
    }
    Ok(())
}

fn copy(client: &mut Client, store: Option<&StoreName>, table: &Table, page: &Page) -> Moved<()> {
    let mut columns = table.columns(Dialect::Postgres);
    let name = store.map_or_else(|| table.name.to_owned(), |store| store.table(table.name));
    if store.is_some() {
        columns.insert(0, "store");
    }
    let sql = format!("COPY {name} ({}) FROM STDIN (FORMAT binary)", columns.join(", "));
    let width = i16::try_from(columns.len()).map_err(SqlError::value)?;
    let mut copy = Copy::begin(client, &sql, store.map(|store| store.id))?;
    for row in page.rows() {
        copy.row(width)?;
        for value in &row {
            match value {
                Bound::Null => copy.null(),
                Bound::Integer(number) => copy.integer(*number)?,
                Bound::Text(value) => copy.bytes(text::escaped(value).as_bytes())?,
                Bound::Blob(bytes) => copy.bytes(bytes)?,
            };
        }
    }
    Ok(copy.finish()?)
}

/// A transaction that shows rows as they come, so that a table may be larger than the memory.
struct Reading<'tx> {
    client: RefCell<&'tx mut Client>,
    store: Option<&'tx StoreName>,
}

impl Reading<'_> {
    /// The statement and its parameters in PostgreSQL's way.
    fn complete<'p>(&'p self, sql: &str, bound: &'p [Bound<'p>]) -> (String, Vec<session::Typed<'p>>) {
        let params = session::typed(bound);
        match self.store {
            Some(store) => store.complete(sql, params),
            None => (session::numbered(sql), params),
        }
    }
}

impl Session for Reading<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&self, sql: &str, params: &[&dyn Bind]) -> SqlResult<usize> {
        let bound = session::bound(params)?;
        let (sql, params) = self.complete(sql, &bound);
        session::execute(&mut self.client.borrow_mut(), &sql, &params)
    }

    fn each(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()> {
        let bound = session::bound(params)?;
        let (sql, params) = self.complete(sql, &bound);
        self.client.borrow_mut().each_typed(&sql, params, &mut |row| show(&mut Columns::of(row)))
    }
}
