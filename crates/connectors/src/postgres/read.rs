//! Reading the streams: each table from its beginning to its end, or from its cursor on.

use std::time::Duration;

use inlet_model::{HashSeed, RecordHash, Scope};
use inlet_source::{ErrorKind, Message, Outlet, ReadRequest, SourceError, StreamRequest};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::advance;
use super::client::{Client, Next};
use super::config::Settings;
use super::convert::RowWriter;
use super::cursor::{self, Bound, Cursor, Plan, Position, Wish};
use super::tables::{self, Table, Wanted};
use crate::filling::Filling;
use crate::trouble::Trouble;

/// The longest transaction of a listing, unless it must be of one moment.
const LONGEST: Duration = Duration::from_secs(300);
/// The first pause after a connection was lost; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// How often in a row reading begins again behind the last place after the connection was lost.
const MOST_TRIES: u32 = 5;

/// Reads the streams of `request`.
pub(super) async fn read(
    settings: &Settings,
    request: &ReadRequest,
    out: &Outlet,
) -> Result<(), SourceError> {
    let mut session = Session { settings, request, out, client: None, is_snapshot_lost: false };
    let mut prepared = Vec::new();
    if settings.consistent_snapshot {
        // What is known of the cursor fields must be older than the moment that is read.
        for stream in &request.streams {
            prepared.push(session.prepare(stream).await);
        }
        session.client().await?.begin().await?;
    } else {
        session.client().await?;
    }
    let mut prepared = prepared.into_iter();
    for stream in &request.streams {
        let read = match prepared.next() {
            Some(prepared) => session.read_prepared(stream, prepared).await,
            None => session.read_stream(stream).await,
        };
        let end = match read {
            Ok(()) => Message::StreamEnd { stream: stream.name.clone() },
            Err(Trouble::Failed(error)) => {
                // The connection may be in any state.
                (session.client, session.is_snapshot_lost) = (None, settings.consistent_snapshot);
                Message::StreamFailed { stream: stream.name.clone(), error }
            }
            Err(Trouble::Closed) => return Ok(()),
        };
        if out.send(end).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// One read of the source.
struct Session<'a> {
    settings: &'a Settings,
    request: &'a ReadRequest,
    out: &'a Outlet,
    client: Option<Client>,
    /// Whether the moment that everything was to be read of can be seen no more.
    is_snapshot_lost: bool,
}

/// What is known of a stream before it is read.
struct Prepared {
    table: Table,
    /// What was found at the cursor field; `None` if there is none that can be gone by.
    bound: Option<Bound>,
}

impl Session<'_> {
    /// The connection, made if there is none.
    async fn client(&mut self) -> Result<&mut Client, SourceError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.settings).await?,
        };
        Ok(self.client.insert(client))
    }

    async fn prepare(&mut self, stream: &StreamRequest) -> Result<Prepared, Trouble> {
        let (settings, out) = (self.settings, self.out);
        let client = self.client().await?;
        let mut found = tables::find(client, &Wanted::Stream(stream.name.as_str())).await?;
        let table = found.pop().ok_or_else(|| no_table(stream))?;
        let Some(field) = &stream.cursor_field else { return Ok(Prepared { table, bound: None }) };
        let column = table.column(field).ok_or_else(|| table.no_column(field))?;
        if settings.cursor_lag.is_none() && advance::is_standby(client).await? {
            let text = advance::on_a_standby(&table);
            out.send(Message::Warning { text }).await?;
            return Ok(Prepared { table, bound: None });
        }
        let bound = advance::bound(client, &table, column).await?;
        Ok(Prepared { table, bound: Some(bound) })
    }

    async fn read_stream(&mut self, stream: &StreamRequest) -> Result<(), Trouble> {
        let prepared = self.prepare(stream).await;
        self.read_prepared(stream, prepared).await
    }

    async fn read_prepared(
        &mut self,
        stream: &StreamRequest,
        prepared: Result<Prepared, Trouble>,
    ) -> Result<(), Trouble> {
        let Prepared { table, bound } = prepared?;
        if self.is_snapshot_lost {
            return Err(snapshot_lost().into());
        }
        let (settings, request, out) = (self.settings, self.request, self.out);
        let digest = digest(&table, stream);
        let wish = Wish {
            mode: stream.mode,
            generation: request.generation,
            table: &digest,
            has_cursor_field: bound.is_some(),
            is_of_one_moment: settings.consistent_snapshot,
            detects_deletes: settings.detect_deletes,
        };
        let plan = cursor::plan(stream.scopes.get(&Scope::whole()), wish);
        let writer = RowWriter::new(&table, stream, request.max_record_bytes)?;
        let filling = Filling::new(&stream.name, request);
        // A text may be written twice as long, or in hexadecimal.
        let largest = request.max_record_bytes.saturating_mul(2).saturating_add(64 << 10);
        let client = self.client().await?;
        let mut reading = Reading { settings, request, stream, out, client, table, writer, filling, largest };
        match plan {
            Plan::List => reading.list(Cursor::new(digest), bound.unwrap_or_default(), None).await,
            Plan::Resume(cursor, after) => reading.list(cursor, Bound::default(), Some(after)).await,
            Plan::Advance(from, compares_keys) => {
                reading.advance(from, bound.unwrap_or_default(), compares_keys).await
            }
        }
    }
}

