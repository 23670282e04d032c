//! The conformance suite, over each format and compression.

use inlet_source::conformance;

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
