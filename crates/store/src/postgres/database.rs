//! A database, as whoever starts a process names it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::client::Client;
use inlet_model::{Clock, Entropy};

use super::address::Address;
use super::catalog::PostgresDatabase;
use super::layout::Layout;
use super::patience::Patience;
use super::pool::{Pool, Use};
use super::schema::{self, Opened};
use super::{clock, signals};
use crate::sql::SqlCatalog;
use crate::sql::catalog::{Start, Trouble};
use crate::{Signals, StoreError, StoreErrorKind, StoreResult};

/// A PostgreSQL database. What Inlet has in it lies in the first schema of the search path.
#[derive(Clone)]
pub struct Postgres {
    pub(super) pool: Pool,
    pub(super) patience: Patience,
    layout: Layout,
}

impl Postgres {
    /// Connections of a process, unless somebody says otherwise.
    pub const CONNECTIONS: u16 = 16;
    /// No process has fewer.
    pub const FEWEST_CONNECTIONS: u16 = 4;

    /// The database of that URL, or of that list of settings as libpq has them. Nothing is connected yet.
    ///
    /// [`Internal`](StoreErrorKind::Internal) if it is neither.
    pub fn new(url: &str) -> StoreResult<Self> {
        Self::with_options(url, PostgresOptions::default())
    }

    /// The same for a process that uses it otherwise than usual.
    pub fn with_options(url: &str, options: PostgresOptions) -> StoreResult<Self> {
        let connections = options.connections.max(Self::FEWEST_CONNECTIONS);
        let pool = Pool::new(Address::parse(url)?, connections.into());
        Ok(Self { pool, patience: Patience::of(options.lease), layout: options.layout })
    }

    /// Does `work` with a connection, on a thread that may block. It goes on if the caller goes away.
    pub(crate) async fn lend<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Client) -> T + Send + 'static,
    ) -> StoreResult<T> {
        self.pool.run(operation, Use::Commit, move |client| Ok::<_, Trouble>(work(client))).await
    }

    /// Makes the tables of the catalog and of the collections, or brings them to the present format; what is of it stays as it is. In an empty
    /// database the secret is drawn, and there is a space `default` with a collection `default`.
    ///
    /// [`NewerFormat`](StoreErrorKind::NewerFormat) if a newer Inlet made the tables, with which this one cannot work; then nothing is
    /// touched. [`Unfinished`](StoreErrorKind::Unfinished) while data are [moved](crate::transfer) there.
    /// [`Unavailable`](StoreErrorKind::Unavailable) while the server cannot be reached.
    pub async fn migrate(&self, clock: &dyn Clock, entropy: &dyn Entropy) -> StoreResult<Migrated> {
        self.open(clock, entropy).await.map(|(_, migrated)| migrated)
    }

    /// The catalog, after the tables were [brought to the present format](Self::migrate).
    pub async fn catalog(&self, clock: &dyn Clock, entropy: &dyn Entropy) -> StoreResult<SqlCatalog> {
        let (secret, _) = self.open(clock, entropy).await?;
        Ok(SqlCatalog::of(PostgresDatabase::new(self.pool.clone(), self.patience.clone()), secret))
    }

    async fn open(&self, clock: &dyn Clock, entropy: &dyn Entropy) -> StoreResult<([u8; 32], Migrated)> {
        const OPERATION: &str = "open the catalog";
        let (start, layout) = (Start::drawn(clock, entropy), self.layout);
        let opening =
            self.pool.run(OPERATION, Use::Change, move |client| schema::open(client, &start, layout));
        match opening.await? {
            Opened::Ready { secret, before, version, layout } => {
                Ok((secret, Migrated { before, version, layout }))
            }
            Opened::TooNew => Err(StoreError::new(StoreErrorKind::NewerFormat, OPERATION)),
            Opened::Unfinished => Err(StoreError::new(StoreErrorKind::Unfinished, OPERATION)),
        }
    }

    /// A clock that shows the server's time, whatever this machine's does. Needs a Tokio runtime.
    ///
    /// [`Unavailable`](StoreErrorKind::Unavailable) while the server cannot be reached; later it goes on by itself.
    pub async fn clock(&self) -> StoreResult<Arc<dyn Clock>> {
        Ok(clock::start(self.pool.clone()).await?)
    }

    /// The way to the other processes that work with this database. Needs a Tokio runtime.
    pub fn signals(&self, entropy: &dyn Entropy) -> Arc<dyn Signals> {
        signals::start(self.pool.clone(), entropy)
    }
}

/// How a process uses a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Connections that it has at most, and one more for [signals](Postgres::signals). Less than
    /// [four](Postgres::FEWEST_CONNECTIONS) are as many as that: what must not wait for each other has one each.
    pub connections: u16,
    /// How long its leases last. The server gives up what the process has begun before they are over.
    pub lease: Duration,
    /// How the tables of collections lie if this process makes them; those that are there stay as they are.
    pub layout: Layout,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { connections: Postgres::CONNECTIONS, lease: Duration::from_secs(30), layout: Layout::default() }
    }
}

/// What came of bringing tables to the present format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version they had; 0 for none.
    pub before: i64,
    /// The version they have.
    pub version: i64,
    /// How those of collections lie.
    pub layout: Layout,
}

/// Without the URL, which may hold a password.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres")
    }
}
