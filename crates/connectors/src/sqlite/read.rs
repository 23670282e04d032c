//! Reading the streams: each table from its beginning to its end, or from its cursor on.

use std::sync::Arc;

use inlet_model::{HashSeed, RecordHash, Scope, fault};
use inlet_source::{Closed, ErrorKind, Message, Outlet, ReadRequest, SourceError, StreamRequest, too_large};
use rusqlite::{ErrorCode, Row, ffi, params_from_iter};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::advance;
use super::config::Settings;
use super::convert::{RowWriter, no_column};
use super::cursor::{self, Cursor, Plan, Position, Stored};
use super::database::{Database, Watch};
use super::tables::{Order, Table, quoted};
use crate::blocking::{ThreadOutlet, on_thread};
use crate::filling::Filling;
use crate::trouble::Trouble;

/// Reads the streams of `request`.
pub(super) async fn read(
    settings: Arc<Settings>,
    request: ReadRequest,
    out: Outlet,
) -> Result<(), SourceError> {
    let runtime = Handle::current();
    on_thread("read database", move |stop| {
        let out = ThreadOutlet::new(out, runtime, stop);
        match read_all(&settings, &request, out) {
            // That nobody listens any more is the one thing nobody need be told.
            Ok(()) | Err(Trouble::Closed) => Ok(()),
            Err(Trouble::Failed(error)) => Err(error),
        }
    })
    .await?
}

fn read_all(settings: &Settings, request: &ReadRequest, mut out: ThreadOutlet) -> Result<(), Trouble> {
    let watch = Watch::new(out.watch());
    let database = Database::open(settings, request.max_record_bytes, watch)?;
    if database.may_be_held() {
        // One snapshot for all streams.
        database.begin()?;
    }
    for stream in &request.streams {
        let end = match read_stream(&database, request, stream, &mut out) {
            Ok(()) => Message::StreamEnd { stream: stream.name.clone() },
            Err(Trouble::Failed(error)) => {
                // What goes wrong with a file that was just replaced says nothing about either of the two.
                let error = match database.unless_changed() {
                    Err(Trouble::Failed(changed)) => changed.because(error),
                    _ => error,
                };
                Message::StreamFailed { stream: stream.name.clone(), error }
            }
            Err(Trouble::Closed) => return Err(Trouble::Closed),
        };
        if !database.may_be_held() {
            database.end()?;
        }
        out.send(end)?;
    }
    Ok(())
}

fn read_stream(
    database: &Database,
    request: &ReadRequest,
    stream: &StreamRequest,
    out: &mut ThreadOutlet,
) -> Result<(), Trouble> {
    database.enter()?;
    let found = database.ask(|connection| Table::find(connection, stream.name.as_str()))?;
    let schema = database.number("schema_version")?;
    database.leave()?;
    let table = found.ok_or_else(|| {
        let message = format!("there is no table or view `{}`", stream.name);
        SourceError::new(ErrorKind::Config, "read database", message)
            .hint("virtual tables and SQLite's own are not read; nothing is deleted")
    })?;
    if let Some(field) = stream.cursor_field.as_ref().filter(|field| table.column(field).is_none()) {
        return Err(no_column(&table, field).into());
    }
    let writer = RowWriter::new(&table, stream, request.max_record_bytes)?;
    let now = Cursor { files: database.files.clone(), table: digest(&table, stream), through: None };
    let has_cursor = stream.cursor_field.is_some();
    let state = stream.scopes.get(&Scope::whole());
    let plan = cursor::plan(state, stream.mode, request.generation, &now, schema, has_cursor);
    let version = None;
    let filling = Filling::new(&stream.name, request);
    let mut reading = Reading {
        database,
        request,
        stream,
        table,
        writer,
        schema,
        now,
        out,
        filling,
        version,
        is_one_snapshot: true,
    };
    match plan {
        Plan::Skip => {
            let unchanged = Message::Unchanged { stream: stream.name.clone(), scope: Scope::whole() };
            Ok(reading.out.send(unchanged)?)
        }
        Plan::List => reading.list(None),
        Plan::Resume(position) => reading.list(Some(position)),
        Plan::Advance(from) => advance::read(&mut reading, from),
    }
}

