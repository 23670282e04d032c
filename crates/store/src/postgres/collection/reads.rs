//! Reading a store, each time in a transaction that sees one moment.

use std::fmt;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::statement::{PLANS, StoreName};
use super::tables::StoreTables;
use crate::postgres::client::Client;
use crate::postgres::patience::Patience;
use crate::postgres::pool::{Pool, Use};
use crate::sql::collection::{Outcome, Query, Reads, Trouble};
use crate::sql::{Session, params};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// Reads of one store that may run at the same time in this process.
const AT_ONCE: u32 = 2;

/// What reads a store.
pub(super) struct StoreReads {
    pool: Pool,
    store: StoreName,
    begin: String,
    free: Semaphore,
}

impl StoreReads {
    pub(super) fn new(pool: Pool, store: StoreName, patience: &Patience) -> Self {
        let begin = format!("{}; {PLANS}", patience.read);
        Self { pool, store, begin, free: Semaphore::new(AT_ONCE as usize) }
    }
}

impl fmt::Debug for StoreReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreReads").field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl Reads for StoreReads {
    async fn run(&self, operation: &'static str, query: Query) -> StoreResult<()> {
        let closed = |_| StoreError::new(StoreErrorKind::Closed, operation);
        let _turn = self.free.acquire().await.map_err(closed)?;
        let (store, begin) = (self.store.clone(), self.begin.clone());
        self.pool.run(operation, Use::Read, move |client| read(client, &begin, &store, query)).await
    }

    async fn close(&self) {
        if let Ok(_all) = self.free.acquire_many(AT_ONCE).await {
            self.free.close();
        }
    }
}

fn read(client: &mut Client, begin: &str, store: &StoreName, query: Query) -> Outcome<()> {
    client.batch_execute(begin)?;
    let tables = StoreTables::new(client, store);
    let outcome = is_there(&tables).and_then(|()| query(&tables));
    // What only reads has nothing to lose.
    let ended = client.batch_execute("ROLLBACK");
    outcome?;
    Ok(ended?)
}

/// A store that was removed, here or elsewhere, is closed.
fn is_there(session: &dyn Session) -> Outcome<()> {
    let sql = "SELECT 1 FROM store_meta WHERE store = ?0";
    session.row_if_any(sql, params![], |_| Ok(()))?.ok_or(Trouble::Closed)
}
