//! How values and names come out.

use super::*;

#[tokio::test]
async fn values_keep_every_digit_and_bit() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v);
         INSERT INTO t (v) VALUES (NULL), (9223372036854775807), (-9223372036854775808), (0.1), (1.0), (-0.0), (1e300),
           (5e-324), (9e999), (-9e999), ('Zürich \"\\ ' || char(10, 1)), (''), (x''), (x'000102ff'), ('2024-03-31 10:15:00'),
           ('{\"a\":1}'), ('a' || char(0) || 'b');",
    );
    let values: Vec<_> = data(&sandbox.read().await)
        .into_iter()
        .map(|record| record.split_once("\"v\":").unwrap().1.trim_end_matches('}').to_owned())
        .collect();
    let expected = [
        "null",
        "9223372036854775807",
        "-9223372036854775808",
        "0.1",
        "1.0",
        "-0.0",
        "1e300",
        "5e-324",
        "\"Infinity\"",
        "\"-Infinity\"",
        "\"Zürich \\\"\\\\ \\n\\u0001\"",
        "\"\"",
        "\"\"",
        "\"AAEC/w==\"",
        "\"2024-03-31 10:15:00\"",
        "\"{\\\"a\\\":1",
        "\"a\\u0000b\"",
    ];
    for (value, expected) in values.iter().zip(expected) {
        assert_eq!(value.trim_end_matches("}\""), expected.trim_end_matches("}\""));
    }
    assert_eq!(values.len(), expected.len());
}

#[tokio::test]
async fn zero_and_one_are_booleans_where_they_were_declared_to_be() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a BOOLEAN, b bool, c INTEGER);
         INSERT INTO t VALUES (1, 1, 0, 1), (2, 2, 'yes', 0), (3, NULL, 1.5, 1);",
    );
    assert_eq!(
        data(&sandbox.read().await),
        [
            r#"{"a":true,"b":false,"c":1,"id":1}"#,
            r#"{"a":2,"b":"yes","c":0,"id":2}"#,
            r#"{"a":null,"b":1.5,"c":1,"id":3}"#
        ]
    );
}

#[tokio::test]
async fn a_text_that_is_no_text_is_refused_and_so_is_a_key_that_is_null_or_too_long() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id TEXT PRIMARY KEY, v);
         INSERT INTO t VALUES ('bad', CAST(x'61ff' AS TEXT)), ('good', 1), (NULL, 2), (printf('%.70000c', 'k'), 3);",
    );
    let collection = sandbox.read().await;
    assert_eq!(keys(&collection), ["\"good\""]);
    let mut refused: Vec<_> = collection.rejections().iter().map(|each| (each.position, each.code)).collect();
    refused.sort_unstable();
    assert_eq!(refused, [(1, "sqlite.invalid_utf8"), (3, "key.null"), (4, "key.too_long")]);
}

#[tokio::test]
async fn a_database_of_utf_16_gives_utf_8() {
    let sandbox = Sandbox::with(
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL); INSERT INTO t VALUES ('Zürich'), ('東京');",
    );
    let subject = sandbox.subject(&["t"]).await;
    let mut collection = Collection::default();
    subject.read_into(&mut collection, SyncMode::Incremental, 1).await;
    assert_eq!(keys(&collection), ["\"Zürich\"", "\"東京\""]);
}

/// A value that SQLite refuses to load, as it is beyond the limit, costs its row and no memory.
#[tokio::test]
async fn a_huge_value_costs_only_its_row() {
    for table in [
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, v)",
        "CREATE TABLE t (id TEXT PRIMARY KEY, v) WITHOUT ROWID",
    ] {
        let sandbox = Sandbox::with(&format!(
            "{table}; INSERT INTO t VALUES (1, zeroblob(3000000)), (2, 'x'), (3, zeroblob(4000000)), (4, zeroblob(3000000)), (5, zeroblob(1000000)), (6, 'y');"
        ));
        let collection = sandbox.read().await;
        let found: Vec<_> = keys(&collection).iter().map(|key| key.trim_matches('"').to_owned()).collect();
        assert_eq!(found, ["2", "6"], "{table}");
        let codes: Vec<_> = collection.rejections().iter().map(|refused| refused.code).collect();
        assert_eq!(codes, ["record.too_large"; 4], "{table}");
        assert!(collection.rejections()[0].sample.contains('1'), "{:?}", collection.rejections()[0]);
        conformance_from_every_checkpoint(&sandbox).await;
    }
}

