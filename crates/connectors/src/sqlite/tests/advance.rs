//! Reading by a cursor field.

use super::*;

/// A database whose table `t` has an `id`, a cursor field `at` and a value `v`.
fn sandbox(rows: &str) -> Sandbox {
    Sandbox::with(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at, v); CREATE INDEX i ON t (at); INSERT INTO t VALUES {rows};"
    ))
}

#[tokio::test]
async fn only_what_comes_from_the_bound_on_is_read() {
    let sandbox = sandbox("(1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c')");
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    assert_eq!(
        told(&sync(&subject, &mut collection).await),
        ["listing", "3 records", "complete, certified: true", "end"]
    );
    sandbox.write("UPDATE t SET at = 40, v = 'changed' WHERE id = 1; INSERT INTO t VALUES (4, 35, 'd'); DELETE FROM t WHERE id = 2;");
    assert_eq!(told(&sync(&subject, &mut collection).await), ["3 records", "end"]);
    assert_eq!(keys(&collection), ["1", "2", "3", "4"], "deleted rows stay until a full refresh");
    assert!(data(&collection)[0].contains("changed"));
    assert_eq!(told(&sync(&subject, &mut collection).await), ["unchanged", "end"]);
    subject.read_into(&mut collection, SyncMode::FullRefresh, 1 << 20).await;
    assert_eq!(keys(&collection), ["1", "3", "4"]);
}

#[tokio::test]
async fn a_row_with_the_very_value_of_the_bound_is_not_missed() {
    let sandbox = sandbox("(1, '2024-01-01', 'a'), (2, '2024-01-02', 'b')");
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("INSERT INTO t VALUES (3, '2024-01-02', 'late')");
    assert_eq!(told(&sync(&subject, &mut collection).await), ["2 records", "end"]);
    assert_eq!(keys(&collection), ["1", "2", "3"]);
}

#[tokio::test]
async fn null_is_read_each_time_with_a_warning_and_infinity_is_never_passed() {
    let sandbox = sandbox("(1, NULL, 'a'), (2, 9e999, 'b'), (3, -9e999, 'c'), (4, 5, 'd'), (5, 6.5, 'e')");
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    assert_eq!(collection.records().len(), 5);
    sandbox.write(
        "UPDATE t SET v = v || '!'; UPDATE t SET at = 7 WHERE id = 4; INSERT INTO t VALUES (6, 100, 'f')",
    );
    let messages = sync(&subject, &mut collection).await;
    let warning = "`t`: 1 rows have no `at`; they are read again by every sync.";
    assert_eq!(told(&messages), [warning, "6 records", "end"]);
    sandbox.write("INSERT INTO t VALUES (7, 99, 'behind'), (8, 101, 'g')");
    assert_eq!(told(&sync(&subject, &mut collection).await), [warning, "5 records", "end"]);
    assert_eq!(keys(&collection), ["1", "2", "3", "4", "5", "6", "8"]);
}

#[tokio::test]
async fn a_cursor_field_of_several_kinds_is_refused_by_name() {
    for (rows, kinds) in [
        ("(1, 5, 1), (2, 'text', 1)", "holds numbers and texts"),
        ("(1, 2.5, 1), (2, x'00', 1), (3, NULL, 1)", "holds numbers and blobs"),
        ("(1, 'text', 1), (2, x'00', 1)", "holds texts and blobs"),
    ] {
        let sandbox = sandbox(rows);
        let subject = sandbox.by_cursor("at").await;
        let mut collection = Collection::default();
        let failure = failure(&sync(&subject, &mut collection).await);
        assert!(failure.starts_with("source.config") && failure.contains(kinds), "{failure}");
        assert!(collection.records().is_empty());
    }
    let sandbox = sandbox("(1, 5, 1)");
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("INSERT INTO t VALUES (2, 'text', 1)");
    assert!(failure(&sync(&subject, &mut collection).await).contains("holds numbers and texts"));
}

#[tokio::test]
async fn a_cursor_field_that_came_to_hold_another_kind_is_read_whole() {
    let sandbox = sandbox("(1, 'b', 1), (2, 'a', 1)");
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("UPDATE t SET at = id");
    assert_eq!(told(&sync(&subject, &mut collection).await), ["2 records", "end"]);
}

