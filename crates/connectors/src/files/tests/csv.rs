//! What becomes of the fields of CSV files.

use inlet_source::ErrorKind;

use super::*;

#[tokio::test]
async fn values_are_typed_and_names_sorted() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.csv",
        "zip,id,ok,\"größe \"\"m\"\"\",note\n01234,1,true,\"2,5\",\"a \"\"b\"\"\\\"\n,2.50,false,1e3,\n10115,123456789012345678901234567890,,ü\u{1f600},\u{7}\n",
    );
    let collection = sandbox.read(json!({"path": "a.csv"}), &["id"]).await;
    assert_eq!(
        collection.shown(),
        [
            ("1", r#"{"größe \"m\"":"2,5","id":1,"note":"a \"b\"\\","ok":true,"zip":"01234"}"#),
            (
                "123456789012345678901234567890",
                "{\"größe \\\"m\\\"\":\"ü\u{1f600}\",\"id\":123456789012345678901234567890,\"note\":\"\\u0007\",\"ok\":null,\"zip\":\"10115\"}"
            ),
            ("2.5", r#"{"größe \"m\"":"1e3","id":2.50,"note":null,"ok":false,"zip":null}"#),
        ]
        .map(|(key, data)| (key.to_owned(), data.to_owned()))
    );
}

#[tokio::test]
async fn a_later_value_that_does_not_fit_the_guess_is_a_string() {
    let sandbox = Sandbox::new();
    let rows: String = (1..=1000).map(|number| format!("{number},true\n")).collect();
    sandbox.write("a.csv", format!("n,b\n{rows}n/a,maybe\n007,TRUE\n"));
    let collection = sandbox.read(json!({"path": "a.csv"}), &[]).await;
    let data = data(&collection);
    assert_eq!(
        data[999..],
        [r#"{"b":true,"n":1000}"#, r#"{"b":"maybe","n":"n/a"}"#, r#"{"b":"TRUE","n":"007"}"#]
    );
    assert_eq!(collection.shown()[1001].0, r#"["a.csv",1002]"#);
}

#[tokio::test]
async fn a_set_type_is_kept_or_the_record_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("a.csv", "i,n,b,j,s\n1,1.5,true,\"{\"\"b\"\": [1], \"\"a\"\":2}\",3\n1.5,1,true,1,1\n1,x,true,1,1\n1,1,yes,1,1\n1,1,true,{,1\n,,,,\n");
    let types = json!({"i": "integer", "n": "number", "b": "boolean", "j": "json", "s": "string"});
    let collection = sandbox.read(json!({"path": "a.csv", "csv": {"types": types}}), &[]).await;
    assert_eq!(
        data(&collection),
        [
            r#"{"b":true,"i":1,"j":{"a":2,"b":[1]},"n":1.5,"s":"3"}"#,
            r#"{"b":null,"i":null,"j":null,"n":null,"s":null}"#,
        ]
    );
    assert_eq!(rejections(&collection), [3, 4, 5, 6].map(|line| (line, "csv.type")));
}

#[tokio::test]
async fn broken_records_are_refused_by_line_and_reading_goes_on() {
    let sandbox = Sandbox::new();
    let mut text = b"a,b\n1,\"x\ny\"\n2,\"x\"y\n3,5\"\n4\n5,5,5\n6,\xff\n\n7,ok\n8,\"open\n9,ok\n".to_vec();
    text.extend_from_slice(b"10,ok");
    sandbox.write("a.csv", text);
    let collection = sandbox.read(json!({"path": "a.csv"}), &["a"]).await;
    let keys: Vec<_> = collection.shown().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["1", "7", "9", "10"]);
    assert_eq!(
        rejections(&collection),
        [
            (4, "csv.broken_quotes"),
            (5, "csv.broken_quotes"),
            (6, "csv.field_count"),
            (7, "csv.field_count"),
            (8, "csv.invalid_utf8"),
            (11, "csv.broken_quotes"),
        ]
    );
    assert_eq!(collection.rejections()[5].sample, "8,\"open");
}

#[tokio::test]
async fn records_beyond_the_limit_are_refused_without_holding_them() {
    let sandbox = Sandbox::new();
    let (long, half) = ("x".repeat(3 << 20), "y".repeat(1 << 19));
    sandbox.write("a.csv", format!("a,b\n1,{long}\n2,\"{half}\n{half}\n{half}\"\n3,ok\n"));
    let collection = sandbox.read(json!({"path": "a.csv"}), &["a"]).await;
    // The sample ends before the first record does, so no type is guessed.
    assert_eq!(data(&collection), [r#"{"a":"3","b":"ok"}"#]);
    // Where the quoted field ends is not looked for beyond the limit, so its lines are tried as records of their own.
    assert_eq!(
        rejections(&collection),
        [(2, "record.too_large"), (3, "csv.broken_quotes"), (4, "csv.field_count"), (5, "csv.broken_quotes")]
    );
}

#[tokio::test]
async fn dialects_and_nulls_can_be_set() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "\u{feff}1;'x;''y''';NA\r\n2;;-\r\n");
    let csv = json!({"delimiter": ";", "quote": "'", "header": false, "columns": ["a", "b", "c"], "null_values": ["NA", "-"]});
    let collection = sandbox.read(json!({"path": "a.txt", "format": "csv", "csv": csv}), &["a"]).await;
    assert_eq!(data(&collection), [r#"{"a":1,"b":"x;'y'","c":null}"#, r#"{"a":2,"b":"","c":null}"#]);

    sandbox.write("b.tsv", "a\tb\n1\tsay \"hi\"\n");
    let collection = sandbox.read(json!({"path": "b.tsv", "csv": {"quote": ""}}), &["a"]).await;
    assert_eq!(data(&collection), [r#"{"a":1,"b":"say \"hi\""}"#]);
}

#[tokio::test]
async fn only_the_selected_columns_and_the_key_are_kept() {
    let sandbox = Sandbox::new();
    sandbox.write("a.csv", "c,id,a,b\n3,x,1,2\n");
    let mut subject = sandbox.subject(json!({"path": "a.csv"}), &["id"]).await;
    subject.streams[0].fields = Some(vec!["c".to_owned(), "nowhere".to_owned()]);
    let mut collection = Collection::default();
    subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
    assert_eq!(collection.shown(), [("\"x\"".to_owned(), r#"{"c":3,"id":"x"}"#.to_owned())]);
}

#[tokio::test]
async fn a_null_key_is_refused_and_a_key_without_column_fails() {
    let sandbox = Sandbox::new();
    sandbox.write("a.csv", "id,b\n1,\n,2\n");
    let collection = sandbox.read(json!({"path": "a.csv"}), &["id"]).await;
    assert_eq!(rejections(&collection), [(3, "key.null")]);
    let collection = sandbox.read(json!({"path": "a.csv"}), &["nowhere"]).await;
    assert_eq!(collection.ending(&name("a")), Some(StreamEnding::Failed(ErrorKind::Config)));
}

#[tokio::test]
async fn a_header_that_is_not_usable_fails_the_stream() {
    let sandbox = Sandbox::new();
    sandbox.write("data.csv", "a,,a\n1,2,3\n");
    let source = sandbox.source(json!({"path": "data.csv"}));
    let error = source.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Format);
    assert!(
        error.to_string().contains("column 2 has no name; columns 1 and 3 are both named `a`"),
        "{error}"
    );
    let collection = sandbox.read(json!({"path": "data.csv"}), &[]).await;
    assert_eq!(collection.ending(&name("data")), Some(StreamEnding::Failed(ErrorKind::Format)));
}
