//! Rows that are gone: seen by a listing of one moment, or asked for by their keys.

use std::collections::BTreeSet;

use inlet_model::key::Key;

use super::*;

/// Which of these keys are still there, of those that the stream says.
async fn still(subject: &Subject, keys: &[&str]) -> Vec<String> {
    let encoded =
        keys.iter().map(|key| Key::from_json(key.as_bytes()).unwrap().as_bytes().to_vec()).collect();
    let found: BTreeSet<Vec<u8>> = subject.source.verify_absent(&subject.streams[0], encoded).await.unwrap();
    found.into_iter().map(|key| Key::from_encoded(key).unwrap().to_json()).collect()
}

#[tokio::test]
async fn a_listing_of_one_moment_deletes_what_it_did_not_see() {
    let sandbox =
        Sandbox::with("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5)")
            .await;
    let subject = sandbox.subject(&["public.t"]).await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("DELETE FROM t WHERE id IN (2, 4)").await;
    let messages = subject.read_into(&mut collection, SyncMode::FullRefresh, 1 << 20).await;
    assert_eq!(told(&messages), ["listing", "3 records", "complete, certified: true", "end"]);
    assert_eq!(keys(&collection), ["1", "3", "5"]);
}

#[tokio::test]
async fn what_is_there_is_found_by_its_key_of_whatever_kind() {
    let sandbox = Sandbox::new().await;
    for (column, rows, there, absent) in [
        ("bigint", "(1), (-7)", &["1", "-7"][..], &["2", "\"1\"", "true"][..]),
        ("numeric", "(1.50), ('NaN'), (3)", &["1.5", "\"NaN\"", "3"], &["1.51", "\"Infinity\""]),
        ("float8", "(0.1), ('-Infinity')", &["0.1", "\"-Infinity\""], &["0.2"]),
        ("text", "(''), ('a''\\b'), ('A')", &["\"\"", r#""a'\\b""#, "\"A\""], &["\"a\"", "\"b\""]),
        ("bytea", "('\\x00ff')", &["\"AP8=\""], &["\"AP8A\""]),
        ("boolean", "(true)", &["true"], &["false"]),
        (
            "uuid",
            "('6f1c0b6e-3c1d-4b52-9a8e-0d2f6a7b8c9d')",
            &["\"6f1c0b6e-3c1d-4b52-9a8e-0d2f6a7b8c9d\""],
            &["\"6f1c0b6e-3c1d-4b52-9a8e-0d2f6a7b8c9e\""],
        ),
        (
            "timestamptz",
            "('2024-01-01 00:00:00.5+00'), ('infinity'), ('12024-01-01 00:00:00+00')",
            &["\"2024-01-01T00:00:00.500000Z\"", "\"Infinity\"", "\"+012024-01-01T00:00:00.000000Z\""],
            &["\"2024-01-01T00:00:00.000000Z\""],
        ),
        ("date", "('2024-01-01')", &["\"2024-01-01\""], &["\"2024-01-02\""]),
        ("inet", "('10.0.0.1')", &["\"10.0.0.1\""], &["\"10.0.0.2\""]),
    ] {
        sandbox.write(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (id {column} PRIMARY KEY); INSERT INTO t VALUES {rows}")).await;
        let subject = sandbox.subject(&["public.t"]).await;
        let mut expected = there.to_vec();
        expected.sort_unstable();
        let mut found = still(&subject, there).await;
        found.sort_unstable();
        assert_eq!(found, expected, "{column}");
        let kinds_that_fit: Vec<_> = absent
            .iter()
            .filter(|key| !matches!((column, **key), ("bigint", "\"1\"" | "true")))
            .copied()
            .collect();
        assert_eq!(still(&subject, &kinds_that_fit).await, [""; 0], "{column}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_for_counts_as_there() {
    let sandbox = Sandbox::with("CREATE TABLE t (id inet PRIMARY KEY); INSERT INTO t VALUES ('10.0.0.1'); CREATE VIEW v AS SELECT 1 AS a").await;
    let subject = sandbox.subject(&["public.t"]).await;
    let keys = ["\"10.0.0.1\"", "\"10.0.0.2\"", "\"no address\"", "7"];
    assert_eq!(still(&subject, &keys).await, ["\"10.0.0.1\"", "\"no address\"", "7"]);
    assert_eq!(
        still(&sandbox.subject(&["public.v"]).await, &["\"gone\""]).await,
        ["\"gone\""],
        "rows without a key"
    );
    sandbox.write("DROP TABLE t").await;
    assert_eq!(still(&subject, &["\"10.0.0.2\""]).await, ["\"10.0.0.2\""], "rows of what is gone altogether");
}

#[tokio::test]
async fn an_incremental_sync_that_detects_deletes_lists_without_reading_everything() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, at int NOT NULL); INSERT INTO t SELECT n, n FROM generate_series(1, 5) n",
    )
    .await;
    let source = sandbox.source_with(json!({"detect_deletes": true}));
    let subject = sandbox.by_cursor_of(source, "at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("DELETE FROM t WHERE id = 2; UPDATE t SET at = 9 WHERE id = 3").await;
    let messages = sync(&subject, &mut collection).await;
    assert_eq!(
        told(&messages),
        ["listing", "2 records", "complete, certified: false", "end"],
        "the last one comes again"
    );
}
