//! All collections of a database.

use std::fmt;
use std::sync::Arc;

use super::erase::erase;
use super::reads::StoreReads;
use super::statement::{PARTITIONED, StoreName};
use super::transactions::StoreTransactions;
use crate::collection::{CollectionStore, CollectionStores};
use crate::postgres::Postgres;
use crate::postgres::client::Client;
use crate::postgres::layout::Layout;
use crate::postgres::patience::Patience;
use crate::postgres::pool::{Pool, Use};
use crate::sql::collection::{OpenCollections, Outcome, SqlCollection, Trouble};
use crate::sql::{SqlError, SqlResult};
use crate::{StoreError, StoreErrorKind, StoreResult};
use async_trait::async_trait;
use inlet_model::{Entropy, HashSeed, StoreId};
use tokio_postgres::types::{ToSql, Type};

/// Collections that stay open though nobody uses them just now.
const MAX_IDLE: usize = 64;

/// The collections in a PostgreSQL database.
pub struct PostgresCollections {
    pool: Pool,
    patience: Patience,
    entropy: Arc<dyn Entropy>,
    open: OpenCollections,
}

impl PostgresCollections {
    /// The collections in a database whose tables are of the present version.
    pub fn new(database: &Postgres, entropy: Arc<dyn Entropy>) -> Self {
        let (pool, patience) = (database.pool.clone(), database.patience.clone());
        Self { pool, patience, entropy, open: OpenCollections::new(MAX_IDLE) }
    }

    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        wanted: Use,
        work: impl FnOnce(&mut Client) -> Outcome<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.pool.run(operation, wanted, work).await
    }

    fn start(&self, id: StoreId, (store, seed): (StoreName, HashSeed)) -> StoreResult<SqlCollection> {
        let reads = StoreReads::new(self.pool.clone(), store.clone(), &self.patience);
        let transactions = StoreTransactions::new(self.pool.clone(), store, &self.patience);
        SqlCollection::start(id, seed, Arc::new(reads), Box::new(transactions))
    }
}

impl fmt::Debug for PostgresCollections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresCollections")
    }
}

#[async_trait]
impl CollectionStores for PostgresCollections {
    async fn open(&self, id: StoreId) -> StoreResult<Arc<dyn CollectionStore>> {
        const OPERATION: &str = "open a collection";
        let opening = async {
            let seed = self.entropy.bytes();
            let made = self.run(OPERATION, Use::Commit, move |client| {
                let store = name_of(client, id)?;
                let seed = make(client, &store, seed)?;
                Ok((store, seed))
            });
            self.start(id, made.await?).map(Some)
        };
        self.open.get(id, opening).await?.ok_or(StoreError::new(StoreErrorKind::Internal, OPERATION))
    }

    async fn find(&self, id: StoreId) -> StoreResult<Option<Arc<dyn CollectionStore>>> {
        const OPERATION: &str = "find a collection";
        let opening = async {
            let found = self.run(OPERATION, Use::Read, move |client| {
                let store = name_of(client, id)?;
                let seed = seed_of(client, &store)?;
                Ok(seed.map(|seed| (store, seed)))
            });
            found.await?.map(|found| self.start(id, found)).transpose()
        };
        self.open.get(id, opening).await
    }

    async fn remove(&self, id: StoreId) -> StoreResult<()> {
        const OPERATION: &str = "remove a collection";
        let removing = async {
            self.run(OPERATION, Use::Commit, move |client| {
                let store = name_of(client, id)?;
                erase(client, &store)
            })
            .await
        };
        self.open.remove(id, OPERATION, removing).await
    }

    async fn list(&self) -> StoreResult<Vec<StoreId>> {
        self.run("list the collections", Use::Read, |client| Ok(stores(client)?)).await
    }
}

/// All stores that are there, in the order of their ids.
pub(in crate::postgres) fn stores(client: &mut Client) -> SqlResult<Vec<StoreId>> {
    let rows = client.query_typed("SELECT uuid_send(store) FROM store_meta ORDER BY store", &[])?;
    rows.iter().map(|row| Ok(StoreId::from_u128(u128::from_be_bytes(column(row)?)))).collect()
}

/// The first column of a row: that many bytes.
fn column<const N: usize>(row: &tokio_postgres::Row) -> SqlResult<[u8; N]> {
    let bytes: &[u8] = row.try_get(0).map_err(SqlError::row)?;
    bytes.try_into().map_err(SqlError::row)
}

fn name_of(client: &mut Client, id: StoreId) -> SqlResult<StoreName> {
    Ok(StoreName::new(id, Layout::of(client)?))
}

fn seed_of(client: &mut Client, store: &StoreName) -> SqlResult<Option<HashSeed>> {
    let sql = "SELECT seed FROM store_meta WHERE store = $1";
    let rows = client.query_typed(sql, &[(store as &(dyn ToSql + Sync), Type::UUID)])?;
    rows.first().map(|row| Ok(HashSeed(u64::from_be_bytes(column(row)?)))).transpose()
}

/// Makes a store, unless it is there; gives its seed.
pub(in crate::postgres) fn make(client: &mut Client, store: &StoreName, seed: [u8; 8]) -> Outcome<HashSeed> {
    if let Some(seed) = seed_of(client, store)? {
        return Ok(seed);
    }
    within(client, |client| {
        let sql = "INSERT INTO store_meta (store, seed, next_change, next_generation, next_stream, next_push, compacted_through,
                       walked_through, writes)
                   VALUES ($1, $2, 1, 1, 1, 1, 0, 0, 0) ON CONFLICT DO NOTHING";
        let made = client.execute_typed(sql, &[(store, Type::UUID), (&seed.as_slice(), Type::BYTEA)])?;
        if made > 0 && store.has_partitions() { client.batch_execute(&partitions(store)) } else { Ok(()) }
    })?;
    seed_of(client, store)?.ok_or(Trouble::Broken("a store that was made is not there"))
}

/// Makes the partitions. One that is made alone and then attached keeps nobody from reading and writing the others.
fn partitions(store: &StoreName) -> String {
    let id = u128::from_be_bytes(store.id);
    let one = |table| {
        let partition = store.table(table);
        format!(
            "CREATE TABLE {partition} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE);
             ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ('{id:032x}');"
        )
    };
    PARTITIONED.map(one).concat()
}

/// Does `work` as one transaction.
pub(super) fn within(client: &mut Client, work: impl FnOnce(&mut Client) -> SqlResult<()>) -> SqlResult<()> {
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")?;
    let done = work(client).and_then(|()| client.batch_execute("COMMIT"));
    if done.is_err() && client.batch_execute("ROLLBACK").is_err() {
        tracing::debug!("a transaction could not be rolled back");
    }
    done
}
