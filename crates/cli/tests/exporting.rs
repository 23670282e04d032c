//! `inlet export`: whole, in order, and never half a file.

use super::harness::{Home, Server, json};

const RECORDS: usize = 2500;

fn many() -> Home {
    let home = Home::new();
    let text: String = (0..RECORDS).map(|id| format!("{{\"id\":{id},\"name\":\"n{id}\"}}\n")).collect();
    home.write("many.jsonl", &text);
    home.write("other.jsonl", "{\"id\":1}\n");
    home.inlet_well("sync many.jsonl --into many --key id");
    home.inlet_well("sync other.jsonl --into many --key id");
    home
}

#[test]
fn all_records_are_written_in_order() {
    let home = many();
    let all = home.inlet_well("export many");
    assert_eq!(all.lines().count(), RECORDS + 1);
    assert_eq!(all, home.inlet_well("records many --all --output json"));
    let data = home.inlet_well("export many --stream many --data-only");
    let ids: Vec<u64> = data.lines().map(|line| json(line)["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() == RECORDS);
}

#[test]
fn a_file_gets_its_name_when_it_is_whole() {
    let home = many();
    home.write("out.ndjson", "old");
    let ran = home.inlet("export many --to out.ndjson");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran}");
    assert_eq!(ran.stderr, "2,501 records written to out.ndjson\n");
    let written = std::fs::read_to_string(home.join("out.ndjson")).unwrap();
    assert_eq!(written, home.inlet_well("export many"));
    assert!(!home.join("out.ndjson.part").exists());
}

#[test]
fn an_export_that_fails_leaves_what_was_there() {
    let home = many();
    home.write("out.ndjson", "old");
    let ran = home.inlet("export absent --to out.ndjson");
    assert_eq!(ran.code, Some(2), "{ran}");
    assert_eq!(std::fs::read_to_string(home.join("out.ndjson")).unwrap(), "old");
    assert!(!home.join("out.ndjson.part").exists());
    let nowhere = home.inlet("export many --to no/such/folder/out.ndjson");
    assert_eq!(nowhere.code, Some(1), "{nowhere}");
    assert!(nowhere.stderr.contains("code: output.failed"), "{nowhere}");
}

#[test]
fn an_export_goes_through_a_server_too() {
    let home = many();
    let alone = home.inlet_well("export many");
    let _server = Server::start(&home, "--auth none");
    assert_eq!(home.inlet_well("export many"), alone);
}
