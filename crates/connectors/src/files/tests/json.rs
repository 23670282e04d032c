//! What becomes of JSON Lines and JSON files.

use inlet_source::ErrorKind;

use super::*;

#[tokio::test]
async fn json_lines_take_every_line_for_itself() {
    let sandbox = Sandbox::new();
    sandbox.write("a.jsonl", "\u{feff}{\"id\": 1, \"a\": [ ]}\r\n\n  \r\n{\"id\": 2\nnull\n{\"id\":3,\"id\":4}\n{\"id\":null}\n{\"id\":5}");
    let collection = sandbox.read(json!({"path": "a.jsonl"}), &["id"]).await;
    assert_eq!(data(&collection), [r#"{"a":[],"id":1}"#, r#"{"id":5}"#]);
    assert_eq!(
        rejections(&collection),
        [(4, "json.syntax"), (5, "json.not_an_object"), (6, "json.duplicate_name"), (7, "key.null")]
    );
    let collection = sandbox.read(json!({"path": "a.jsonl"}), &[]).await;
    let keys: Vec<_> = collection.shown().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [r#"["a.jsonl",1]"#, r#"["a.jsonl",5]"#, r#"["a.jsonl",6]"#], "blank lines are no rows");
}

#[tokio::test]
async fn a_huge_line_is_refused_and_the_next_one_read() {
    let sandbox = Sandbox::new();
    let huge = format!("{{\"id\":1,\"x\":\"{}\"}}\n{{\"id\":2}}\n", "x".repeat(5 << 20));
    sandbox.write("a.jsonl.zst", zstd(&huge));
    let collection = sandbox.read(json!({"path": "a.jsonl.zst"}), &["id"]).await;
    assert_eq!(data(&collection), [r#"{"id":2}"#]);
    assert_eq!(rejections(&collection), [(1, "record.too_large")]);

    sandbox.write("a.json", format!("[{},{{\"id\":2}}]", huge.lines().next().unwrap()));
    let collection = sandbox.read(json!({"path": "a.json"}), &["id"]).await;
    assert_eq!(data(&collection), [r#"{"id":2}"#]);
    assert_eq!(rejections(&collection), [(1, "record.too_large")]);
}

#[tokio::test]
async fn a_json_file_is_an_array_or_objects_one_after_another() {
    let sandbox = Sandbox::new();
    for (text, expected) in [
        ("", &[][..]),
        ("[]", &[]),
        (" [ {\"id\":1} , {\"id\":2} ] \n", &["1", "2"]),
        ("{\n  \"id\": 1\n}\n", &["1"]),
        ("{\"id\":1}{\"id\":2}\n{\"id\":3}", &["1", "2", "3"]),
    ] {
        sandbox.write("a.json", text);
        let subject = sandbox.subject(json!({"path": "a.json"}), &["id"]).await;
        let mut collection = Collection::default();
        subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
        let keys: Vec<_> = collection.shown().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, expected, "{text:?}");
        assert_eq!(ending(&collection, &subject), StreamEnding::End, "{text:?}");
    }
}

#[tokio::test]
async fn a_broken_array_fails_and_keeps_what_came_before() {
    let sandbox = Sandbox::new();
    for text in [
        "[{\"id\":1}",
        "[{\"id\":1},",
        "[{\"id\":1} {\"id\":2}]",
        "[{\"id\":1},,]",
        "[{\"id\":1}]x",
        "[{\"id\":1},{\"id\":",
    ] {
        sandbox.write("a.json", text);
        let subject = sandbox.subject(json!({"path": "a.json"}), &["id"]).await;
        let mut collection = Collection::default();
        let messages = subject.read_into(&mut collection, SyncMode::Incremental, 1).await;
        assert_eq!(kinds(&messages), ["listing a.json", "1 of a.json", "failed source.format"], "{text}");
        assert_eq!(ending(&collection, &subject), StreamEnding::Failed(ErrorKind::Format), "{text}");
    }
}

#[tokio::test]
async fn format_and_compression_are_told_by_the_beginning_if_not_by_the_name() {
    let sandbox = Sandbox::new();
    for (content, expected) in [
        (gzip("[{\"id\":1}]"), r#"{"id":1}"#),
        (zstd("{\"id\":1}\n"), r#"{"id":1}"#),
        ([gzip("id,a\n"), gzip("1,2\n")].concat(), r#"{"a":2,"id":1}"#),
    ] {
        sandbox.write("data", content);
        let collection = sandbox.read(json!({"path": "data"}), &["id"]).await;
        assert_eq!(data(&collection), [expected]);
    }
}

#[tokio::test]
async fn damaged_compression_fails_the_stream() {
    let sandbox = Sandbox::new();
    let whole = gzip("{\"id\":1}\n".repeat(1000));
    for content in [&whole[..whole.len() - 9], &b"no gzip at all"[..]] {
        sandbox.write("data.jsonl.gz", content);
        let collection = sandbox.read(json!({"path": "data.jsonl.gz"}), &[]).await;
        assert_eq!(collection.ending(&name("data")), Some(StreamEnding::Failed(ErrorKind::Format)));
    }
}
