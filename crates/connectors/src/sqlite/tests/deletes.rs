//! Asking whether records are still there.

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
async fn what_is_there_is_found_by_its_key_of_whatever_kind() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id PRIMARY KEY, v) WITHOUT ROWID;
         INSERT INTO t (id) VALUES (1), (2.5), (3.0), ('text'), ('1'), (x'0102'), (9e999), ('');",
    );
    let subject = sandbox.subject(&["t"]).await;
    assert_eq!(
        still(&subject, &["1", "2.5", "3", "\"text\"", "\"1\"", "\"AQI=\"", "\"Infinity\"", "\"\""]).await,
        ["\"\"", "\"1\"", "\"AQI=\"", "\"Infinity\"", "\"text\"", "1", "3", "2.5"]
    );
    let absent = ["2", "2.25", "\"Text\"", "\"2\"", "\"AQM=\"", "\"-Infinity\"", "true", "[1,2]", "1e400"];
    assert_eq!(still(&subject, &absent).await, [""; 0]);
}

#[tokio::test]
async fn values_that_sqlite_takes_for_equal_are_told_apart() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (a TEXT COLLATE NOCASE, b BOOLEAN, PRIMARY KEY (a, b)); INSERT INTO t VALUES ('Ada', 1), ('Bob', 2);",
    );
    let subject = sandbox.subject(&["t"]).await;
    let keys = ["[\"Ada\",true]", "[\"ada\",true]", "[\"Ada\",1]", "[\"Bob\",2]", "[\"Bob\",true]"];
    assert_eq!(still(&subject, &keys).await, ["[\"Ada\",true]", "[\"Bob\",2]"]);
}

#[tokio::test]
async fn a_key_without_an_index_is_looked_for_in_the_whole_table() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2);",
    );
    let mut subject = sandbox.subject(&[]).await;
    subject.streams = vec![Subject::stream(&name("t"), &["b", "a"])];
    assert_eq!(still(&subject, &["[1,\"x\"]", "[1,\"y\"]", "[2,\"y\"]"]).await, ["[1,\"x\"]", "[2,\"y\"]"]);
}

#[tokio::test]
async fn rows_without_a_key_are_found_by_their_number() {
    let sandbox = Sandbox::with("CREATE TABLE t (a); INSERT INTO t VALUES (7), (8);");
    assert_eq!(still(&sandbox.subject(&["t"]).await, &["1", "2", "3", "7"]).await, ["1", "2"]);
}

#[tokio::test]
async fn what_cannot_be_asked_for_counts_as_there() {
    let sandbox = Sandbox::with("CREATE TABLE s (a); CREATE VIEW t AS SELECT a FROM s;");
    let subject = sandbox.subject(&["t"]).await;
    assert_eq!(still(&subject, &["\"gone\""]).await, ["\"gone\""], "rows of a view without a key");
    sandbox.write("DROP VIEW t");
    assert_eq!(still(&subject, &["\"gone\""]).await, ["\"gone\""], "rows of what is gone altogether");
    std::fs::remove_file(sandbox.path("a.db")).unwrap();
    let asked = subject.source.verify_absent(&subject.streams[0], vec![vec![0x14]]).await;
    assert_eq!(asked.unwrap_err().kind(), ErrorKind::NotFound);
}
