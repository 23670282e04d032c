//! The transactions that write a store.
//!
//! Whoever writes has the store's row of `store_meta` to itself until its transaction is over, on whatever machine: so the
//! writers of all processes come one after the other, each sees all that those before it have written, and change numbers are
//! taken in the order in which they become visible.

use tokio::runtime::{Builder, Runtime};

use super::statement::{PLANS, StoreName};
use super::tables::StoreTables;
use crate::postgres::patience::Patience;
use crate::postgres::pool::{Pool, Use};
use crate::postgres::transaction;
use crate::sql::collection::{Memory, Outcome, Transactions, Trouble, Work};
use crate::sql::{Session, params};

/// What the writer's thread has of a store.
pub(super) struct StoreTransactions {
    pool: Pool,
    store: StoreName,
    begin: String,
    /// Keeps the time while a connection is waited for; made when it is first needed.
    runtime: Option<Runtime>,
    /// How many transactions had written when this process last did.
    writes: u64,
}

impl StoreTransactions {
    pub(super) fn new(pool: Pool, store: StoreName, patience: &Patience) -> Self {
        let begin = format!("{}; {PLANS}", patience.commit);
        Self { pool, store, begin, runtime: None, writes: 0 }
    }
}

impl Transactions for StoreTransactions {
    fn run(&mut self, memory: &mut Memory, work: Work<'_>) -> Outcome<()> {
        let Self { pool, store, begin, runtime, writes } = self;
        let runtime = match runtime {
            Some(runtime) => runtime,
            None => runtime.insert(Builder::new_current_thread().enable_time().build()?),
        };
        let _permit = runtime.block_on(pool.permit(Use::Commit))?;
        let mut number = 0;
        pool.lend(Use::Commit.longest_answer(), |client| {
            transaction::run(client, begin, |client| {
                let tables = StoreTables::new(client, store);
                number = take_turn(&tables)?;
                if number != *writes + 1 {
                    // Another process has written: what this one remembers may be out of date.
                    memory.forget();
                }
                work(&tables, memory)
            })
        })?;
        *writes = number;
        Ok(())
    }
}

/// Waits until nobody else writes the store, and keeps it so. Gives the number of the write.
fn take_turn(session: &dyn Session) -> Outcome<u64> {
    let sql = "UPDATE store_meta SET writes = writes + 1 WHERE store = ?0 RETURNING writes";
    session.row_if_any(sql, params![], |columns| columns.unsigned())?.ok_or(Trouble::Closed)
}
