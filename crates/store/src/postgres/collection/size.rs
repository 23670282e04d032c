//! How much room a store takes.

use std::ops::ControlFlow;

use tokio_postgres::types::Type;

use super::statement::PARTITIONED;
use super::tables::StoreTables;
use crate::postgres::session;
use crate::sql::collection::Outcome;

/// In bytes.
///
/// Of partitions the server knows it; what the store has in tables that it shares is little beside them. Where all are shared it is
/// reckoned: from the lengths of all blocks, which the server knows without reading them, and from those of some keys.
pub(super) fn bytes(tables: &StoreTables<'_>) -> Outcome<u64> {
    let rows = if tables.store().has_partitions() {
        let partitions = PARTITIONED.map(|table| tables.store().table(table));
        tables.query_typed(
            "SELECT CAST(sum(pg_total_relation_size(to_regclass(name))) AS BIGINT) FROM unnest(?1) AS name",
            &[(&partitions.as_slice(), Type::TEXT_ARRAY)],
        )?
    } else {
        tables.query_typed(RECKONED, &[])?
    };
    let mut bytes = 0;
    session::show_each(&rows, &mut |columns| {
        bytes = columns.optional_unsigned()?.unwrap_or(0);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(bytes)
}

/// A row has some 24 bytes before its columns and 16 of the store, and its key lies in the index once more.
const RECKONED: &str =
    "SELECT CAST(coalesce((SELECT sum(octet_length(stored) + 90) FROM store_blocks WHERE store = ?0), 0)
        + coalesce((SELECT sum(live) FROM store_block_index WHERE store = ?0), 0)
            * coalesce((SELECT avg(2 * octet_length(k) + octet_length(row) + 90)
                        FROM (SELECT k, row FROM store_keys WHERE store = ?0 LIMIT 1000) AS some_keys), 0) AS BIGINT)";