/// One stream that is being read.
pub(super) struct Reading<'a> {
    pub(super) settings: &'a Settings,
    pub(super) stream: &'a StreamRequest,
    pub(super) out: &'a Outlet,
    pub(super) table: Table,
    request: &'a ReadRequest,
    client: &'a mut Client,
    writer: RowWriter,
    filling: Filling,
    /// The largest row that is looked at, as it is sent.
    largest: usize,
}

/// Which rows are read, and how.
pub(super) struct Scan<'a> {
    /// What holds for them.
    pub(super) filter: &'a str,
    /// Whether they come in the table's order, so that reading can go on behind the last one.
    pub(super) in_order: bool,
    /// What is stored behind a batch that ends at a place.
    pub(super) checkpoint: &'a (dyn Fn(Option<&[String]>) -> Option<Value> + Send + Sync),
}

/// How far the rows that have come were taken.
#[derive(Debug, Clone, Copy)]
enum Taken {
    /// All; more may come.
    All,
    /// Until the batch was full.
    Full,
    /// There are no more.
    End,
}

impl Reading<'_> {
    /// Lists the table, or goes on behind a place with the open listing, whose end will leave this cursor.
    async fn list(
        &mut self,
        cursor: Cursor,
        bound: Bound,
        after: Option<Vec<String>>,
    ) -> Result<(), Trouble> {
        let cursor = cursor.advanced(bound);
        let mut is_one_moment = after.is_none();
        if after.is_none() {
            self.out
                .send(Message::Listing { stream: self.stream.name.clone(), scope: Scope::whole() })
                .await?;
        }
        let in_order = !self.table.order.is_empty();
        let checkpoint = |place: Option<&[String]>| {
            let after = place.filter(|_| in_order)?;
            Some(cursor::to_value(&Position { cursor: cursor.clone(), after: Some(after.to_vec()) }))
        };
        let scan = Scan { filter: "TRUE", in_order, checkpoint: &checkpoint };
        let mut place = after;
        let mut tries = 0;
        loop {
            let before = place.clone();
            let error = match self.list_behind(&scan, &mut place).await {
                Ok(true) => break,
                Ok(false) => None,
                Err(Trouble::Failed(error)) if in_order && self.can_go_on(&error) => Some(error),
                Err(trouble) => return Err(trouble),
            };
            is_one_moment = false;
            tries = if place == before { tries + 1 } else { 1 };
            self.reconnect(error, tries).await?;
        }
        self.send(None).await?;
        self.complete(Some(cursor::to_value(&cursor)), is_one_moment).await
    }

    /// Lists the table behind a place, in one transaction that does not last too long. Whether that was all.
    async fn list_behind(
        &mut self,
        scan: &Scan<'_>,
        place: &mut Option<Vec<String>>,
    ) -> Result<bool, Trouble> {
        self.begin().await?;
        let (_, is_all) = self.scan(scan, place).await?;
        if is_all {
            self.commit().await?;
        }
        Ok(is_all)
    }

    /// Whether reading can go on over a new connection: it need not be of one moment, and the fault may pass.
    pub(super) fn can_go_on(&self, error: &SourceError) -> bool {
        !self.settings.consistent_snapshot && error.kind().is_temporary()
    }

    /// Makes a new connection; after an error only now and then, and not for ever.
    pub(super) async fn reconnect(
        &mut self,
        mut error: Option<SourceError>,
        tries: u32,
    ) -> Result<(), Trouble> {
        self.filling.take(self.request);
        self.client.hang_up();
        for tries in tries.. {
            if let Some(error) = error {
                if tries > MOST_TRIES {
                    return Err(error.into());
                }
                tokio::time::sleep(PAUSE * 2_u32.pow(tries - 1)).await;
            }
            match Client::connect(self.settings).await {
                Ok(client) => {
                    *self.client = client;
                    break;
                }
                Err(failed) if failed.kind().is_temporary() => error = Some(failed),
                Err(failed) => return Err(failed.into()),
            }
        }
        Ok(())
    }

    pub(super) async fn complete(&mut self, cursor: Option<Value>, certified: bool) -> Result<(), Trouble> {
        let (stream, scope) = (self.stream.name.clone(), Scope::whole());
        Ok(self.out.send(Message::Complete { stream, scope, cursor, certified }).await?)
    }

    /// Begins to look at one moment of the database, unless that has begun for all streams.
    pub(super) async fn begin(&mut self) -> Result<(), SourceError> {
        if self.settings.consistent_snapshot { Ok(()) } else { self.client.begin().await }
    }

    /// Ends what [`begin`](Self::begin) began.
    pub(super) async fn commit(&mut self) -> Result<(), SourceError> {
        if self.settings.consistent_snapshot { Ok(()) } else { self.client.commit().await }
    }

    /// Sends the rows of `scan` that lie behind `place`, which moves with each batch, but for the last batch. Gives how many
    /// rows there were, and whether these were all: reading in order ends when it has lasted too long.
    pub(super) async fn scan(
        &mut self,
        scan: &Scan<'_>,
        place: &mut Option<Vec<String>>,
    ) -> Result<(u64, bool), Trouble> {
        let may_end = Instant::now() + self.longest();
        let sql = self.select(scan, place.as_deref());
        self.client.copy(&sql).await?;
        let (mut rows, mut reached) = (0, None);
        loop {
            let taken = self.take_arrived(scan, &mut rows, &mut reached)?;
            // Without a place nothing can be stored behind the batch, so that more is waited for.
            let may_send = reached.is_some() || !scan.in_order;
            let is_due = match taken {
                Taken::End => return Ok((rows, true)),
                Taken::All => !self.wait(may_send).await?,
                Taken::Full => true,
            };
            if is_due {
                self.send((scan.checkpoint)(reached.as_deref())).await?;
                if reached.is_some() {
                    place.clone_from(&reached);
                }
            }
            if is_due && may_send && scan.in_order && Instant::now() >= may_end {
                return Ok((rows, false));
            }
        }
    }

    /// How long a transaction may last.
    fn longest(&self) -> Duration {
        if self.settings.consistent_snapshot {
            return Duration::MAX / 4;
        }
        self.settings.statement_timeout.map_or(LONGEST, |timeout| LONGEST.min(timeout / 2))
    }

    /// Takes the rows that have come, until the batch is full, and notes the place of the last one.
    fn take_arrived(
        &mut self,
        scan: &Scan<'_>,
        rows: &mut u64,
        reached: &mut Option<Vec<String>>,
    ) -> Result<Taken, SourceError> {
        let Self { client, writer, filling, request, largest, .. } = self;
        let before = *rows;
        let taken = loop {
            match client.arrived(*largest)? {
                None => break Taken::All,
                Some(Next::End) => return Ok(Taken::End),
                Some(Next::Large(start)) => writer.refuse_large(&start, &mut filling.batch),
                Some(Next::Row) => writer.write(client.row().unwrap_or_default(), &mut filling.batch)?,
            }
            *rows += 1;
            let is_row = client.row().is_some();
            if filling.is_full(request) && (is_row || !scan.in_order) {
                break Taken::Full;
            }
        };
        if scan.in_order && *rows > before {
            // Of a row that was too large the place is not known.
            *reached = client.row().and_then(|row| writer.place(row));
        }
        Ok(taken)
    }

    /// Waits for more rows. Whether they came before the batch had to go.
    async fn wait(&mut self, may_send: bool) -> Result<bool, SourceError> {
        match self.filling.due(self.request).filter(|_| may_send) {
            None => self.client.more().await.map(|()| true),
            Some(due) => match tokio::time::timeout_at(due.into(), self.client.more()).await {
                Ok(more) => more.map(|()| true),
                Err(_) => Ok(false),
            },
        }
    }

    fn select(&self, scan: &Scan<'_>, after: Option<&[String]>) -> String {
        let (columns, from) = (self.writer.selected(), self.table.from());
        let mut sql = format!("SELECT {columns} FROM {from} WHERE ({})", scan.filter);
        if scan.in_order {
            if let Some(after) = after {
                sql += &format!(" AND {}", self.table.behind(after));
            }
            sql += &format!(" ORDER BY {}", self.table.sequence());
        }
        sql
    }

    /// Sends the batch, if it holds anything, and what is stored behind it.
    pub(super) async fn send(&mut self, checkpoint: Option<Value>) -> Result<(), Trouble> {
        if self.filling.batch.is_empty() {
            return Ok(());
        }
        self.send_even_empty(checkpoint).await
    }

    /// Sends the batch, for what is stored behind it.
    pub(super) async fn send_even_empty(&mut self, checkpoint: Option<Value>) -> Result<(), Trouble> {
        let batch = self.filling.take(self.request);
        Ok(self.out.send(Message::Batch { batch, checkpoint }).await?)
    }
}

fn no_table(stream: &StreamRequest) -> SourceError {
    let message = format!("there is no table or view `{}` that may be read", stream.name);
    SourceError::new(ErrorKind::Config, "read table", message)
        .hint("a stream is named `schema.table`; nothing is deleted")
}

fn snapshot_lost() -> SourceError {
    let message = "another stream failed, and with it went the moment that all were to be read of";
    SourceError::new(ErrorKind::Changed, "read table", message).hint("the next sync reads them again")
}

/// A digest of what decides which records the rows of the table give.
fn digest(table: &Table, stream: &StreamRequest) -> String {
    /// Raised when the same rows come to give other records.
    const READER: u32 = 1;
    let columns = table.columns.iter().map(|column| (&column.name, &column.declared)).collect::<Vec<_>>();
    let all = json!([
        READER,
        table.oid,
        columns,
        table.key,
        table.order,
        stream.primary_key,
        stream.fields,
        stream.cursor_field
    ]);
    let digest = RecordHash::of(HashSeed(0), all.to_string().as_bytes());
    digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
