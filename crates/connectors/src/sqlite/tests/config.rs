//! Configs, and what discovery and checks tell.

use inlet_model::fields::FieldErrors;
use serde_json::Value;

use super::*;

fn refused(sandbox: &Sandbox, config: Value) -> Vec<(String, &'static str)> {
    let environment = Environment { files_roots: vec![sandbox.root()], ..Environment::default() };
    let FieldErrors(errors) = Sqlite::default().build(config, &environment).unwrap_err();
    errors.into_iter().map(|error| (error.pointer, error.code)).collect()
}

#[test]
fn a_bad_config_is_refused_with_every_bad_field() {
    let sandbox = Sandbox::new();
    for (path, code) in [
        (json!("/etc/passwd"), "files.outside_roots"),
        (json!("../a.db"), "files.outside_roots"),
        (json!(""), "files.bad_path"),
        (json!("a\0b"), "files.bad_path"),
        (json!("folder/"), "files.bad_path"),
        (json!(7), "field.type"),
        (json!(null), "field.required"),
    ] {
        let expected = [("/path".to_owned(), code), ("/tables".to_owned(), "field.unknown")];
        assert_eq!(refused(&sandbox, json!({"path": path, "tables": []})), expected, "{path}");
    }
    let FieldErrors(errors) =
        Sqlite::default().build(json!({"path": "a.db"}), &Environment::default()).unwrap_err();
    assert!(errors[0].detail.contains("--files-root"), "{errors:?}");
}

#[test]
fn the_schema_of_the_config_names_the_fields_that_are_read() {
    let schema = Sqlite::default().config_schema();
    assert_eq!(schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), ["path"]);
}

#[tokio::test]
async fn discovery_shows_tables_and_views_with_their_keys() {
    let sandbox = Sandbox::with(
        "CREATE TABLE number (id INTEGER PRIMARY KEY, a);
         CREATE TABLE several (b TEXT, a INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
         CREATE TABLE descending (id INTEGER PRIMARY KEY DESC);
         CREATE TABLE indexed (a, b TEXT NOT NULL UNIQUE, c UNIQUE);
         CREATE TABLE partly (a NOT NULL, b); CREATE UNIQUE INDEX p ON partly (a) WHERE b; CREATE UNIQUE INDEX e ON partly (a + 1);
         CREATE TABLE bare (a);
         CREATE VIEW seen AS SELECT a FROM bare; CREATE VIEW broken AS SELECT x FROM nowhere;
         CREATE VIRTUAL TABLE search USING fts5(text);
         CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE;",
    );
    let found = sandbox.source().discover().await.unwrap();
    let keys: Vec<_> = found.iter().map(|spec| (spec.name.as_str(), spec.primary_key.join(","))).collect();
    let expected = [
        ("bare", ""),
        ("counted", "id"),
        ("descending", "id"),
        ("indexed", "b"),
        ("number", "id"),
        ("partly", ""),
        ("seen", ""),
        ("several", "a,b"),
    ];
    assert_eq!(keys, expected.map(|(name, key)| (name, key.to_owned())));
}

#[tokio::test]
async fn discovery_suggests_only_an_indexed_time_of_update() {
    let sandbox = Sandbox::with(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, Updated_At TEXT, n); CREATE INDEX i ON a (Updated_At, n);
         CREATE TABLE b (id INTEGER PRIMARY KEY, updated_at TEXT); CREATE INDEX j ON b (updated_at) WHERE id > 7;
         CREATE TABLE c (id INTEGER PRIMARY KEY AUTOINCREMENT, n UNIQUE);",
    );
    let found = sandbox.source().discover().await.unwrap();
    let fields: Vec<_> = found.into_iter().map(|spec| spec.cursor_field).collect();
    assert_eq!(fields, [Some("Updated_At".to_owned()), None, None]);
}

#[tokio::test]
async fn discovery_counts_rows_or_believes_the_statistics() {
    let sandbox = Sandbox::with(
        "CREATE TABLE a (x); CREATE INDEX i ON a (x); INSERT INTO a VALUES (1), (2), (3); ANALYZE; DELETE FROM a;
         CREATE TABLE b (x); INSERT INTO b VALUES (1), (2); CREATE VIEW v AS SELECT * FROM a;
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 100001)
         SELECT count(*) FROM n; CREATE TABLE c (id INTEGER PRIMARY KEY);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 100001) INSERT INTO c SELECT n * 2 FROM n;",
    );
    let found = sandbox.source().discover().await.unwrap();
    let estimates: Vec<_> = found.iter().map(|spec| spec.estimated_records).collect();
    assert_eq!(estimates, [Some(3), Some(2), Some(200_001), None]);
}

#[tokio::test]
async fn the_schema_allows_what_a_column_can_hold() {
    let sandbox = Sandbox::with(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, t VARCHAR(9), x, f BOOLEAN, g AS (n * 2) STORED);
         CREATE TABLE b (n INT, r REAL, t TEXT NOT NULL, b BLOB, x ANY) STRICT;",
    );
    let found = sandbox.source().discover().await.unwrap();
    let types = |index: usize| {
        let properties = found[index].schema["properties"].as_object().unwrap();
        properties.iter().map(|(name, schema)| (name.clone(), schema["type"].clone())).collect::<Value>()
    };
    assert_eq!(
        types(0),
        json!({
            "id": ["integer"], "n": ["number", "string"], "t": ["string", "null"], "x": ["number", "string", "null"],
            "f": ["boolean", "number", "string", "null"], "g": ["number", "string", "null"],
        })
    );
    assert_eq!(
        types(1),
        json!({
            "n": ["integer", "null"], "r": ["number", "string", "null"], "t": ["string"], "b": ["string", "null"],
            "x": ["number", "string", "null"],
        })
    );
    assert_eq!(found[0].schema["properties"]["t"]["description"], "declared as VARCHAR(9)");
}

#[tokio::test]
async fn a_check_says_what_is_wrong_with_the_file() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.source().check().await.unwrap_err().kind(), ErrorKind::NotFound);
    std::fs::write(sandbox.path("a.db"), "id,name\n".repeat(1000)).unwrap();
    let error = sandbox.source().check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Format);
    assert!(error.to_string().contains("not a SQLite database, or it is encrypted"), "{error}");
    std::fs::remove_file(sandbox.path("a.db")).unwrap();
    std::fs::create_dir(sandbox.path("a.db")).unwrap();
    assert_eq!(sandbox.source().check().await.unwrap_err().kind(), ErrorKind::Denied);
    std::fs::remove_dir(sandbox.path("a.db")).unwrap();
    sandbox.write("CREATE TABLE t (a)");
    sandbox.source().check().await.unwrap();
}

#[tokio::test]
async fn a_link_out_of_the_roots_is_not_followed() {
    let sandbox = Sandbox::new();
    let outside = sandbox.directory.path().join("secret.db");
    Connection::open(&outside).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let source = sandbox.source();
    std::os::unix::fs::symlink(&outside, sandbox.path("a.db")).unwrap();
    assert_eq!(source.check().await.unwrap_err().kind(), ErrorKind::Denied);
}
