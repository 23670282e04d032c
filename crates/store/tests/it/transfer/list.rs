//! The list of what is moved, held against what there is: a table or a column that is added and forgotten there would be lost.

use std::collections::{BTreeMap, BTreeSet};

use inlet_model::SystemClock;
use inlet_store::CollectionStores;
use inlet_store::postgres::Postgres;
use inlet_store::transfer::{CATALOG, STORE, Table};
use rusqlite::Connection;

use super::scene::{columns, in_file, tables};
use super::servers::{Databases, connect};
use super::{parts, scene};
use crate::collection::{logging_options, open};

type Columns = BTreeMap<String, BTreeSet<String>>;

/// The list as columns by table, with others that are not moved.
fn listed(tables: &[Table], name: fn(&Table) -> &'static str, others: &[(&str, &[&str])]) -> Columns {
    let mut listed = Columns::new();
    for table in tables {
        let columns = table.key.iter().chain(table.rest).map(ToString::to_string);
        assert!(listed.insert(name(table).to_owned(), columns.collect()).is_none(), "{} twice", table.name);
    }
    for (table, columns) in others {
        listed.entry((*table).to_owned()).or_default().extend(columns.iter().map(ToString::to_string));
    }
    listed
}

fn of_file(file: &Connection) -> Columns {
    let of = |table: &String| columns(file, table).into_iter().map(|(name, _)| name).collect();
    tables(file).into_iter().map(|table| (table.clone(), of(&table))).collect()
}

#[tokio::test]
async fn every_column_of_a_file_is_moved() {
    let folder = tempfile::tempdir().unwrap();
    scene::write(folder.path()).await;
    let catalog = Connection::open(folder.path().join("catalog.db")).unwrap();
    let counters: &[&str] = &["name", "seq"];
    let mut expected = listed(CATALOG, in_file, &[("sqlite_sequence", counters)]);
    // The number that every row has.
    expected.get_mut("audit").unwrap().remove("number");
    assert_eq!(of_file(&catalog), expected);

    drop(open(folder.path(), logging_options()).open(scene::FULL).await.unwrap());
    let store = Connection::open(folder.path().join(format!("{}.db", scene::FULL))).unwrap();
    // What waits in the log is moved as what it becomes.
    let others: &[(&str, &[&str])] =
        &[("sqlite_sequence", counters), ("key_log", &["part", "k", "row"]), ("meta", &["one"])];
    assert_eq!(of_file(&store), listed(STORE, in_file, others));
}

#[tokio::test]
async fn every_column_of_a_database_is_moved() {
    let databases = Databases::start();
    let url = databases.empty().await;
    let database = Postgres::new(&url).unwrap();
    database.migrate(&SystemClock, &parts().1).await.unwrap();
    let client = connect(&url).await;
    let sql = "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
               AND NOT a.attisdropped";
    let mut found = Columns::new();
    for row in client.query(sql, &[]).await.unwrap() {
        found.entry(row.get(0)).or_default().insert(row.get(1));
    }
    let all = [CATALOG, STORE].concat();
    let mut expected = listed(
        &all,
        |table| table.name,
        &[("format", &["one", "version", "works_from"]), ("store_meta", &["next_push", "writes"])],
    );
    for table in STORE {
        expected.get_mut(table.name).unwrap().insert("store".to_owned());
    }
    assert_eq!(found, expected);
}

/// Whatever counts by itself has to go on where it was: see `transfer/numbers.rs`.
#[tokio::test]
async fn everything_that_counts_by_itself_is_known() {
    let databases = Databases::start();
    let url = databases.empty().await;
    Postgres::new(&url).unwrap().migrate(&SystemClock, &parts().1).await.unwrap();
    let sql = "SELECT sequencename::text FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1";
    let rows = connect(&url).await.query(sql, &[]).await.unwrap();
    let sequences: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(sequences, ["audit_number_seq", "delivery_numbers", "purges_id_seq", "tasks_id_seq"]);

    let folder = tempfile::tempdir().unwrap();
    scene::write(folder.path()).await;
    let counting = |path: std::path::PathBuf| -> Vec<String> {
        let file = Connection::open(path).unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name";
        let mut statement = file.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(counting(folder.path().join("catalog.db")), ["deliveries", "purges", "tasks"]);
    let store = folder.path().join(format!("collections/{}.db", scene::FULL));
    assert_eq!(counting(store), ["inbox"]);
}