async fn conformance_from_every_checkpoint(sandbox: &Sandbox) {
    inlet_source::conformance::reading_goes_on_from_every_checkpoint(&sandbox.subject(&["t"]).await).await;
}

#[tokio::test]
async fn names_may_be_anything() {
    let names = ["select", "a\"b", "a'b", "a;b -- c", "[a]", "`a`", "Zürich", " ", "?1", ":a", "{\"a\":1}\\"];
    let sandbox = Sandbox::new();
    let program = sandbox.program();
    for name in names {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let sql = format!(
            "CREATE TABLE {quoted} ({quoted} TEXT PRIMARY KEY NOT NULL, z); INSERT INTO {quoted} VALUES ('v', 1);"
        );
        program.execute_batch(&sql).unwrap();
    }
    drop(program);
    let subject = sandbox.subject(&names).await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    assert_eq!(collection.records().len(), names.len());
    for (record, (stream, _)) in data(&collection).iter().zip(collection.records().keys()) {
        let record: serde_json::Value = serde_json::from_str(record).unwrap();
        assert_eq!(record[stream.as_str()], "v");
    }
}

#[tokio::test]
async fn only_the_selected_fields_and_the_key_are_read() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 2, zeroblob(3000000));",
    );
    let mut subject = sandbox.subject(&["t"]).await;
    subject.streams[0].fields = Some(vec!["a".to_owned()]);
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    assert_eq!(data(&collection), [r#"{"a":2,"id":1}"#], "what is not wanted may be as large as it likes");
}

#[tokio::test]
async fn a_table_without_a_key_is_known_by_the_numbers_of_its_rows() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (a, rowid, oid); INSERT INTO t VALUES ('x', 'y', 'z'), ('x', 'y', 'z');",
    );
    assert_eq!(keys(&sandbox.read().await), ["1", "2"]);
    sandbox.write(
        "DROP TABLE t; CREATE TABLE t (rowid, _rowid_, oid); INSERT INTO t VALUES (1, 2, 3), (1, 2, 3);",
    );
    assert_eq!(
        sandbox.read().await.records().len(),
        2,
        "where the numbers have no name left, by their content"
    );
}

#[tokio::test]
async fn a_key_that_was_chosen_wins() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 'x', 1), (2, 'x', 2);",
    );
    let mut subject = sandbox.subject(&[]).await;
    subject.streams = vec![Subject::stream(&name("t"), &["b", "a"])];
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    assert_eq!(keys(&collection), [r#"[1,"x"]"#, r#"[2,"x"]"#]);
    subject.streams = vec![Subject::stream(&name("t"), &[])];
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    assert_eq!(keys(&collection), ["1", "2"], "without one the table's own counts");
    subject.streams = vec![Subject::stream(&name("t"), &["nowhere"])];
    assert!(failure(&sync(&subject, &mut collection).await).contains("`t` has no column `nowhere`"));
}

#[tokio::test]
async fn a_collation_that_only_a_program_has_does_not_keep_a_table_from_being_read() {
    let sandbox = Sandbox::new();
    let program = sandbox.program();
    // Written without it, as a program would that has it.
    program
        .execute_batch("CREATE TABLE t (id TEXT PRIMARY KEY, v); INSERT INTO t VALUES ('b', 1), ('a', 2);")
        .unwrap();
    program
        .execute_batch(
            "PRAGMA writable_schema = 1;
             UPDATE sqlite_schema SET sql = 'CREATE TABLE t (id TEXT COLLATE house PRIMARY KEY, v)' WHERE name = 't';",
        )
        .unwrap();
    drop(program);
    assert_eq!(keys(&sandbox.read().await), ["\"a\"", "\"b\""]);
}
