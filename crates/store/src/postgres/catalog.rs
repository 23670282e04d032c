//! The catalog in a PostgreSQL database, which many processes may share.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{Clock, Entropy};
use postgres::Config;
use tokio::sync::Notify;

use super::pool::Pool;
use super::session::PostgresSession;
use super::{schema, transaction};
use crate::sql::SqlCatalog;
use crate::sql::catalog::{Change, Database, Query, Size, Start};
use crate::{StoreError, StoreErrorKind, StoreResult};

const OPERATION: &str = "open the catalog";

/// Opens the catalog in the database that `url` names, in the first schema of its search path; made if it is not there: then its
/// secret is drawn, and it holds a space `default` with a collection `default`. An older format is brought to the present one.
///
/// [`NewerFormat`](StoreErrorKind::NewerFormat) if a newer Inlet made it; then nothing is touched.
/// [`Unavailable`](StoreErrorKind::Unavailable) while the server cannot be reached.
pub async fn open_catalog(url: &str, clock: &dyn Clock, entropy: &dyn Entropy) -> StoreResult<SqlCatalog> {
    let config: Config =
        url.parse().map_err(|error| StoreError::new(StoreErrorKind::Internal, OPERATION).because(error))?;
    let pool = Pool::new(config);
    let start = Start::drawn(clock, entropy);
    let secret = pool.run(OPERATION, move |client| schema::open(client, &start)).await??;
    Ok(SqlCatalog::of(PostgresDatabase { pool, deliveries: Arc::default() }, secret))
}

/// The database of a catalog.
struct PostgresDatabase {
    pool: Pool,
    deliveries: Arc<Notify>,
}

#[async_trait]
impl Database for PostgresDatabase {
    async fn read(&self, operation: &'static str, size: Size, query: Query<'static>) -> StoreResult<()> {
        let read = move |client: &mut _| match size {
            // One statement is a transaction by itself.
            Size::Row => query(&PostgresSession::new(client)),
            Size::Rows => transaction::read(client, query),
        };
        self.pool.run(operation, read).await
    }

    async fn write(&self, operation: &'static str, change: Change<'static>) -> StoreResult<()> {
        let written = self.pool.run(operation, move |client| transaction::write(client, change)).await;
        self.deliveries.notify_one();
        written
    }

    fn revision(&self) -> Option<u64> {
        // Others may write at any time.
        None
    }

    fn release_reserve(&self) {}

    fn delivery_queued(&self) -> Arc<Notify> {
        Arc::clone(&self.deliveries)
    }
}

impl fmt::Debug for PostgresDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresDatabase")
    }
}
