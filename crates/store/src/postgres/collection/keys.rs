//! The key table, many rows at once.

use std::collections::HashMap;
use std::ops::Range;

use tokio_postgres::types::Type;

use super::tables::StoreTables;
use crate::sql::collection::key_row::KeyRow;
use crate::sql::collection::keys::{range_of, split};
use crate::sql::collection::{Outcome, Stored, Trouble};
use crate::sql::{Session, SqlError, params};

/// Keys of one statement.
const AT_ONCE: usize = 8_192;

/// Keys lie close together if there are no more than so many rows to each.
const CLOSE: usize = 2;

/// Fewer rows than this are inserted by a statement.
const WORTH_A_COPY: usize = 512;

/// A key as it is filed, and its row.
pub(super) type Found = (Vec<u8>, KeyRow);

const GONE: Trouble = Trouble::Damaged("a row of the key table has gone");

/// The row of a key.
pub(super) fn get(tables: &StoreTables<'_>, filed: &[u8]) -> Outcome<Option<KeyRow>> {
    let tables: &dyn Session = tables;
    let found = tables.row_if_any(
        "SELECT row FROM store_keys WHERE store = ?0 AND k = ?1",
        params![filed],
        |columns| columns.plain::<Vec<u8>>(),
    )?;
    found.map(|stored| KeyRow::decode(&stored)).transpose()
}

/// The rows of keys, which come in any order.
pub(super) fn find_all(tables: &StoreTables<'_>, filed: &[Vec<u8>]) -> Outcome<Vec<Option<KeyRow>>> {
    let mut found = HashMap::with_capacity(filed.len());
    for chunk in filed.chunks(AT_ONCE) {
        let keys: Vec<&[u8]> = chunk.iter().map(Vec::as_slice).collect();
        found.extend(those_there(tables, &keys)?);
    }
    Ok(filed.iter().map(|key| found.get(key).copied()).collect())
}

