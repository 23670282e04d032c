//! The connections to the server: so many at most, each opened when it is first needed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postgres::{Client, NoTls};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_postgres::Config;

use crate::sql::{SqlError, catalog, collection};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// Connections of one process.
const CONNECTIONS: usize = 8;
/// A server that has not answered within this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What was sent and is not acknowledged for so long never will be.
const TCP_TIMEOUT: Duration = Duration::from_secs(15);

/// All clones share the connections.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    config: Arc<Config>,
    blocking: Arc<postgres::Config>,
    idle: Arc<Idle>,
    free: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(mut config: Config) -> Self {
        config.connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(TCP_TIMEOUT).keepalives_idle(TCP_TIMEOUT);
        if config.get_application_name().is_none() {
            config.application_name("inlet");
        }
        let blocking = Arc::new(postgres::Config::from(config.clone()));
        Self {
            config: Arc::new(config),
            blocking,
            idle: Arc::default(),
            free: Arc::new(Semaphore::new(CONNECTIONS)),
        }
    }

    /// How a connection is made.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Does `work` with a connection, on a thread that may block. It goes on if the caller goes away.
    pub(super) async fn run<T, E, F>(&self, operation: &'static str, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        E: Told,
        F: FnOnce(&mut Client) -> Result<T, E> + Send + 'static,
    {
        let closed = |_| StoreError::new(StoreErrorKind::Closed, operation);
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(closed)?;
        let pool = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            pool.lend(work)
        });
        match done.await {
            Ok(outcome) => outcome.map_err(|trouble| trouble.during(operation)),
            Err(error) => Err(StoreError::new(StoreErrorKind::Internal, operation).because(error)),
        }
    }

    /// The same on a thread that is no thread of the runtime.
    pub(super) fn lend_blocking<T, E: From<SqlError>>(
        &self,
        runtime: &Handle,
        work: impl FnOnce(&mut Client) -> Result<T, E>,
    ) -> Result<T, E> {
        // It is never closed.
        let _permit = runtime.block_on(self.free.acquire());
        self.lend(work)
    }

    /// A connection on which `work` panics is not used again: something may be left on it.
    fn lend<T, E: From<SqlError>>(&self, work: impl FnOnce(&mut Client) -> Result<T, E>) -> Result<T, E> {
        let mut client = match self.idle.take() {
            Some(client) => client,
            None => self.blocking.connect(NoTls).map_err(SqlError::from)?,
        };
        let outcome = work(&mut client);
        if !client.is_closed() {
            self.idle.keep(client);
        }
        outcome
    }
}

/// What goes wrong with a connection, in the store's terms.
pub(super) trait Told: From<SqlError> + Send + 'static {
    /// The same as an error of the store, while doing `operation`.
    fn during(self, operation: &'static str) -> StoreError;
}

impl Told for catalog::Trouble {
    fn during(self, operation: &'static str) -> StoreError {
        self.during(operation)
    }
}

impl Told for collection::Trouble {
    fn during(self, operation: &'static str) -> StoreError {
        self.during(operation)
    }
}

/// Connections that nobody uses.
#[derive(Default)]
struct Idle(Mutex<Vec<Client>>);

impl Idle {
    fn take(&self) -> Option<Client> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|client| !client.is_closed());
        clients.pop()
    }

    fn keep(&self, client: Client) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let clients = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        // A connection says good-bye, which no thread of a runtime may wait for.
        std::thread::spawn(move || drop(clients));
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idle")
    }
}
