//! The conformance suite, over each format and compression.

use inlet_source::conformance;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

fn json_lines(numbers: std::ops::Range<u32>) -> String {
    numbers.map(|number| format!("{{\"n\":\"value {number}\",\"id\":{number}}}\n")).collect()
}

fn csv(numbers: std::ops::Range<u32>) -> String {
    let rows = numbers.map(|number| format!("{number},\"some, \"\"text\"\"\n{number}\",x\r\n"));
    "id,text,other\r\n".to_owned() + &rows.collect::<String>()
}

async fn run(sandbox: &Sandbox, config: Value, key: &[&str], records: usize, rejected: usize) {
    let subject = Subject { records, rejected, ..sandbox.subject(config, key).await };
    conformance::run_all(&subject).await;
}

#[tokio::test]
async fn json_lines_with_a_key() {
    let sandbox = Sandbox::new();
    let text = json_lines(0..20) + "\n{\"id\":\n{\"no\":1}\r\n" + &json_lines(20..40);
    sandbox.write("a.jsonl", text.trim_end());
    run(&sandbox, json!({"path": "a.jsonl"}), &["id"], 40, 2).await;
}

#[tokio::test]
async fn csv_without_a_key() {
    let sandbox = Sandbox::new();
    let text = csv(0..15) + "1,\"broken\"x,2\ntoo,few\n\n" + csv(15..30).split_once('\n').unwrap().1;
    sandbox.write("a.csv", text);
    run(&sandbox, json!({"path": "a.csv"}), &[], 30, 2).await;
}

#[tokio::test]
async fn a_compressed_json_array() {
    let sandbox = Sandbox::new();
    let elements = json_lines(0..30).trim_end().replace('\n', ",\n");
    sandbox.write("a.json.gz", gzip(format!("\u{feff} [\n{elements}, oops, [1]\n]\n")));
    run(&sandbox, json!({"path": "a.json.gz"}), &["id"], 30, 2).await;
}

#[tokio::test]
async fn many_files_of_one_stream() {
    let sandbox = Sandbox::new();
    sandbox.write("d/one.csv", csv(0..8)).write("d/two.csv.zst", zstd(csv(8..12))).write("d/empty.csv", "");
    sandbox.write("d/e/three.jsonl.gz", gzip(json_lines(20..24))).write("d/header.csv", "id,text\n");
    run(&sandbox, json!({"path": "d/**/*.{csv,csv.zst,jsonl.gz}", "stream": "all"}), &["id"], 16, 0).await;
}

/// Whatever a file holds, it is read to an end, and from every checkpoint to the same end.
fn any_content_conforms(name: &str, content: impl Strategy<Value = Vec<u8>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let sandbox = Sandbox::new();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let tried = runner.run(&content, |content| {
        sandbox.write(name, content);
        runtime.block_on(async {
            let subject = sandbox.subject(json!({"path": name, "stream": "data"}), &[]).await;
            conformance::reading_goes_on_from_every_checkpoint(&subject).await;
        });
        Ok(())
    });
    tried.unwrap();
}

#[test]
fn any_csv_conforms() {
    let line = "[ab,\"\r;ß]{0,9}";
    let text = prop::collection::vec(line, 0..14).prop_map(|lines| lines.join("\n").into_bytes());
    any_content_conforms("a.csv", text.prop_map(|text| [b"a,b\n", &text[..]].concat()));
}

#[test]
fn any_json_conforms() {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"",
        "\\",
        "1",
        " ",
        "\n",
        "{}",
        "{\"a\":1}",
    ]);
    let text = prop::collection::vec(token, 0..30).prop_map(|tokens| tokens.concat().into_bytes());
    any_content_conforms("a.json", text);
    let line = prop::sample::select(vec![
        "{\"a\":1}",
        "{\"b\":[]}\r",
        "",
        "{",
        "[1]",
        "\u{feff}{}",
        "{\"a\":\"\u{1}\"}",
    ]);
    let text = prop::collection::vec(line, 0..14).prop_map(|lines| lines.join("\n"));
    any_content_conforms("a.jsonl.gz", text.prop_map(gzip));
}

#[test]
fn any_bytes_conform() {
    for name in ["a.csv", "a.json", "a.jsonl", "a"] {
        any_content_conforms(name, prop::collection::vec(any::<u8>(), 0..120));
    }
}
