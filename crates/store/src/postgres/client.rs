//! A connection for a thread that may block, on which nothing takes longer than it may.
//!
//! The crate `postgres` would be the same without bounds: a server that is frozen, or a proxy whose server is gone, would hold a
//! thread for ever.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, TryStreamExt};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::{CopyInSink, Error, Row};

use super::address::{Address, CONNECT_TIMEOUT, Driver};
use super::error::{is_parting, kind};
use super::pool::outage::Outage;
use super::session::Typed;
use crate::sql::{SqlError, SqlResult};

/// A connection that is there answers a question that asks for nothing within this time.
const PING: Duration = Duration::from_secs(2);
/// For the first thing that is asked on it after it was lent. Less than others wait for a connection, so that they learn that the server is
/// lost, and not only that all connections are in use.
const FIRST_ANSWER: Duration = Duration::from_secs(4);
/// To say good-bye may take so long.
const GOODBYE: Duration = Duration::from_millis(500);

/// The server has not answered in time.
#[derive(Debug, thiserror::Error)]
#[error("the database has not answered within {} seconds", .0.as_secs())]
pub(super) struct Silent(pub(super) Duration);

/// A connection. Must be used and dropped on a thread that may block.
pub(crate) struct Client {
    /// `None` once it is to go.
    client: Option<tokio_postgres::Client>,
    line: Line,
}

/// What carries a connection's bytes.
struct Line {
    runtime: Runtime,
    driver: Driver,
    /// Whether it has ended, or nobody knows what is on it.
    is_broken: bool,
    /// How long an answer may take.
    patience: Duration,
    /// How long the next may take, if less.
    first: Option<Duration>,
    outage: Arc<Outage>,
}

