//! A data directory with something in every table, and all that a directory holds.

use std::collections::BTreeMap;
use std::path::Path;

use inlet_model::StoreId;
use inlet_store::CollectionStores;
use inlet_store::transfer::{STORE, Table};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::catalog::golden::write_everything;
use crate::collection::scene::{begin, commit, finish, synced, undo_step, upkeep_step};
use crate::collection::{golden, logging_options, open};

/// A collection with some hundred records, superseded versions, an undo, and rows in the key log.
pub(super) const BUSY: StoreId = StoreId::from_u128(0xb5);
/// One in which every table has a row.
pub(super) const FULL: StoreId = StoreId::from_u128(0xf0);

/// Writes a data directory with something in every table.
pub(super) async fn write(dir: &Path) {
    std::fs::create_dir_all(dir.join("collections")).unwrap();
    write_everything(&dir.join("catalog.db")).await;
    let catalog = Connection::open(dir.join("catalog.db")).unwrap();
    catalog
        .execute_batch(
            "INSERT INTO previews SELECT min(id), '{}' FROM syncs;
             INSERT INTO purges (store_id, connector_id, stream) VALUES ('a', 'b', 'c'), ('a', 'b', NULL);
             INSERT INTO audit (id, at, actor, request_id, action, fields)
             VALUES ('z', 1, 'a', 'r', 'key.create', '{}'), ('y', 2, 'a', 'r', 'key.create', '{}'), ('x', 3, 'a', 'r', 'key.create', '{}');
             DELETE FROM audit WHERE id = 'z';
             UPDATE nodes SET lease_until = 1;",
        )
        .unwrap();
    let collections = dir.join("collections");
    golden::written(&collections).await;
    busy(&collections).await;
    full(&collections).await;
}

/// What happens to a collection in its life.
async fn busy(collections: &Path) {
    let stores = open(collections, logging_options());
    let store = stores.open(BUSY).await.unwrap();
    synced(&*store, 1, 0..300, "first").await;
    synced(&*store, 2, 100..200, "second").await;
    synced(&*store, 3, 0..20, "").await;
    upkeep_step(&*store, 100, 40).await;
    begin(&*store, 4, 4).await;
    undo_step(&*store, 4, 4, 3).await;
    finish(&*store, 4, 4).await;
    begin(&*store, 5, 5).await;
    commit(&*store, 5, 5_000..5_007, "in the log").await;
}

/// A row in every table, made up but for its types, with texts that only one of the two backends can keep as they are.
async fn full(collections: &Path) {
    drop(open(collections, logging_options()).open(FULL).await.unwrap());
    let file = Connection::open(collections.join(format!("{FULL}.db"))).unwrap();
    for table in STORE.iter().filter(|table| !table.key.is_empty()) {
        let columns = columns(&file, in_file(table));
        let value = |(name, kind): &(String, String)| match kind.as_str() {
            "INTEGER" => Value::Integer(7 + name.len() as i64),
            "TEXT" => Value::Text(format!("{name} \0 and \u{10FFFF}0 and ∞")),
            _ => Value::Blob(vec![0xff, 0, 0x5c, name.len() as u8]),
        };
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {} VALUES ({marks})", in_file(table));
        file.execute(&sql, rusqlite::params_from_iter(columns.iter().map(value))).unwrap();
    }
}

/// What a file calls a table.
pub(super) fn in_file(table: &Table) -> &'static str {
    table.name.strip_prefix("store_").unwrap_or(table.name)
}

/// The columns of a table, and their types.
pub(super) fn columns(file: &Connection, table: &str) -> Vec<(String, String)> {
    let mut statement = file.prepare("SELECT name, type FROM pragma_table_info(?1)").unwrap();
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The names of the tables of a file.
pub(super) fn tables(file: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = file.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// All that is in a directory, value for value: by file and table, the schema too.
pub(super) type Everything = BTreeMap<String, Vec<String>>;

/// Reads all that is in a directory.
pub(super) fn everything(dir: &Path) -> Everything {
    let mut files = vec![dir.join("catalog.db")];
    files.extend(std::fs::read_dir(dir.join("collections")).unwrap().map(|entry| entry.unwrap().path()));
    let mut found = Everything::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "db")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let file = Connection::open(path).unwrap();
        for table in tables(&file) {
            found.insert(format!("{name} {table}"), rows(&file, &table));
        }
        let schema = "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name";
        found.insert(format!("{name} schema"), shown(&file, schema));
    }
    found
}

/// Both hold the same; the first table that they do not is named.
pub(super) fn assert_same(one: &Everything, other: &Everything) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (table, rows) in one {
        assert_eq!(rows, &other[table], "{table}");
    }
}

fn rows(file: &Connection, table: &str) -> Vec<String> {
    // The order of the entries is that of these numbers.
    let number = if table == "audit" { "rowid, " } else { "" };
    let mut rows = shown(file, &format!("SELECT {number}* FROM {table}"));
    rows.sort();
    rows
}

fn shown(file: &Connection, sql: &str) -> Vec<String> {
    let mut statement = file.prepare(sql).unwrap();
    let width = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
        let values = (0..width).map(|column| row.get::<_, Value>(column));
        Ok(format!("{:?}", values.collect::<rusqlite::Result<Vec<_>>>()?))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}
