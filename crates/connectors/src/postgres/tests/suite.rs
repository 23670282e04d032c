//! The conformance suite, over each kind of table.

use inlet_source::conformance;

use super::*;

async fn run(subject: Subject, records: usize, rejected: usize) {
    conformance::run_all(&Subject { records, rejected, ..subject }).await;
}

#[tokio::test]
async fn a_table_with_a_number_as_its_key() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id bigint PRIMARY KEY, a text); INSERT INTO t SELECT n, 'text ' || n FROM generate_series(1, 40) n",
    )
    .await;
    run(sandbox.subject(&["public.t"]).await, 40, 0).await;
}

#[tokio::test]
async fn a_table_with_a_key_of_several_columns_in_an_order_of_its_own() {
    let sandbox = Sandbox::with(
        "CREATE TYPE size AS ENUM ('small', 'a \"large\" one');
         CREATE TABLE t (s size, b numeric(30,20), a text COLLATE \"C\", c bytea, d date, u uuid, at timestamptz, PRIMARY KEY (s, b, a, c, d, u, at));
         INSERT INTO t SELECT (enum_range(NULL::size))[1 + n % 2], n / 4, chr(64 + n % 5) || '\\', '\\x00ff', 'epoch'::date - n * 20000,
           md5(n::text)::uuid, 'epoch'::timestamptz + n * interval '1 hour' FROM generate_series(1, 40) n",
    )
    .await;
    run(sandbox.subject(&["public.t"]).await, 40, 0).await;
}

#[tokio::test]
async fn tables_and_views_without_a_key() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (a int, b text); INSERT INTO t SELECT n % 3, NULL FROM generate_series(1, 40) n;
         CREATE VIEW v AS SELECT a, a * 2 AS twice FROM t; CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t;
         CREATE TABLE empty ()",
    )
    .await;
    run(sandbox.subject(&["public.v", "public.t", "public.m"]).await, 81, 0).await;
}

#[tokio::test]
async fn a_partitioned_table_and_one_whose_names_must_be_quoted() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, a text) PARTITION BY RANGE (id);
         CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (20); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (20) TO (100);
         INSERT INTO t SELECT n, 'x' FROM generate_series(1, 40) n;
         CREATE SCHEMA \"my \"\"schema\"; CREATE TABLE \"my \"\"schema\".\"Ta.ble's\" (\"Key\\\" text PRIMARY KEY, \"a b\" int);
         INSERT INTO \"my \"\"schema\".\"Ta.ble's\" SELECT n || '''\\\"', n FROM generate_series(1, 10) n",
    )
    .await;
    run(sandbox.subject(&["public.t", "my \"schema.Ta.ble's"]).await, 50, 0).await;
}

#[tokio::test]
async fn a_table_by_its_cursor_field() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id text PRIMARY KEY, at timestamp); CREATE INDEX ON t (at);
         INSERT INTO t SELECT 'k' || n, 'epoch'::timestamp + n / 5 * interval '1 day' FROM generate_series(1, 40) n;
         UPDATE t SET at = NULL WHERE id = 'k9'; UPDATE t SET at = 'infinity' WHERE id = 'k8'; UPDATE t SET at = '-infinity' WHERE id = 'k7'",
    )
    .await;
    run(sandbox.by_cursor("at").await, 40, 0).await;
}

#[tokio::test]
async fn everything_of_one_moment() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT n, 'x' FROM generate_series(1, 20) n;
         CREATE TABLE u (id uuid PRIMARY KEY); INSERT INTO u SELECT gen_random_uuid() FROM generate_series(1, 20) n",
    )
    .await;
    let source = sandbox.source_with(json!({"consistent_snapshot": true}));
    let subject = Subject { records: 40, ..sandbox.subject_of(source, &["public.t", "public.u"]).await };
    conformance::a_first_read_yields_everything_in_order(&subject).await;
    conformance::a_second_incremental_read_yields_nothing(&subject).await;
    conformance::reading_ends_when_nobody_listens(&subject).await;
}

#[tokio::test]
async fn rows_that_are_too_large_are_refused_wherever_they_stand() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT n, 'x' FROM generate_series(1, 20) n;
         UPDATE t SET a = repeat('y', 3000000) WHERE id IN (1, 7, 8, 20); UPDATE t SET a = repeat('z', 1100000) WHERE id = 12",
    )
    .await;
    run(sandbox.subject(&["public.t"]).await, 15, 5).await;
}
