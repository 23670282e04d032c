//! `inlet records` and `inlet changes`: what they print, how much, and when to stop.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::harness::Home;

const RECORDS: usize = 2500;

/// A home with a collection `many` of [`RECORDS`] records.
fn many() -> Home {
    let home = Home::new();
    let text: String = (0..RECORDS).map(|id| format!("{{\"id\":{id},\"name\":\"n{id}\"}}\n")).collect();
    home.write("many.jsonl", &text);
    home.inlet_well("sync many.jsonl --into many --key id");
    home
}

#[test]
fn a_limit_bounds_and_all_reads_every_page() {
    let home = many();
    for command in ["records", "changes"] {
        for (limit, expected) in [
            ("", 50),
            (" --limit 7", 7),
            (" --limit 1500", 1500),
            (" --limit 0", RECORDS),
            (" --all", RECORDS),
        ] {
            let lines = home.inlet_well(&format!("{command} many --output json{limit}"));
            assert_eq!(lines.lines().count(), expected, "{command}{limit}");
        }
    }
    let keys: Vec<String> =
        home.inlet_well("records many --all --output json").lines().map(str::to_owned).collect();
    let mut distinct = keys.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), RECORDS);
}

#[test]
fn a_table_says_when_there_is_more() {
    let home = many();
    let shown = [
        "records many --limit 2",
        "changes many --limit 2",
        "records many --stream other",
        "changes many --after 2500",
    ]
    .map(|line| format!("$ inlet {line}\n{}", home.shown(&home.inlet(line))));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn one_record_is_found_by_its_key() {
    let home = Home::new();
    home.write("pairs.jsonl", "{\"a\":\"x/y\",\"b\":7}\n{\"a\":\"7\",\"b\":8}\n");
    home.inlet_well("sync pairs.jsonl --into pairs --key a --key b");
    home.inlet_well("sync pairs.jsonl --into texts --key a");
    for (collection, key) in [("pairs", "[\"x/y\",7]"), ("texts", "x/y"), ("texts", "\"7\"")] {
        let ran = home.run(["records", collection, "--stream", "pairs", "--key", key, "--output", "json"]);
        assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 1), "{collection} {key}: {ran}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let home = many();
    for line in ["records many --all --output json", "changes many --all --output json", "records many --all"]
    {
        let mut child =
            home.command(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        // The reader goes away with the rest unread.
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
