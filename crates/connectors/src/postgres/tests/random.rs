//! Random rows of random types: the record holds what the server itself makes of the row in JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::*;

/// Types, with expressions of SQL that make a value of them from a random number `r`. The server writes them to JSON alike.
const TYPES: [(&str, &str); 14] = [
    ("bigint", "('x' || substr(md5(r::text), 1, 16))::bit(64)::bigint"),
    ("smallint", "(r % 65536 - 32768)::smallint"),
    ("numeric", "(r::numeric * 1234567890123456789) / (10::numeric ^ (r % 40)::int)"),
    ("numeric(30,20)", "r / 7.0"),
    ("boolean", "r % 2 = 0"),
    (
        "text",
        "(SELECT string_agg(chr(abs(hashint8(r + n) % 55000) + 1), '') FROM generate_series(1, r % 20) n)",
    ),
    ("varchar(50)", "chr((r % 55000)::int + 1) || E'\\\\\\t\\n\\r\"' || chr((r % 127 + 1)::int)"),
    ("uuid", "md5(r::text)::uuid"),
    ("date", "'0001-01-01'::date + (r % 3600000)::int"),
    (
        "jsonb",
        "jsonb_build_object('k' || r % 7, r, 'a', jsonb_build_array(r / 3.0, NULL, 'x' || chr((r % 55000)::int + 1), r % 2 = 0))",
    ),
    ("int[]", "ARRAY[(r % 1000)::int, NULL, -(r % 77)::int]"),
    ("text[]", "ARRAY[chr((r % 500)::int + 1), '', NULL, 'NULL', '{\"', E'a\\\\b,']"),
    ("bigint[]", "ARRAY[[r, NULL], [-r, 0]]"),
    ("inet", "('10.' || r % 256 || '.' || r / 7 % 256 || '.1')::inet"),
];

/// A table's columns by number of their type, and whether each value is NULL is left to chance.
fn statements(columns: &[usize], seeds: &[u32]) -> String {
    let declared = columns.iter().enumerate().map(|(index, kind)| format!("c{index} {}", TYPES[*kind].0));
    let declared = declared.collect::<Vec<_>>().join(", ");
    let values = columns.iter().enumerate().map(|(index, kind)| {
        format!("CASE WHEN (r + {index}) % 5 = 0 THEN NULL ELSE {} END", TYPES[*kind].1)
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let seeds = seeds
        .iter()
        .enumerate()
        .map(|(id, seed)| format!("({id}, {seed}::bigint)"))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, {declared});
         INSERT INTO t SELECT id, {values} FROM (VALUES {seeds}) AS s (id, r)"
    )
}

/// The JSON, read by somebody who keeps numbers as they are spelled.
fn parsed(json: &str) -> String {
    let mut out = Vec::new();
    let mut reader = inlet_model::json::Canonicalizer::new(inlet_model::json::Limits::default());
    reader.value(json.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_record_holds_what_the_server_makes_of_the_row() {
    let sandbox = Sandbox::new().await;
    let rows = (vec(0..TYPES.len(), 1..8), vec(any::<u32>(), 1..30));
    let seed = std::env::var("INLET_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2026);
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    for _ in 0..12 {
        let (columns, seeds) = rows.new_tree(&mut runner).unwrap().current();
        let sql = statements(&columns, &seeds);
        sandbox.write(&sql).await;
        let expected = sandbox.client.query("SELECT to_json(t)::text FROM t ORDER BY id", &[]).await.unwrap();
        let expected: Vec<String> = expected.iter().map(|row| parsed(row.get(0))).collect();
        let found: Vec<String> = data(&sandbox.read().await).iter().map(|record| parsed(record)).collect();
        assert_eq!(found, expected, "seed {seed}: {sql}");
    }
}