#[tokio::test]
async fn texts_compare_as_their_column_does() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT COLLATE NOCASE); INSERT INTO t VALUES (1, 'B'), (2, 'a');",
    );
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("INSERT INTO t VALUES (3, 'b'), (4, 'C'), (5, 'A')");
    assert_eq!(told(&sync(&subject, &mut collection).await), ["3 records", "end"], "B, b and C");
}

#[tokio::test]
async fn a_column_that_is_not_there_is_named() {
    let sandbox = sandbox("(1, 1, 1)");
    let subject = sandbox.by_cursor("updated").await;
    assert!(failure(&sync(&subject, &mut Collection::default()).await).contains("no column `updated`"));
}

#[tokio::test]
async fn a_table_of_other_columns_is_read_whole() {
    let sandbox = sandbox("(1, 1, 'a'), (2, 2, 'b')");
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("ALTER TABLE t ADD COLUMN w DEFAULT 7");
    assert_eq!(told(&sync(&subject, &mut collection).await)[0], "listing");
    assert!(data(&collection).iter().all(|record| record.contains("\"w\":7")));
}

/// With each kind of journal and of key, with an index and without, in batches of one record and of all.
#[tokio::test]
async fn nothing_is_missed_however_the_table_is_made() {
    for (journal, index, table) in [
        ("DELETE", "", "(id INTEGER PRIMARY KEY, at, v)"),
        ("DELETE", "CREATE INDEX i ON t (at);", "(id INTEGER PRIMARY KEY, at, v)"),
        ("WAL", "CREATE INDEX i ON t (at);", "(id TEXT PRIMARY KEY, at, v)"),
        ("DELETE", "CREATE INDEX i ON t (at);", "(id TEXT PRIMARY KEY NOT NULL, at, v) WITHOUT ROWID"),
    ] {
        let sandbox =
            Sandbox::with(&format!("PRAGMA journal_mode = {journal}; CREATE TABLE t {table}; {index}"));
        let program = sandbox.program();
        program.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
        let subject = sandbox.by_cursor("at").await;
        let mut collection = Collection::default();
        for round in 0..8_i64 {
            for step in 0..6 {
                let at = round * 4 + step / 2;
                let sql = "INSERT INTO t VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = ?2, v = ?3";
                program.execute(sql, rusqlite::params![(round * 5 + step) % 17, at, round]).unwrap();
            }
            subject
                .read_into(&mut collection, SyncMode::Incremental, if round % 2 == 0 { 1 } else { 1 << 20 })
                .await;
            let mut statement = program.prepare("SELECT v FROM t").unwrap();
            let mut there: Vec<i64> =
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            let value = |record: &String| {
                serde_json::from_str::<serde_json::Value>(record).unwrap()["v"].as_i64().unwrap()
            };
            let mut read: Vec<i64> = data(&collection).iter().map(value).collect();
            there.sort_unstable();
            read.sort_unstable();
            assert_eq!(read, there, "{journal}, {index}, {table}, round {round}");
        }
    }
}

#[tokio::test]
async fn a_view_can_be_read_by_a_cursor_field_too() {
    let sandbox = Sandbox::with(
        "CREATE TABLE s (id INTEGER PRIMARY KEY, at); INSERT INTO s VALUES (1, 1), (2, 2); CREATE VIEW t AS SELECT * FROM s;",
    );
    let mut subject = sandbox.by_cursor("at").await;
    subject.streams[0].primary_key = vec!["id".to_owned()];
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("INSERT INTO s VALUES (3, 3)");
    assert_eq!(told(&sync(&subject, &mut collection).await), ["2 records", "end"]);
    assert_eq!(keys(&collection), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_huge_value_costs_only_its_row() {
    let sandbox = sandbox("(1, 1, 'a')");
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("INSERT INTO t VALUES (2, 2, zeroblob(3000000)), (3, 3, 'b')");
    sync(&subject, &mut collection).await;
    assert_eq!(keys(&collection), ["1", "3"]);
    assert_eq!(collection.rejections()[0].code, "record.too_large");
}
