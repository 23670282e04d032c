//! One connection to a server: it asks questions by the simple query protocol, and takes rows as COPY sends them.
//!
//! <https://www.postgresql.org/docs/current/protocol-flow.html>. Everything is read through COPY, also what the catalogs say, so
//! that rows come in one way: the rows of tables in binary form, small answers as text. Why not a driver: `docs/decisions/20261125-own-postgres-reader.md`.

mod connect;
pub(super) mod connections;
pub(super) mod copy_binary;
mod copy_text;
pub(super) mod refusal;
pub(super) mod tls;
mod wire;

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use inlet_source::{ErrorKind, SourceError};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;

use self::copy_binary::{header, is_end};
use self::copy_text::split;
use self::refusal::Refusal;
use self::wire::{Arrived, Inbound};
use super::config::Settings;

/// What an answer about the catalogs may hold, in bytes.
const LARGEST_ANSWER: usize = 64 << 20;

/// What a connection is made of.
pub(super) trait Channel: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Channel for T {}

/// What comes next of a COPY.
#[derive(Debug)]
pub(super) enum Next {
    /// A row: see [`Client::row`].
    Row,
    /// A row of more bytes than allowed, and how it begins.
    Large(Vec<u8>),
    /// There are no more, and the server waits for the next question.
    End,
}

/// In which form rows are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    /// As numbers and bytes; a header comes in front of the first.
    Binary {
        has_begun: bool,
    },
}

/// A connection. Whoever gets an error from it lets it go.
pub(super) struct Client {
    channel: Box<dyn Channel>,
    inbound: Inbound,
    form: Form,
    /// The server's version, as in `server_version_num`.
    pub(super) version: u32,
    /// Whether the database keeps bytes of which it knows no characters.
    pub(super) keeps_any_bytes: bool,
    /// What the server has refused, until it is ready again.
    refused: Option<Refusal>,
    statement_timeout: Option<Duration>,
    /// How long the server may be silent.
    patience: Duration,
    /// The right to be one of so many; held, and given back with the connection.
    permit: Option<OwnedSemaphorePermit>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects and logs in.
    pub(super) async fn connect(settings: &Settings) -> Result<Self, SourceError> {
        connect::connect(settings).await
    }

