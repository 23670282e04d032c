//! The conformance suite, over each kind of table.

use inlet_source::conformance;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const NUMBERS: &str = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 40)";

async fn run(sandbox: &Sandbox, subject: Subject, records: usize, rejected: usize) {
    conformance::run_all(&Subject { records, rejected, ..subject }).await;
    assert_eq!(sandbox.files(), ["a.db"], "nothing was left beside the database");
}

#[tokio::test]
async fn a_table_with_a_number_as_its_key() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); {NUMBERS} INSERT INTO t SELECT n, 'text ' || n FROM n;"
    ));
    run(&sandbox, sandbox.subject(&["t"]).await, 40, 0).await;
}

#[tokio::test]
async fn a_table_with_a_text_as_its_key_and_rows_without_one() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (id TEXT PRIMARY KEY, a); {NUMBERS} INSERT INTO t SELECT 'k' || (n * 7 % 41), n FROM n;
         INSERT INTO t VALUES (NULL, 1), (NULL, 2);"
    ));
    run(&sandbox, sandbox.subject(&["t"]).await, 40, 2).await;
}

#[tokio::test]
async fn a_table_without_row_numbers_and_with_a_key_of_several_columns() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (a TEXT COLLATE NOCASE, b REAL, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
         {NUMBERS} INSERT INTO t SELECT char(64 + n % 5, 97 + n % 2), n / 4.0, x'00ff' FROM n;"
    ));
    run(&sandbox, sandbox.subject(&["t"]).await, 40, 0).await;
}

#[tokio::test]
async fn a_table_without_a_key() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (a, rowid); {NUMBERS} INSERT INTO t SELECT n % 3, 'not the number' FROM n;"
    ));
    run(&sandbox, sandbox.subject(&["t"]).await, 40, 0).await;
}

#[tokio::test]
async fn a_view() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE s (a); {NUMBERS} INSERT INTO s SELECT n % 7 FROM n; CREATE VIEW t AS SELECT a, a * 2 AS b FROM s;"
    ));
    run(&sandbox, sandbox.subject(&["t"]).await, 40, 0).await;
}

#[tokio::test]
async fn a_table_by_its_cursor_field() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, at INTEGER); CREATE INDEX i ON t (at);
         {NUMBERS} INSERT INTO t SELECT 'k' || n, n / 5 FROM n; UPDATE t SET at = NULL WHERE id = 'k9';"
    ));
    run(&sandbox, sandbox.by_cursor("at").await, 40, 0).await;
}

#[tokio::test]
async fn several_tables_of_a_database_with_a_log() {
    let sandbox = Sandbox::with(&format!(
        "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE u (a UNIQUE NOT NULL, b);
         {NUMBERS} INSERT INTO t SELECT n FROM n; INSERT INTO u SELECT id, 'x' FROM t WHERE id <= 20;"
    ));
    run(&sandbox, sandbox.subject(&["u", "t"]).await, 60, 0).await;
}

#[tokio::test]
async fn a_database_that_another_program_has_open() {
    let sandbox = Sandbox::new();
    let program = sandbox.program();
    program
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY); {NUMBERS} INSERT INTO t SELECT n FROM n;"
        ))
        .unwrap();
    let subject = sandbox.subject(&["t"]).await;
    conformance::run_all(&Subject { records: 40, ..subject }).await;
    drop(program);
    assert_eq!(sandbox.files(), ["a.db"]);
}

/// Whatever a table holds, it is read whole, and from every checkpoint to the same end.
#[test]
fn any_values_conform() {
    let value = prop_oneof![
        Just("NULL".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        (-3_i64..3).prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}").replace("inf", "9e999").replace("NaN", "NULL")),
        "[aAb ]{0,3}".prop_map(|text| format!("'{text}'")),
        prop::collection::vec(any::<u8>(), 1..4).prop_map(|bytes| {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }),
        Just("CAST(x'ff61' AS TEXT)".to_owned()),
    ];
    let rows = prop::collection::vec((value.clone(), value), 1..25);
    let table = prop::sample::select(vec![
        "t (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "t (a PRIMARY KEY, b)",
        "t (a TEXT, b INTEGER, PRIMARY KEY (a, b))",
        "t (a COLLATE NOCASE, b UNIQUE NOT NULL)",
        "t (a, b)",
    ]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let tried = runner.run(&(table, rows), |(table, rows)| {
        let sandbox = Sandbox::with(&format!("CREATE TABLE {table};"));
        let program = sandbox.program();
        for (a, b) in &rows {
            program.execute(&format!("INSERT OR IGNORE INTO t VALUES ({a}, {b})"), []).ok();
        }
        let rows: u32 = program.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        drop(program);
        runtime.block_on(async {
            let subject = sandbox.subject(&["t"]).await;
            conformance::reading_goes_on_from_every_checkpoint(&subject).await;
            let mut collection = Collection::default();
            subject.read_into(&mut collection, SyncMode::Incremental, 1).await;
            assert_eq!(collection.records().len() + collection.rejections().len(), rows as usize, "{table}");
        });
        Ok(())
    });
    tried.unwrap();
}
