//! The catalog in a SQL database.
//!
//! Each method is one transaction. Whatever the database does at the same time, what a transaction reads and writes is as if it
//! were alone; and what must never be broken by a race is a unique index besides.

mod audit;
pub(crate) mod collections;
pub(crate) mod connectors;
mod deletes;
pub(crate) mod deliveries;
mod idempotency;
mod keys;
pub(crate) mod nodes;
pub(crate) mod page;
mod purges;
pub(crate) mod schedules;
mod secrets;
pub(crate) mod spaces;
mod start;
pub(crate) mod syncs;
mod tasks;
mod triggers;
mod trouble;
pub(crate) mod webhooks;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use tokio::sync::Notify;

use self::audit::Write;
pub(crate) use self::start::Start;
pub(crate) use self::trouble::Trouble;
use super::{Answer, Session};
use crate::StoreResult;
use crate::catalog::{Catalog, Cause};

/// How many rows a read looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// One or two.
    Row,
    /// Many.
    Rows,
}

/// What a read does.
pub(crate) type Query<'work> = Box<dyn FnOnce(&dyn Session) -> Result<(), Trouble> + Send + 'work>;
/// What a write does. It may be done again, after all it did was undone.
pub(crate) type Change<'work> = Box<dyn FnMut(&dyn Session) -> Result<(), Trouble> + Send + 'work>;

/// A database that holds a catalog.
#[async_trait]
pub(crate) trait Database: fmt::Debug + Send + Sync {
    /// Runs `query` on what was committed before it began.
    async fn read(&self, operation: &'static str, size: Size, query: Query<'static>) -> StoreResult<()>;

    /// Runs `change` as one transaction, as if no other ran. A caller that goes away does not stop one that has begun.
    async fn write(&self, operation: &'static str, change: Change<'static>) -> StoreResult<()>;

    /// See [`Catalog::revision`].
    fn revision(&self) -> Option<u64>;

    /// See [`Catalog::release_reserve`].
    fn release_reserve(&self);

    /// See [`Deliveries::delivery_queued`](crate::catalog::Deliveries::delivery_queued).
    fn delivery_queued(&self) -> Arc<Notify>;
}

/// The catalog of one database. Its methods need a Tokio runtime.
pub struct SqlCatalog {
    database: Box<dyn Database>,
    secret: [u8; 32],
    /// Counts the writes that may have changed which keys are found.
    key_epoch: AtomicU64,
}

impl SqlCatalog {
    /// The catalog of a database that is of the present version, and has that secret.
    pub(crate) fn of(database: impl Database + 'static, secret: [u8; 32]) -> Self {
        Self { database: Box::new(database), secret, key_epoch: AtomicU64::new(0) }
    }

    /// Reads a row or two.
    async fn read_row<T, F>(&self, operation: &'static str, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Session) -> Result<T, Trouble> + Send + 'static,
    {
        self.read(operation, Size::Row, query).await
    }

    /// Reads many rows.
    async fn read_rows<T, F>(&self, operation: &'static str, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Session) -> Result<T, Trouble> + Send + 'static,
    {
        self.read(operation, Size::Rows, query).await
    }

    async fn read<T, F>(&self, operation: &'static str, size: Size, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Session) -> Result<T, Trouble> + Send + 'static,
    {
        let answer = Answer::default();
        let told = answer.clone();
        self.database
            .read(operation, size, Box::new(move |db| query(db).map(|found| told.is(found))))
            .await?;
        Ok(answer.take())
    }

    /// Changes something, in one transaction and in the name of whoever asks for it.
    async fn write<T, F>(&self, operation: &'static str, change: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Fn(&Write<'_>) -> Result<T, Trouble> + Send + 'static,
    {
        let cause = Cause::current();
        let answer = Answer::default();
        let told = answer.clone();
        let change =
            move |tx: &dyn Session| change(&Write::new(tx, cause.clone())).map(|found| told.is(found));
        self.database.write(operation, Box::new(change)).await?;
        Ok(answer.take())
    }
}

impl Catalog for SqlCatalog {
    fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    fn revision(&self) -> Option<u64> {
        self.database.revision()
    }

    fn release_reserve(&self) {
        self.database.release_reserve();
    }
}

/// Without the secret.
impl fmt::Debug for SqlCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlCatalog").field("database", &self.database).finish_non_exhaustive()
    }
}