    fn new(channel: Box<dyn Channel>, settings: &Settings, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            channel,
            inbound: Inbound::default(),
            form: Form::Text,
            version: 0,
            keeps_any_bytes: false,
            refused: None,
            statement_timeout: settings.statement_timeout,
            patience: settings.patience,
            permit,
        }
    }

    /// Lets the connection go, and the right to it.
    pub(super) fn hang_up(&mut self) {
        self.channel = Box::new(tokio::io::empty());
        self.permit = None;
    }

    /// Sends what `write` puts together.
    pub(super) async fn send(
        &mut self,
        write: impl FnOnce(&mut BytesMut) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut message = BytesMut::new();
        write(&mut message)?;
        self.channel.write_all(&message).await?;
        self.channel.flush().await
    }

    /// Takes the next message that is no row.
    pub(super) async fn message(&mut self) -> io::Result<Message> {
        loop {
            match self.inbound.next(0)? {
                Some(Arrived::Other(message)) => return Ok(message),
                Some(_) => return Err(unexpected()),
                None => self.fill().await?,
            }
        }
    }

    /// Waits for more to come.
    async fn fill(&mut self) -> io::Result<()> {
        let Self { channel, inbound, patience, .. } = self;
        let reading = channel.read_buf(inbound.make_room());
        match tokio::time::timeout(*patience, reading).await {
            Ok(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => read.map(|_| ()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Begins a transaction that sees one moment of the database, and in which values are written as `docs/values.md` says.
    pub(super) async fn begin(&mut self) -> Result<(), SourceError> {
        let timeout = self.statement_timeout.map_or_else(String::new, |limit| {
            // The server counts milliseconds in 31 bits.
            format!("SET LOCAL statement_timeout TO {}; ", limit.as_millis().min(i32::MAX as u128))
        });
        // Such bytes are looked at row by row here, where the server would refuse all of them for one.
        let encoding = if self.keeps_any_bytes { "SET LOCAL client_encoding TO 'SQL_ASCII'; " } else { "" };
        let sql = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {timeout}{encoding}SET LOCAL DateStyle TO 'ISO, YMD'; \
             SET LOCAL TimeZone TO 'UTC'; SET LOCAL IntervalStyle TO 'postgres'; SET LOCAL bytea_output TO 'hex'; \
             SET LOCAL extra_float_digits TO 1; SET LOCAL lock_timeout TO '60s'"
        );
        self.execute(&sql).await
    }

    /// Ends the transaction.
    pub(super) async fn commit(&mut self) -> Result<(), SourceError> {
        self.execute("COMMIT").await
    }

    /// Carries out what gives no rows.
    async fn execute(&mut self, sql: &str) -> Result<(), SourceError> {
        self.ask(sql).await?;
        match self.next(0).await? {
            Next::End => Ok(()),
            _ => Err(lost(unexpected())),
        }
    }

    /// The rows that a query gives, field by field. For what the catalogs say, and other small answers.
    pub(super) async fn rows(&mut self, query: &str) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        self.form = Form::Text;
        self.ask(&format!("COPY ({query}) TO STDOUT")).await?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        loop {
            match self.next(LARGEST_ANSWER).await? {
                Next::Row => {}
                Next::End => return Ok(rows),
                Next::Large(_) => return Err(too_much()),
            }
            let row = self.row().unwrap_or_default();
            let row = row.strip_suffix(b"\n").unwrap_or(row);
            bytes += row.len();
            if bytes > LARGEST_ANSWER {
                return Err(too_much());
            }
            let fields = split(row).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error));
            rows.push(fields.map_err(lost)?);
        }
    }

    /// Asks for the rows of a query, in binary form.
    pub(super) async fn copy(&mut self, query: &str) -> Result<(), SourceError> {
        self.form = Form::Binary { has_begun: false };
        self.ask(&format!("COPY ({query}) TO STDOUT (FORMAT binary)")).await
    }

    async fn ask(&mut self, sql: &str) -> Result<(), SourceError> {
        self.send(|out| frontend::query(sql, out)).await.map_err(lost)
    }

    /// Waits for what comes next. Rows of more than `largest` bytes are passed over.
    pub(super) async fn next(&mut self, largest: usize) -> Result<Next, SourceError> {
        loop {
            if let Some(next) = self.arrived(largest)? {
                return Ok(next);
            }
            self.more().await?;
        }
    }

    /// What has come already.
    pub(super) fn arrived(&mut self, largest: usize) -> Result<Option<Next>, SourceError> {
        loop {
            let message = match self.inbound.next(largest).map_err(lost)? {
                None => return Ok(None),
                Some(Arrived::Row) if self.is_row().map_err(lost)? => return Ok(Some(Next::Row)),
                Some(Arrived::Row) => continue,
                Some(Arrived::Large { start }) => return self.large(start).map_err(lost),
                Some(Arrived::Other(message)) => message,
            };
            match message {
                Message::ReadyForQuery(_) => return self.ready().map(Some),
                Message::ErrorResponse(body) => {
                    self.refused.get_or_insert_with(|| Refusal::read(body.fields()));
                }
                Message::CopyOutResponse(_)
                | Message::CopyDone
                | Message::CommandComplete(_)
                | Message::NoticeResponse(_)
                | Message::NotificationResponse(_)
                | Message::ParameterStatus(_) => {}
                _ => return Err(lost(unexpected())),
            }
        }
    }

    /// Whether what came is a row, and not what stands behind the last.
    #[inline]
    fn is_row(&mut self) -> io::Result<bool> {
        let Form::Binary { has_begun } = &mut self.form else { return Ok(true) };
        if !std::mem::replace(has_begun, true) {
            let header = header(self.inbound.row().unwrap_or_default())?;
            self.inbound.trim(header);
        }
        let is_end = self.inbound.row().is_some_and(is_end);
        if is_end {
            self.inbound.is_no_row();
        }
        Ok(!is_end)
    }

    fn large(&mut self, mut start: Vec<u8>) -> io::Result<Option<Next>> {
        if let Form::Binary { has_begun } = &mut self.form
            && !std::mem::replace(has_begun, true)
        {
            start.drain(..header(&start)?);
        }
        Ok(Some(Next::Large(start)))
    }

    fn ready(&mut self) -> Result<Next, SourceError> {
        self.refused.take().map_or(Ok(Next::End), |refusal| Err(refusal.into_error("read table")))
    }

    /// Waits for more to come.
    pub(super) async fn more(&mut self) -> Result<(), SourceError> {
        let filled = self.fill().await;
        filled.map_err(|error| match self.refused.take() {
            // What the server said before it hung up says more.
            Some(refusal) => refusal.into_error("read table"),
            None => lost(error),
        })
    }

    /// The row that came last, in the form that was asked for; `None` if what came last was no row.
    pub(super) fn row(&self) -> Option<&[u8]> {
        self.inbound.row()
    }
}

fn unexpected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the server sent what does not belong here")
}

fn too_much() -> SourceError {
    SourceError::new(ErrorKind::Limit, "read catalogs", "the catalogs say more than 64 MiB")
        .hint("choose `schemas`")
}

/// Why a connection that stood is of no use any more.
pub(super) fn lost(error: io::Error) -> SourceError {
    let (kind, message) = match error.kind() {
        io::ErrorKind::TimedOut => (ErrorKind::TimedOut, "the server has sent nothing for too long"),
        io::ErrorKind::UnexpectedEof => (ErrorKind::Unavailable, "the server has closed the connection"),
        io::ErrorKind::InvalidData => {
            (ErrorKind::Format, "what answers does not speak PostgreSQL's protocol")
        }
        _ => (ErrorKind::Unavailable, "the connection was lost"),
    };
    SourceError::new(kind, "read table", message).because(error)
}