impl Client {
    /// Opens a connection.
    pub(super) fn connect(address: &Address, outage: &Arc<Outage>) -> SqlResult<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(SqlError::unavailable)?;
        let (client, driver) = runtime.block_on(address.open(None))?;
        let (patience, outage) = (CONNECT_TIMEOUT, Arc::clone(outage));
        let line = Line { runtime, driver, is_broken: false, patience, first: None, outage };
        Ok(Self { client: Some(client), line })
    }

    /// Sets how long each answer may take: somewhat longer than the server lets a statement run.
    pub(super) fn be_patient(&mut self, patience: Duration) {
        (self.line.patience, self.line.first) = (patience, None);
    }

    /// The same, but for the next answer, which does not take the server long: a transaction begins.
    pub(super) fn be_patient_once_it_answers(&mut self, patience: Duration) {
        (self.line.patience, self.line.first) = (patience, Some(FIRST_ANSWER));
    }

    /// Whether it is of no use any more.
    pub(super) fn is_closed(&self) -> bool {
        self.line.is_broken || self.client.as_ref().is_none_or(tokio_postgres::Client::is_closed)
    }

    /// Whether it has not ended while nobody used it: sees what has come, and asks nothing.
    pub(super) fn is_there(&mut self) -> bool {
        !self.is_closed() && !self.line.has_ended()
    }

    /// The same, and the server answers.
    pub(super) fn answers(&mut self) -> bool {
        self.be_patient(PING);
        let Some(client) = &self.client else { return false };
        self.line.run_quietly(client.batch_execute("")).is_ok()
    }

    /// Runs statements without parameters.
    pub(super) fn batch_execute(&mut self, sql: &str) -> SqlResult<()> {
        let (client, line) = self.parts()?;
        line.run(client.batch_execute(sql))
    }

    /// Runs a statement; how many rows it has changed.
    pub(super) fn execute_typed(&mut self, sql: &str, params: &[Typed<'_>]) -> SqlResult<u64> {
        let (client, line) = self.parts()?;
        line.run(client.execute_typed(sql, params))
    }

    /// The rows of a statement.
    pub(super) fn query_typed(&mut self, sql: &str, params: &[Typed<'_>]) -> SqlResult<Vec<Row>> {
        let (client, line) = self.parts()?;
        line.run(client.query_typed(sql, params))
    }

    /// Shows the rows of a statement as they come, until enough were seen: there may be more than the memory holds.
    pub(super) fn each_typed(
        &mut self,
        sql: &str,
        params: Vec<Typed<'_>>,
        show: &mut dyn FnMut(&Row) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()> {
        let (client, line) = self.parts()?;
        let rows = line.run(client.query_typed_raw(sql, params))?;
        let mut rows = pin!(rows);
        while let Some(row) = line.run(rows.try_next())? {
            if show(&row)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Begins to fill a table. A copy that is dropped before its end leaves nothing.
    pub(super) fn copy_in(&mut self, sql: &str) -> SqlResult<CopyIn<'_>> {
        let (client, line) = self.parts()?;
        let sink = line.run(client.copy_in(sql))?;
        Ok(CopyIn { line, sink: Box::pin(sink) })
    }

    fn parts(&mut self) -> SqlResult<(&tokio_postgres::Client, &mut Line)> {
        match &self.client {
            Some(client) if !self.line.is_broken => Ok((client, &mut self.line)),
            _ => Err(SqlError::Lost("the connection has broken off".into())),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.client.take());
        if !self.line.is_broken {
            let Line { runtime, driver, .. } = &mut self.line;
            // It may be too late to say it.
            let _said = runtime.block_on(async { timeout(GOODBYE, driver).await });
        }
    }
}

/// A copy under way.
pub(super) struct CopyIn<'client> {
    line: &'client mut Line,
    sink: Pin<Box<CopyInSink<Bytes>>>,
}

impl CopyIn<'_> {
    /// Sends a piece.
    pub(super) fn send(&mut self, bytes: Bytes) -> SqlResult<()> {
        self.line.run(self.sink.send(bytes))
    }

    /// Ends it.
    pub(super) fn finish(mut self) -> SqlResult<()> {
        self.line.run(poll_fn(|context| self.sink.as_mut().poll_close(context)))
    }
}

/// Whether there is nothing more to wait for.
async fn ends_now(driver: &mut Driver) -> bool {
    poll_fn(|context| Poll::Ready(driver.as_mut().poll(context).is_ready())).await
}

/// Why something did not come back.
enum Why {
    Server(Error),
    Silence(Silent),
}

impl Line {
    fn run<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> SqlResult<T> {
        self.run_quietly(work).map_err(|why| match why {
            Why::Server(error) if !self.is_broken => {
                SqlError::Refused { kind: kind(&error), source: error.into() }
            }
            Why::Server(error) => match error.into() {
                SqlError::Lost(error) => self.outage.broke_off(error),
                refused => refused,
            },
            Why::Silence(silent) => self.outage.broke_off(silent),
        })
    }

    /// The same, and nobody is told if the connection has broken off.
    fn run_quietly<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Why> {
        let patience = self.first.take().map_or(self.patience, |first| first.min(self.patience));
        let Self { runtime, driver, is_broken, .. } = self;
        let working = async {
            tokio::pin!(work);
            tokio::select! {
                biased;
                ended = driver, if !*is_broken => {
                    *is_broken = true;
                    // What had come before is still given; else why it ended says more than that it did.
                    work.await.map_err(|error| ended.err().unwrap_or(error))
                }
                done = &mut work => done,
            }
        };
        match runtime.block_on(async { timeout(patience, working).await }) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.is_broken |= is_parting(&error);
                Err(Why::Server(error))
            }
            Err(_) => {
                self.is_broken = true;
                Err(Why::Silence(Silent(patience)))
            }
        }
    }

    fn has_ended(&mut self) -> bool {
        let Self { runtime, driver, is_broken, .. } = self;
        *is_broken = runtime.block_on(async {
            // Once to say what is waited for, then the system is asked, then to take it.
            let has_ended = ends_now(driver).await;
            tokio::task::yield_now().await;
            has_ended || ends_now(driver).await
        });
        *is_broken
    }
}
