//! Every type, and its edges: what is in the record is what the table holds.

use super::*;

/// What a value of SQL becomes.
async fn check(sandbox: &Sandbox, values: &[(&str, &str)]) {
    let columns = values.iter().enumerate().map(|(index, (sql, _))| format!("{sql} AS c{index:03}"));
    let columns = columns.collect::<Vec<_>>().join(",\n");
    sandbox.write(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT 1 AS id, {columns}; ALTER TABLE t ADD PRIMARY KEY (id)")).await;
    let collection = sandbox.read().await;
    let rejections: Vec<_> = collection.rejections().iter().map(|each| &each.reason).collect();
    assert_eq!(rejections, [""; 0]);
    let record = data(&collection).remove(0);
    let fields: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(&record).unwrap();
    for (index, (sql, expected)) in values.iter().enumerate() {
        assert_eq!(fields[&format!("c{index:03}")].get(), *expected, "{sql}");
    }
}

#[tokio::test]
async fn numbers_keep_every_digit() {
    let sandbox = Sandbox::new().await;
    check(
        &sandbox,
        &[
            ("9007199254740993::bigint", "9007199254740993"),
            ("'-9223372036854775808'::bigint", "-9223372036854775808"),
            ("(-32768)::smallint", "-32768"),
            ("4294967295::oid", "4294967295"),
            ("'18446744073709551615'::xid8", "18446744073709551615"),
            ("'4294967295'::xid", "4294967295"),
            ("1.23456789012345678901::numeric(30,20)", "1.23456789012345678901"),
            ("19.9::numeric(12,2)", "19.90"),
            ("0::numeric(5,3)", "0.000"),
            ("('1' || repeat('0', 130000) || '.5')::numeric % 10", "0.5"),
            ("'NaN'::numeric", "\"NaN\""),
            ("'Infinity'::numeric", "\"Infinity\""),
            ("'-Infinity'::numeric", "\"-Infinity\""),
            ("0.1::float8", "0.1"),
            ("0.1::float4", "0.1"),
            ("1e300::float8 * 10", "1e+301"),
            ("5e-324::float8", "5e-324"),
            ("'-0'::float8", "-0"),
            ("'NaN'::float4", "\"NaN\""),
            ("'-Infinity'::float8", "\"-Infinity\""),
            ("1234567.89::numeric::money", "1234567.89"),
            ("(-0.05)::numeric::money", "-0.05"),
            ("true", "true"),
            ("false", "false"),
            ("NULL::bigint", "null"),
        ],
    )
    .await;
}

#[tokio::test]
async fn texts_and_bytes_keep_every_character() {
    let sandbox = Sandbox::new().await;
    check(
        &sandbox,
        &[
            ("''::text", "\"\""),
            ("NULL::text", "null"),
            ("'\\N'::text", "\"\\\\N\""),
            (
                "E'tab\\tline\\nreturn\\rback\\\\slash\"quote\\b\\f\\x0b\\x01'::text",
                r#""tab\tline\nreturn\rback\\slash\"quote\b\f\u000b\u0001""#,
            ),
            ("'Zürich 🙂'::varchar(20)", "\"Zürich 🙂\""),
            ("'ab'::char(4)", "\"ab  \""),
            ("'a'::\"char\"", "\"a\""),
            ("'a name'::name", "\"a name\""),
            ("'\\x00ff'::bytea", "\"AP8=\""),
            ("''::bytea", "\"\""),
            ("'6F1C0B6E-3C1D-4B52-9A8E-0D2F6A7B8C9D'::uuid", "\"6f1c0b6e-3c1d-4b52-9a8e-0d2f6a7b8c9d\""),
            ("'<a href=\"x\">y</a>'::xml", "\"<a href=\\\"x\\\">y</a>\""),
            ("B'0101'::bit(4)", "\"0101\""),
            ("B'011'::varbit", "\"011\""),
            ("'192.168.0.1/24'::inet", "\"192.168.0.1/24\""),
            ("'10.0.0.0/8'::cidr", "\"10.0.0.0/8\""),
            ("'08:00:2b:01:02:03'::macaddr", "\"08:00:2b:01:02:03\""),
            ("'08:00:2b:01:02:03:04:05'::macaddr8", "\"08:00:2b:01:02:03:04:05\""),
            ("'(1.5,-2)'::point", "\"(1.5,-2)\""),
            ("'((0,0),(1,1))'::box", "\"(1,1),(0,0)\""),
            ("'<(0,0),2>'::circle", "\"<(0,0),2>\""),
            ("'16/B374D848'::pg_lsn", "\"16/B374D848\""),
            ("'a fat cat'::tsvector", "\"'a' 'cat' 'fat'\""),
            ("'fat & cat'::tsquery", "\"'fat' & 'cat'\""),
            ("'$.a[*] ? (@ > 1)'::jsonpath", r#""$.\"a\"[*]?(@ > 1)""#),
            ("'pg_class'::regclass", "\"pg_class\""),
            ("'1 2 3'::int2vector", "\"1 2 3\""),
        ],
    )
    .await;
}

#[tokio::test]
async fn times_keep_their_microseconds_and_every_year() {
    let sandbox = Sandbox::new().await;
    // Whatever the database and the role have set, values are written alike.
    sandbox.write("ALTER DATABASE postgres SET timezone = 'Asia/Kathmandu'; ALTER DATABASE postgres SET datestyle = 'German'; ALTER DATABASE postgres SET intervalstyle = 'iso_8601'; ALTER DATABASE postgres SET bytea_output = 'escape'").await;
    check(
        &sandbox,
        &[
            ("'2024-03-31 12:15:00.000001+02'::timestamptz", "\"2024-03-31T10:15:00.000001Z\""),
            ("'0001-01-01 00:00:00+00'::timestamptz", "\"0001-01-01T00:00:00.000000Z\""),
            ("'294276-12-31 23:59:59.999999+00'::timestamptz", "\"+294276-12-31T23:59:59.999999Z\""),
            ("'4714-11-24 00:00:00+00 BC'::timestamptz", "\"-004713-11-24T00:00:00.000000Z\""),
            ("'infinity'::timestamptz", "\"Infinity\""),
            ("'-infinity'::timestamp", "\"-Infinity\""),
            ("'2024-03-31 12:15:00.5'::timestamp", "\"2024-03-31T12:15:00.500000\""),
            ("'2024-03-31'::date", "\"2024-03-31\""),
            ("'5874897-12-31'::date", "\"+5874897-12-31\""),
            ("'0044-03-15 BC'::date", "\"-000043-03-15\""),
            ("'infinity'::date", "\"Infinity\""),
            ("'24:00:00'::time", "\"24:00:00.000000\""),
            ("'04:05:06.7+05:45'::timetz", "\"04:05:06.700000+05:45\""),
            ("'1 year 2 mons 3 days 04:05:06.789'::interval", "\"1 year 2 mons 3 days 04:05:06.789\""),
            ("'-1 day +00:00:01'::interval", "\"-1 days +00:00:01\""),
            ("'\\x00ff'::bytea", "\"AP8=\""),
        ],
    )
    .await;
}

#[tokio::test]
async fn json_is_the_value_itself() {
    let sandbox = Sandbox::new().await;
    check(
        &sandbox,
        &[
            (
                r#"'{"b": 1.0, "a": [1, {"z": null, "y": "\u00e9"}]}'::json"#,
                r#"{"a":[1,{"y":"\u00e9","z":null}],"b":1.0}"#,
            ),
            (
                r#"'{"b": 9007199254740993.10, "a": "x\ty"}'::jsonb"#,
                r#"{"a":"x\ty","b":9007199254740993.10}"#,
            ),
            ("'\"text\"'::jsonb", "\"text\""),
            ("'null'::jsonb", "null"),
            ("'[]'::json", "[]"),
        ],
    )
    .await;
}

#[tokio::test]
async fn values_within_values_keep_their_kinds() {
    let sandbox = Sandbox::with(
        "CREATE EXTENSION hstore; CREATE TYPE mood AS ENUM ('sad', 'very happy'); CREATE DOMAIN positive AS numeric(10,2) CHECK (value > 0);
         CREATE TYPE pair AS (z int, a text); CREATE TYPE nested AS (p pair, l int[], at timestamptz);
         CREATE TYPE floatrange AS RANGE (subtype = float8); CREATE DOMAIN positives AS positive[];
         CREATE DOMAIN feeling AS mood; CREATE DOMAIN couple AS pair; CREATE DOMAIN span AS int4range; CREATE DOMAIN price AS money;
         CREATE FUNCTION shout(pair) RETURNS text LANGUAGE sql AS $$ SELECT 'HEY' $$; CREATE CAST (pair AS text) WITH FUNCTION shout(pair)",
    )
    .await;
    check(
        &sandbox,
        &[
            ("ARRAY[1, NULL, 3]", "[1,null,3]"),
            ("'{}'::int[]", "[]"),
            ("ARRAY[[[1,2],[3,NULL]],[[5,6],[7,8]]]", "[[[1,2],[3,null]],[[5,6],[7,8]]]"),
            ("'[0:1][5:6]={{1,2},{3,4}}'::int[]", "[[1,2],[3,4]]"),
            (
                r#"ARRAY['', 'NULL', NULL, 'a,b', '{x}', 'q"q', E'back\\slash', ' space ', E'tab\t']"#,
                r#"["","NULL",null,"a,b","{x}","q\"q","back\\slash"," space ","tab\t"]"#,
            ),
            (
                "ARRAY['2024-01-01 00:00:00+00'::timestamptz, 'infinity']",
                "[\"2024-01-01T00:00:00.000000Z\",\"Infinity\"]",
            ),
            ("ARRAY[1.10, 'NaN'::numeric]", "[1.10,\"NaN\"]"),
            ("ARRAY[true, false]", "[true,false]"),
            ("ARRAY['\\x0102'::bytea]", "[\"AQI=\"]"),
            (r#"ARRAY['{"b":1,"a":2}'::jsonb, NULL]"#, r#"[{"a":2,"b":1},null]"#),
            ("ARRAY['((1,1),(0,0))'::box, '((3,3),(2,2))']", "[\"(1,1),(0,0)\",\"(3,3),(2,2)\"]"),
            ("ARRAY['very happy', NULL]::mood[]", "[\"very happy\",null]"),
            ("'sad'::mood", "\"sad\""),
            ("5::positive", "5.00"),
            ("'sad'::feeling", "\"sad\""),
            ("ROW(1, 'a')::couple", r#"{"a":"a","z":1}"#),
            ("'[1,2)'::span", r#"{"bounds":"[)","lower":1,"upper":2}"#),
            ("1.5::numeric::money::price", "1.50"),
            ("ARRAY[5, 6.5]::positives", "[5.00,6.50]"),
            (r#"ROW(1, 'a "b", (c) \ ')::pair"#, r#"{"a":"a \"b\", (c) \\ ","z":1}"#),
            ("ROW(NULL, '')::pair", "{\"a\":\"\",\"z\":null}"),
            (
                "ROW(ROW(1,'x,y')::pair, ARRAY[1,2], '2024-01-01 00:00:00+00')::nested",
                r#"{"at":"2024-01-01T00:00:00.000000Z","l":[1,2],"p":{"a":"x,y","z":1}}"#,
            ),
            ("ARRAY[ROW(1,'\"')::pair, NULL]", r#"[{"a":"\"","z":1},null]"#),
            ("'[1,5]'::int4range", r#"{"bounds":"[)","lower":1,"upper":6}"#),
            ("'(,5)'::int8range", r#"{"bounds":"()","lower":null,"upper":5}"#),
            ("'empty'::numrange", r#"{"bounds":"empty","lower":null,"upper":null}"#),
            (
                "'[2024-01-01 00:00:00+00,infinity)'::tstzrange",
                r#"{"bounds":"[)","lower":"2024-01-01T00:00:00.000000Z","upper":"Infinity"}"#,
            ),
            ("'(1.5,2.25]'::floatrange", r#"{"bounds":"(]","lower":1.5,"upper":2.25}"#),
            (
                "'{[1,3),[5,7)}'::int4multirange",
                r#"[{"bounds":"[)","lower":1,"upper":3},{"bounds":"[)","lower":5,"upper":7}]"#,
            ),
            ("'{}'::datemultirange", "[]"),
            ("ARRAY['[1,2)'::int4range]", r#"[{"bounds":"[)","lower":1,"upper":2}]"#),
            (
                r#"'"b"=>"x \"y\"", a=>NULL, "c,d"=>"NULL"'::hstore"#,
                r#"{"a":null,"b":"x \"y\"","c,d":"NULL"}"#,
            ),
            ("''::hstore", "{}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_cannot_be_a_record_is_refused_with_its_reason() {
    let sandbox = Sandbox::with(
        r#"CREATE TABLE t (id int PRIMARY KEY, j json, b jsonb);
           INSERT INTO t VALUES (1, '{"a":1,"a":2}', NULL), (2, (repeat('[', 200) || repeat(']', 200))::json, NULL), (3, '1', NULL),
           (4, NULL, (SELECT jsonb_object_agg('key' || n, repeat('x', 1000)) FROM generate_series(1, 200000) n))"#,
    )
    .await;
    let collection = sandbox.read().await;
    assert_eq!(data(&collection), [r#"{"b":null,"id":3,"j":1}"#]);
    let codes: Vec<_> = collection.rejections().iter().map(|each| each.code).collect();
    assert_eq!(codes, ["json.duplicate_name", "json.too_deep", "record.too_large"], "the last has 200 MB");
}

#[tokio::test]
async fn a_text_that_is_no_unicode_is_refused() {
    let sandbox = Sandbox::new().await;
    sandbox.write("CREATE DATABASE raw ENCODING 'SQL_ASCII' TEMPLATE template0").await;
    let raw = sandbox.server.connect("raw").await;
    raw.batch_execute(
        "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'fine'), (2, E'\\xff')",
    )
    .await
    .unwrap();
    let source = sandbox.source_with(json!({"database": "raw"}));
    let mut collection = Collection::default();
    sync(&sandbox.subject_of(source, &["public.t"]).await, &mut collection).await;
    assert_eq!(keys(&collection), ["1"]);
    assert_eq!(collection.rejections()[0].code, "postgres.invalid_utf8");
}

#[tokio::test]
async fn only_the_selected_columns_and_the_key_are_read() {
    let sandbox =
        Sandbox::with("CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t VALUES (1, 2, 3)")
            .await;
    let mut subject = sandbox.subject(&["public.t"]).await;
    subject.streams[0].fields = Some(vec!["b".to_owned(), "nowhere".to_owned()]);
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    assert_eq!(data(&collection), [r#"{"b":3,"id":1}"#]);
}