/// One stream that is being read.
pub(super) struct Reading<'a> {
    pub(super) database: &'a Database,
    pub(super) table: Table,
    pub(super) stream: &'a StreamRequest,
    /// The scope's cursor if the table is read to its end now.
    pub(super) now: Cursor,
    request: &'a ReadRequest,
    writer: RowWriter,
    /// SQLite's number of the schema that `table` is of.
    schema: i64,
    out: &'a mut ThreadOutlet,
    filling: Filling,
    /// SQLite's number of the database's content at the first look.
    version: Option<i64>,
    /// Whether all that was read is of one moment.
    is_one_snapshot: bool,
}

/// Which rows are read, and how.
pub(super) struct Scan<'a> {
    /// What holds for them.
    pub(super) filter: &'a str,
    /// `None`: in no order, all in one go.
    pub(super) order: Option<&'a Order>,
    /// Only those behind this place.
    pub(super) after: Option<Vec<Stored>>,
}

impl Reading<'_> {
    /// Lists the table, or goes on with the open listing.
    fn list(&mut self, from: Option<Position>) -> Result<(), Trouble> {
        self.is_one_snapshot = from.is_none();
        let (after, cursor) = match from {
            Some(position) => (Some(position.after), position.cursor),
            None => (None, self.begin_listing()?),
        };
        let order = self.table.order.clone();
        let schema = self.schema;
        let position = |after: &[Stored]| {
            let is_small = after.iter().all(Stored::is_small);
            is_small.then(|| {
                cursor::to_value(&Position { cursor: cursor.clone(), schema, after: after.to_vec() })
            })
        };
        let filter = match &order {
            Some(order) if self.table.is_order_nullable => format!("NOT {}", order.is_null()),
            _ => "TRUE".to_owned(),
        };
        self.scan(Scan { filter: &filter, order: order.as_ref(), after }, &position)?;
        self.send(None)?;
        let complete = Message::Complete {
            stream: self.stream.name.clone(),
            scope: Scope::whole(),
            cursor: Some(cursor::to_value(&cursor)),
            certified: self.is_one_snapshot,
        };
        Ok(self.out.send(complete)?)
    }

    /// Begins a new listing with the rows that have no place in the order. Gives the cursor for when it is complete.
    fn begin_listing(&mut self) -> Result<Cursor, Trouble> {
        let through = match self.stream.cursor_field.clone() {
            Some(field) => advance::bound(self, &field)?.through,
            None => None,
        };
        self.out.send(Message::Listing { stream: self.stream.name.clone(), scope: Scope::whole() })?;
        if let Some(order) = self.table.order.clone().filter(|_| self.table.is_order_nullable) {
            let rowid = self.table.rowid.as_deref().map(Order::by);
            self.scan(Scan { filter: &order.is_null(), order: rowid.as_ref(), after: None }, &|_| None)?;
        }
        Ok(Cursor { through, ..self.now.clone() })
    }

    /// Looks at the database, as it is in the transaction that is open or begins now.
    pub(super) fn enter(&mut self) -> Result<(), Trouble> {
        self.database.enter()?;
        if self.database.number("schema_version")? != self.schema {
            let message = "the tables were changed, or put in order by `VACUUM`, while they were read";
            let error = SourceError::new(ErrorKind::Changed, "read database", message);
            return Err(error.hint("the next sync reads the table again").into());
        }
        let version = self.database.number("data_version")?;
        self.is_one_snapshot &= *self.version.get_or_insert(version) == version;
        Ok(())
    }

    /// Sends the rows of `scan`, batch by batch, but for the last batch; `checkpoint` gives what is stored behind a batch that
    /// ends at a place. Gives how many rows there were.
    pub(super) fn scan(
        &mut self,
        mut scan: Scan<'_>,
        checkpoint: &dyn Fn(&[Stored]) -> Option<Value>,
    ) -> Result<u64, Trouble> {
        let mut rows = 0;
        loop {
            self.enter()?;
            let (read, reached) = self.page(&scan)?;
            self.database.leave()?;
            rows += read;
            let Some(place) = reached else { return Ok(rows) };
            self.send(checkpoint(&place))?;
            scan.after = Some(place);
        }
    }

    /// Reads rows until a batch is full. Gives how many, and the place of the last unless there are no more.
    fn page(&mut self, scan: &Scan<'_>) -> Result<(u64, Option<Vec<Stored>>), Trouble> {
        let database = self.database;
        if fault::fails("source.read") {
            return Err(
                database.trouble(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), None))
            );
        }
        let sql = select(&self.writer.selected(), &self.table, scan, "");
        let mut statement = database.prepare(&sql)?;
        let after = params_from_iter(scan.after.iter().flatten());
        let mut rows = statement.query(after).map_err(|error| database.trouble(error))?;
        let mut read = 0;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok((read, None)),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::TooBig) => {
                    drop(rows);
                    let place = self.pass_large(scan, read, error)?;
                    return Ok((read + 1, Some(place)));
                }
                Err(error) => return Err(database.trouble(error)),
            };
            read += 1;
            if !self.take(row)? {
                continue;
            }
            let Some(order) = scan.order else {
                self.send(None)?;
                continue;
            };
            let place = self.writer.place(row, order).map_err(|error| database.trouble(error))?;
            return Ok((read, Some(place.ok_or_else(no_place)?)));
        }
    }

    /// Refuses the row behind the first `read` of `scan`, which SQLite has refused to read whole. Gives its place.
    fn pass_large(
        &mut self,
        scan: &Scan<'_>,
        read: u64,
        error: rusqlite::Error,
    ) -> Result<Vec<Stored>, Trouble> {
        let Some(order) = scan.order else { return Err(self.database.trouble(error)) };
        let sql = select(&order.columns(), &self.table, scan, &format!("LIMIT 1 OFFSET {read}"));
        let place = self.database.ask(|connection| {
            connection.prepare(&sql)?.query_row(params_from_iter(scan.after.iter().flatten()), |row| {
                (0..order.len()).map(|index| Ok(Stored::new(row.get_ref(index)?))).collect()
            })
        })?;
        let place: Vec<Stored> = Option::ok_or_else(place, no_place)?;
        self.refuse_large(&place);
        Ok(place)
    }

    /// Refuses a row of which only the place is known.
    pub(super) fn refuse_large(&mut self, place: &[Stored]) {
        let position = match place {
            [Stored::Integer(number)] => u64::try_from(*number).unwrap_or_default(),
            _ => 0,
        };
        let sample = cursor::to_value(&place).to_string();
        let refusal = too_large(self.request.max_record_bytes, position, sample.as_bytes());
        self.filling.batch.reject(refusal);
    }

    /// Puts a row into the batch. Whether that is to be sent now.
    pub(super) fn take(&mut self, row: &Row<'_>) -> Result<bool, Trouble> {
        self.database.moves_on();
        self.writer.write(row, &mut self.filling.batch)?;
        Ok(self.filling.is_full(self.request))
    }

    /// What a query must give for a row.
    pub(super) fn selected(&self) -> String {
        self.writer.selected()
    }

    /// Sends the batch, if it holds anything, and what is stored behind it.
    pub(super) fn send(&mut self, checkpoint: Option<Value>) -> Result<(), Trouble> {
        if self.filling.batch.is_empty() {
            return self.database.unless_changed();
        }
        self.send_even_empty(checkpoint)
    }

    /// Sends the batch, for what is stored behind it.
    pub(super) fn send_even_empty(&mut self, checkpoint: Option<Value>) -> Result<(), Trouble> {
        self.database.unless_changed()?;
        let batch = self.filling.take(self.request);
        Ok(self.out.send(Message::Batch { batch, checkpoint })?)
    }

    pub(super) fn warn(&mut self, text: String) -> Result<(), Closed> {
        self.out.send(Message::Warning { text })
    }
}

fn select(columns: &str, table: &Table, scan: &Scan<'_>, limit: &str) -> String {
    let (from, filter) = (quoted(&table.name), scan.filter);
    let Some(order) = scan.order else {
        return format!("SELECT {columns} FROM {from} WHERE {filter} {limit}");
    };
    let behind = if scan.after.is_some() { order.behind() } else { "TRUE".to_owned() };
    let sequence = order.sequence();
    format!("SELECT {columns} FROM {from} WHERE {behind} AND {filter} ORDER BY {sequence} {limit}")
}

pub(super) fn no_place() -> SourceError {
    SourceError::new(ErrorKind::Internal, "read database", "a row has no place in its table's order")
}

/// A digest of what decides which records the rows of the table give.
fn digest(table: &Table, stream: &StreamRequest) -> String {
    /// Raised when the same rows come to give other records.
    const READER: u32 = 1;
    let columns = table.columns.iter().map(|column| (&column.name, &column.declared)).collect::<Vec<_>>();
    let order = table.order.as_ref().map(Order::sequence);
    let all =
        json!([READER, columns, table.key, order, stream.primary_key, stream.fields, stream.cursor_field]);
    let digest = RecordHash::of(HashSeed(0), all.to_string().as_bytes());
    digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
