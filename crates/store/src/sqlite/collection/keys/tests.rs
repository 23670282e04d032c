//! The key table: its order, and reading and writing in it.

use std::collections::{BTreeMap, BTreeSet};

use inlet_model::HASH_LEN;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use rusqlite::OptionalExtension;

use super::super::stores::Options;
use super::log::parts;
use super::*;
use crate::sql::collection::block::ScopeId;
use crate::sql::collection::{Stored, Trouble};

fn empty_table() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(include_str!("../migrations/v1.sql")).unwrap();
    connection
}

/// A key log that shares its room with no other.
fn log_of(options: &Options) -> KeyLog {
    KeyLog::new(options, &KeyLogRoom::default())
}

fn row(change: u64) -> KeyRow {
    KeyRow { hash: [1; HASH_LEN], change, created_us: -1, scope: ScopeId(3) }
}

/// Writes rows as they are stored, straight into the table.
fn write_all(connection: &Connection, rows: &BTreeMap<Vec<u8>, Option<KeyRow>>) -> Outcome<usize> {
    let stored: Vec<_> = rows.iter().map(|(key, row)| (key, stored(*row))).collect();
    write::overwrite(connection, stored.iter().map(|(key, row)| (key.as_slice(), row.as_slice())))
}

/// A row to be written.
fn new<'k>(filed: &'k [u8], row: &'k [u8]) -> Stored<'k> {
    Stored { filed, row, is_there: false }
}

fn stored(row: Option<KeyRow>) -> Vec<u8> {
    let mut stored = Vec::new();
    row.iter().for_each(|row| row.encode(&mut stored));
    stored
}

/// Short keys of few letters, so that they lie close and meet often; and some that lie far apart.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(0_u8..3, 1..6), vec(any::<u8>(), 1..4)]
}

proptest! {
    #[test]
    fn looking_up_in_order_finds_what_each_look_finds(
        there in btree_set(key(), 0..300),
        sought in btree_set(key(), 0..300),
    ) {
        let connection = empty_table();
        let rows = there.iter().zip(1..).map(|(key, change)| (key.clone(), Some(row(change)))).collect();
        write_all(&connection, &rows).unwrap();
        let mut found = Vec::new();
        look_up(&connection, sought.iter().map(Vec::as_slice), |_, row| { found.push(row); Ok(()) }).unwrap();
        let one_by_one: Vec<_> = sought.iter().map(|key| get(&connection, key).unwrap()).collect();
        let expected: Vec<_> = sought.iter().map(|key| rows.get(key).copied().flatten()).collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(one_by_one, expected);
    }

    #[test]
    fn rows_are_what_was_last_written(
        before in btree_set(key(), 0..100),
        after in btree_map(key(), any::<bool>(), 0..100),
    ) {
        let connection = empty_table();
        write_all(&connection, &before.iter().map(|key| (key.clone(), Some(row(1)))).collect()).unwrap();
        // Only what is there is removed.
        let changes: BTreeMap<_, _> = after
            .into_iter()
            .map(|(key, stays)| (key.clone(), (stays || !before.contains(&key)).then(|| row(2))))
            .collect();
        write_all(&connection, &changes).unwrap();
        let all: BTreeSet<_> = before.iter().chain(changes.keys()).cloned().collect();
        for key in all {
            let expected = changes.get(&key).copied().unwrap_or(Some(row(1)));
            prop_assert_eq!(get(&connection, &key).unwrap(), expected);
        }
    }

    #[test]
    fn the_key_log_stands_for_what_waits_in_it(
        commits in vec((btree_map(key(), any::<bool>(), 1..20), 0..8_u8), 1..12),
        key_log_rows in 1_usize..60,
    ) {
        let connection = empty_table();
        let options = Options { logged_rows: 1, scattered_rows: 0, key_log_rows, ..Options::default() };
        let mut log = log_of(&options);
        let mut expected = BTreeMap::new();
        for ((commit, then), change) in commits.into_iter().zip(1..) {
            log.merge_if_long(&connection, || Ok(())).unwrap();
            let commit: BTreeMap<_, _> =
                commit.into_iter().map(|(key, stays)| (key, stays.then(|| row(change)))).collect();
            let stored: Vec<_> = commit.iter().map(|(key, row)| (key.clone(), stored(*row))).collect();
            let stored: Vec<_> = stored.iter().map(|(key, row)| new(key, row)).collect();
            log.write(&connection, &stored, 0).unwrap();
            expected.extend(commit);
            match then {
                0 => log.forget(),
                1 => log.merge(&connection, || Ok(())).unwrap(),
                _ => {}
            }
            let rows = log.take(&connection).unwrap();
            let mut search = rows.search();
            for (key, expected) in &expected {
                let in_table: Option<KeyRow> = connection
                    .query_row("SELECT row FROM keys WHERE k = ?1", [key], |row| Ok(read_row(row, 0).unwrap()))
                    .optional()
                    .unwrap();
                prop_assert_eq!(search.now(key, in_table).unwrap(), *expected);
                prop_assert_eq!(get(&connection, key).unwrap(), *expected);
            }
            log.put(rows);
        }
    }
}

#[test]
fn a_row_that_has_gone_is_noticed() {
    let table = empty_table();
    assert!(matches!(remove(&table, [&[1][..]].into_iter()), Err(Trouble::Damaged(_))));
    let mut log = log_of(&Options::default());
    assert!(matches!(log.write(&table, &[new(&[1], &[])], 0), Err(Trouble::Damaged(_))));
}

#[test]
fn rows_that_lie_close_or_are_few_are_written_into_the_table() {
    let table = empty_table();
    let mut log = log_of(&Options { logged_rows: 2, scattered_rows: 4, ..Options::default() });
    let stored = stored(Some(row(1)));
    let parts_after = |log: &mut KeyLog, keys: &[&[u8]], passed| {
        let rows: Vec<_> = keys.iter().map(|key| new(key, &stored)).collect();
        log.write(&table, &rows, passed).unwrap();
        parts(&table).unwrap().collect::<Vec<_>>()
    };
    assert!(parts_after(&mut log, &[b"a", b"b"], 7).is_empty());
    assert!(parts_after(&mut log, &[b"c"], 100).is_empty());
    assert_eq!(parts_after(&mut log, &[b"d", b"e"], 8), [1]);
    // What the table has of a key that is in the log counts no more: it must not be written there.
    assert_eq!(parts_after(&mut log, &[b"d"], 0), [2, 1]);
    log.merge(&table, || Ok(())).unwrap();
    assert!(parts_after(&mut log, &[b"d"], 0).is_empty());
}

#[test]
fn a_merge_that_is_given_up_is_done_later() {
    let table = empty_table();
    let mut log = log_of(&Options { logged_rows: 1, scattered_rows: 0, ..Options::default() });
    log.write(&table, &[new(b"a", &stored(Some(row(1))))], 0).unwrap();
    assert!(matches!(log.merge(&table, || Err(Trouble::Cancelled)), Err(Trouble::Cancelled)));
    log.forget();
    log.merge(&table, || Ok(())).unwrap();
    assert_eq!(get(&table, b"a").unwrap(), Some(row(1)));
    assert_eq!(parts(&table).unwrap().count(), 0);
}