/// Looks up keys, which come in order.
///
/// Those behind the last of their stream need no look: a first load, and whatever is appended in the order of keys. To go from one row to
/// the next costs a third of seeking each, so where keys lie close together all rows between them are read.
pub(super) fn look_up<'k>(
    tables: &StoreTables<'_>,
    filed: &[&'k [u8]],
    each: &mut dyn FnMut(&'k [u8], Option<KeyRow>) -> Outcome<()>,
) -> Outcome<()> {
    for of_stream in filed.chunk_by(|one, other| stream_of(one) == stream_of(other)) {
        let Some(last) = last_of_stream(tables, of_stream[0])? else {
            of_stream.iter().try_for_each(|key| each(key, None))?;
            continue;
        };
        let (known, new) = of_stream.split_at(of_stream.partition_point(|key| **key <= *last));
        let mut are_close = true;
        for chunk in known.chunks(AT_ONCE) {
            let between = if are_close { those_between(tables, chunk)? } else { None };
            are_close = between.is_some();
            let found = match between {
                Some(found) => found,
                None => those_there(tables, chunk)?,
            };
            each_of(chunk, found, each)?;
        }
        new.iter().try_for_each(|key| each(key, None))?;
    }
    Ok(())
}

/// Gives each key with its row, which is among those that were found.
fn each_of<'k>(
    keys: &[&'k [u8]],
    mut found: Vec<Found>,
    each: &mut dyn FnMut(&'k [u8], Option<KeyRow>) -> Outcome<()>,
) -> Outcome<()> {
    found.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let mut found = found.into_iter().peekable();
    for key in keys {
        while found.next_if(|(there, _)| there.as_slice() < *key).is_some() {}
        let row = found.next_if(|(there, _)| there == key).map(|(_, row)| row);
        each(key, row)?;
    }
    Ok(())
}

/// All rows from the first key to the last, unless they are many more than the keys.
fn those_between(tables: &StoreTables<'_>, keys: &[&[u8]]) -> Outcome<Option<Vec<Found>>> {
    let ([first, ..], [.., last]) = (keys, keys) else { return Ok(Some(Vec::new())) };
    // The least that is greater.
    let end = [*last, &[0]].concat();
    let most = keys.len() * CLOSE + 1;
    let found = page(tables, first, &end, most)?;
    Ok((found.len() < most).then_some(found))
}

fn stream_of(filed: &[u8]) -> Option<u32> {
    split(filed).map(|(stream, _)| stream.0)
}

/// The last key that the stream of this one has.
fn last_of_stream(tables: &StoreTables<'_>, filed: &[u8]) -> Outcome<Option<Vec<u8>>> {
    let (stream, _) = split(filed).ok_or(Trouble::Damaged("a key has no stream"))?;
    let Range { start, end } = range_of(stream);
    let tables: &dyn Session = tables;
    Ok(tables.row_if_any(
        "SELECT k FROM store_keys WHERE store = ?0 AND k >= ?1 AND k < ?2 ORDER BY k DESC LIMIT 1",
        params![start, end],
        |columns| columns.plain(),
    )?)
}

/// The rows there are of these keys. By a join, which seeks each key: of `k = ANY(…)` the server may think that to read all rows of the
/// store costs less.
fn those_there(tables: &StoreTables<'_>, keys: &[&[u8]]) -> Outcome<Vec<Found>> {
    let rows = tables.query_typed(
        "SELECT k, row FROM unnest(?1) AS wanted (k) JOIN store_keys USING (k) WHERE store = ?0",
        &[(&keys, Type::BYTEA_ARRAY)],
    )?;
    rows.iter().map(read).collect()
}

/// Reads a key and its row.
pub(super) fn read(row: &tokio_postgres::Row) -> Outcome<Found> {
    let (key, stored): (&[u8], &[u8]) = (row.try_get(0).map_err(column)?, row.try_get(1).map_err(column)?);
    Ok((key.to_vec(), KeyRow::decode(stored)?))
}

fn column(error: tokio_postgres::Error) -> SqlError {
    SqlError::row(error)
}

/// Shows rows in the order of keys, at most so many.
pub(super) fn scan(
    tables: &StoreTables<'_>,
    range: Range<&[u8]>,
    limit: usize,
    show: &mut dyn FnMut(&[u8], KeyRow),
) -> Outcome<()> {
    for (key, row) in page(tables, range.start, range.end, limit)? {
        show(&key, row);
    }
    Ok(())
}

/// Rows in the order of keys, at most so many.
pub(super) fn page(tables: &StoreTables<'_>, start: &[u8], end: &[u8], limit: usize) -> Outcome<Vec<Found>> {
    let rows = tables.query_typed(
        "SELECT k, row FROM store_keys WHERE store = ?0 AND k >= ?1 AND k < ?2 ORDER BY k LIMIT ?3",
        &[
            (&start, Type::BYTEA),
            (&end, Type::BYTEA),
            (&i64::try_from(limit).unwrap_or(i64::MAX), Type::INT8),
        ],
    )?;
    rows.iter().map(read).collect()
}

/// Writes rows.
pub(super) fn write(tables: &StoreTables<'_>, rows: &[Stored<'_>]) -> Outcome<()> {
    let (gone, there): (Vec<Stored<'_>>, Vec<Stored<'_>>) = rows.iter().partition(|row| row.row.is_empty());
    let (changed, new): (Vec<Stored<'_>>, Vec<Stored<'_>>) = there.into_iter().partition(|row| row.is_there);
    if new.len() < WORTH_A_COPY {
        insert(tables, &new)?;
    } else {
        tables.copy("store_keys", "k, row", |copy| {
            new.iter().try_for_each(|row| {
                copy.row(3)?.bytes(row.filed)?.bytes(row.row)?;
                Ok(())
            })
        })?;
    }
    for chunk in changed.chunks(AT_ONCE) {
        let updated = columns(
            tables,
            "UPDATE store_keys SET row = new.row FROM unnest(?1, ?2) AS new (k, row)
             WHERE store = ?0 AND store_keys.k = new.k",
            chunk,
        )?;
        if updated < chunk.len() {
            return Err(GONE);
        }
    }
    remove(tables, &gone.iter().map(|row| row.filed).collect::<Vec<_>>())
}

fn insert(tables: &StoreTables<'_>, new: &[Stored<'_>]) -> Outcome<()> {
    if new.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO store_keys (store, k, row) SELECT ?0, k, row FROM unnest(?1, ?2) AS new (k, row)";
    columns(tables, sql, new).map(drop)
}

/// Runs a statement whose parameters are the keys and the rows.
fn columns(tables: &StoreTables<'_>, sql: &str, rows: &[Stored<'_>]) -> Outcome<usize> {
    let (keys, rows): (Vec<&[u8]>, Vec<&[u8]>) = rows.iter().map(|row| (row.filed, row.row)).unzip();
    Ok(tables.execute_typed(sql, &[(&keys, Type::BYTEA_ARRAY), (&rows, Type::BYTEA_ARRAY)])?)
}

/// Removes rows that are there.
pub(super) fn remove(tables: &StoreTables<'_>, filed: &[&[u8]]) -> Outcome<()> {
    for chunk in filed.chunks(AT_ONCE) {
        let removed = tables.execute_typed(
            "DELETE FROM store_keys USING unnest(?1) AS gone (k) WHERE store = ?0 AND store_keys.k = gone.k",
            &[(&chunk, Type::BYTEA_ARRAY)],
        )?;
        if removed < chunk.len() {
            return Err(GONE);
        }
    }
    Ok(())
}
