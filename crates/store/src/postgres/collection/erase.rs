//! Removing a store with all it holds.

use std::time::Duration;

use tokio_postgres::types::{FromSqlOwned, ToSql, Type};

use super::statement::{PARTITIONED, PLANS, StoreName};
use super::stores::within;
use crate::postgres::client::Client;
use crate::sql::collection::Outcome;
use crate::sql::{SqlError, SqlResult};

/// To remove a large store takes its time, for which nobody waits.
const LONGEST_ERASING: Duration = Duration::from_secs(300);

/// Rows that are removed at once of a table that stores share: a step that others hardly notice.
const ROWS_AT_ONCE: i64 = 10_000;

/// The small tables that stores share, but for the one that says which there are.
const SMALL: [&str; 15] = [
    "store_connectors",
    "store_streams",
    "store_purged",
    "store_schemas",
    "store_scopes",
    "store_block_index",
    "store_seen",
    "store_runs",
    "store_run_streams",
    "store_rejected",
    "store_undos",
    "store_undo_keys",
    "store_rejected_pushes",
    "store_run_log",
    "store_idempotency",
];

/// Removes a store with all it holds. Whoever writes it at this moment is waited for. One that was removed in part is removed to the end.
pub(super) fn erase(client: &mut Client, store: &StoreName) -> Outcome<()> {
    client.be_patient(LONGEST_ERASING);
    if store.has_partitions() {
        within(client, |client| {
            forget(client, store)?;
            empty_small_tables(client, store)?;
            let dropping = PARTITIONED.map(|table| format!("DROP TABLE IF EXISTS {};", store.table(table)));
            client.batch_execute(&dropping.concat())
        })?;
    } else {
        // From here on nobody reads or writes it.
        forget(client, store)?;
        empty(client, store, "store_keys", "k", Type::BYTEA, Vec::<u8>::new())?;
        empty(client, store, "store_blocks", "first_change", Type::INT8, i64::MIN)?;
        empty(client, store, "store_expired", "change", Type::INT8, i64::MIN)?;
        empty(client, store, "store_inbox", "seq", Type::INT8, i64::MIN)?;
        within(client, |client| empty_small_tables(client, store))?;
    }
    Ok(())
}

fn forget(client: &mut Client, store: &StoreName) -> SqlResult<()> {
    client.execute_typed("DELETE FROM store_meta WHERE store = $1", &[(store, Type::UUID)]).map(drop)
}

fn empty_small_tables(client: &mut Client, store: &StoreName) -> SqlResult<()> {
    for table in SMALL {
        client.execute_typed(&format!("DELETE FROM {table} WHERE store = $1"), &[(store, Type::UUID)])?;
    }
    Ok(())
}

/// Removes the rows of a store from a table that is large, step by step in the order of its keys, none of which is `before` them.
fn empty<K: FromSqlOwned + ToSql + Sync + Ord>(
    client: &mut Client,
    store: &StoreName,
    table: &str,
    key: &str,
    ty: Type,
    before: K,
) -> SqlResult<()> {
    let sql = format!(
        "DELETE FROM {table} WHERE store = $1 AND {key} IN
             (SELECT {key} FROM {table} WHERE store = $1 AND {key} > $2 ORDER BY {key} LIMIT {ROWS_AT_ONCE})
         RETURNING {key}"
    );
    // Behind the last one, so that no step comes by what those before it have left.
    let mut last = Some(before);
    while let Some(from) = last {
        last = None;
        within(client, |client| {
            client.batch_execute(PLANS)?;
            let rows = client.query_typed(&sql, &[(store, Type::UUID), (&from, ty.clone())])?;
            let keys: Result<Vec<K>, _> = rows.iter().map(|row| row.try_get(0)).collect();
            last = keys.map_err(SqlError::row)?.into_iter().max();
            Ok(())
        })?;
    }
    Ok(())
}
