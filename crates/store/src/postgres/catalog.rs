//! The catalog in a PostgreSQL database, which many processes may share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::client::Client;
use super::patience::Patience;
use super::pool::{Pool, Use};
use super::session::PostgresSession;
use super::transaction;
use crate::StoreResult;
use crate::sql::catalog::{Change, Database, Query, Size};

/// To find a row or two takes no longer.
const LONGEST_ROW: Duration = Duration::from_secs(8);

/// The database of a catalog.
pub(super) struct PostgresDatabase {
    pool: Pool,
    patience: Patience,
    deliveries: Arc<Notify>,
}

impl PostgresDatabase {
    pub(super) fn new(pool: Pool, patience: Patience) -> Self {
        Self { pool, patience, deliveries: Arc::default() }
    }
}

#[async_trait]
impl Database for PostgresDatabase {
    async fn read(&self, operation: &'static str, size: Size, query: Query<'static>) -> StoreResult<()> {
        let patience = self.patience.clone();
        let read = move |client: &mut Client| match size {
            // One statement is a transaction by itself.
            Size::Row => {
                client.be_patient(LONGEST_ROW);
                query(&PostgresSession::new(client))
            }
            Size::Rows => transaction::read(client, &patience, query),
        };
        self.pool.run(operation, Use::Look, read).await
    }

    async fn write(&self, operation: &'static str, change: Change<'static>) -> StoreResult<()> {
        let patience = self.patience.clone();
        let write = move |client: &mut Client| transaction::write(client, &patience, change);
        let written = self.pool.run(operation, Use::Change, write).await;
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
