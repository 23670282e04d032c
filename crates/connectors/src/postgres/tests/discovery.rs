//! What discovery says of tables.

use super::*;

#[tokio::test]
async fn tables_are_shown_with_what_they_are() {
    let sandbox = Sandbox::with(
        "CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL, tags jsonb, updated_at timestamptz NOT NULL);
         CREATE INDEX ON orders (updated_at); INSERT INTO orders SELECT n, 1, NULL, now() FROM generate_series(1, 1000) n; ANALYZE orders;
         CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day); CREATE TABLE parts_a PARTITION OF parts DEFAULT;
         CREATE TABLE codes (a text NOT NULL, b text NOT NULL, updated timestamp, UNIQUE (b, a)); CREATE UNIQUE INDEX ON codes (a) WHERE b = 'x';
         CREATE VIEW v AS SELECT 1 AS one; CREATE SCHEMA inner_one; CREATE TABLE inner_one.t (x int)",
    )
    .await;
    let found = sandbox.source().discover().await.unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|spec| {
            (
                spec.name.as_str(),
                spec.primary_key.join(","),
                spec.cursor_field.as_deref(),
                spec.estimated_records,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("inner_one.t", String::new(), None, None),
            ("public.codes", "b,a".to_owned(), None, None),
            ("public.orders", "id".to_owned(), Some("updated_at"), Some(1000)),
            ("public.parts", String::new(), None, None),
            ("public.v", String::new(), None, None),
        ]
    );
    assert_eq!(
        found[2].schema["properties"],
        json!({
            "id": {"type": "integer", "description": "bigint"},
            "amount": {"type": ["number", "string"], "description": "numeric(12,2)"},
            "tags": {"description": "jsonb"},
            "updated_at": {"type": "string", "format": "date-time", "description": "timestamp with time zone"},
        })
    );
    let only = sandbox.source_with(json!({"schemas": ["inner_one"]})).discover().await.unwrap();
    assert_eq!(only.len(), 1);
}

#[tokio::test]
async fn only_what_the_role_may_read_is_shown_and_read() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, open text, secret text); INSERT INTO t VALUES (1, 'o', 's'); CREATE TABLE hidden (id int);
         CREATE ROLE reader LOGIN PASSWORD 'pass'; GRANT SELECT (id, open) ON t TO reader",
    )
    .await;
    let source = sandbox.source_with(json!({"user": "reader", "password": "pass"}));
    let subject = sandbox.subject_of(source, &["public.t"]).await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    assert_eq!(data(&collection), [r#"{"id":1,"open":"o"}"#]);
    assert_eq!(subject.source.discover().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_table_that_others_inherit_from_has_its_own_rows_only() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE child () INHERITS (t); INSERT INTO t VALUES (1); INSERT INTO child VALUES (1)",
    )
    .await;
    assert_eq!(keys(&sandbox.read().await), ["1"]);
}
