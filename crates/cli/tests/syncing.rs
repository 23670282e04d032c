//! `inlet sync`: once, again, after changes, with bad records, and with somebody else in the way.

use std::io::Read;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::harness::{Home, Server};

const ORDERS: &str = "id,name,price\n1,one,1.50\n2,two,2\n3,three,\n";

#[test]
fn the_first_sync_creates_and_the_next_finds_everything_as_it_was() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    let mut shown = Vec::new();
    for line in [
        "sync orders.csv --into shop --key id",
        "sync ./orders.csv --into shop --key id --mode full_refresh",
        "records shop",
        "changes shop",
    ] {
        shown.push(format!("$ inlet {line}\n{}", home.shown(&home.inlet(line))));
    }
    insta::assert_snapshot!(shown.join("\n"));
    assert_eq!(connectors(&home), 1, "the same source is the same connector, however it is spelled");
}

#[test]
fn changed_added_and_removed_records_are_told_apart() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    home.inlet_well("sync orders.csv --into shop --key id");
    home.write("orders.csv", "id,name,price\n1,one,1.75\n3,three,\n4,four,4\n");
    let mut shown = Vec::new();
    for line in
        ["sync orders.csv --into shop --key id", "records shop --stream orders", "changes shop --after 3"]
    {
        shown.push(format!("$ inlet {line}\n{}", home.shown(&home.inlet(line))));
    }
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn another_key_is_another_connector() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    let sync = json(&home.inlet_well("sync orders.csv --into shop --key id --output json"));
    assert_eq!(sync["trigger"], "cli");
    home.inlet_well("sync orders.csv --into shop --key name");
    assert_eq!(connectors(&home), 2);
}

#[test]
fn bad_records_are_named_and_the_others_land() {
    let home = Home::new();
    home.write("orders.jsonl", "{\"id\":1}\n{\"id\":2,}\n{\"id\":null}\n{\"id\":1}\n{\"id\":4}\n");
    let ran = home.inlet("sync orders.jsonl --into shop --key id");
    insta::assert_snapshot!(home.shown(&ran));
}

#[test]
fn every_format_lands_in_its_own_stream() {
    let home = Home::new();
    home.write("a.csv", "id\n1\n");
    home.write("b.jsonl", "{\"id\":1}\n");
    home.write("c.json", "[{\"id\":1}]");
    home.write("d.txt", "id\n1\n");
    for file in ["a.csv", "b.jsonl", "c.json", "d.txt --format csv --stream dee"] {
        home.inlet_well(&format!("sync {file} --into eu/shop --key id"));
    }
    let records = home.inlet_well("records eu/shop --output json");
    let streams: Vec<String> =
        records.lines().map(|line| json(line)["stream"].as_str().unwrap().to_owned()).collect();
    assert_eq!(streams, ["a", "b", "c", "dee"]);
}

#[test]
fn a_database_is_read_by_its_tables() {
    let home = Home::new();
    let planes = include_bytes!("../../../examples/nycflights13/planes.db");
    std::fs::write(home.join("planes.db"), planes).unwrap();
    std::fs::write(home.join("planes"), planes).unwrap();
    let mut shown = Vec::new();
    for line in [
        "sync planes.db --into fleet",
        "sync planes.db --into fleet --mode full_refresh",
        "sync planes --into fleet --stream planes --key tailnum --cursor year",
        "sync planes.db --into fleet --stream plains --stream planes",
        "sync planes.db --into fleet --stream planes --cursor yaer",
        "sync planes.db --into fleet --format csv",
        "sync missing.db --into fleet",
    ] {
        shown.push(format!("$ inlet {line}\n{}", home.shown(&home.inlet(line))));
    }
    insta::assert_snapshot!(shown.join("\n"));
    assert!(!home.join("planes.db-wal").exists());
}

#[test]
fn files_take_no_options_of_databases() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    let mut shown = Vec::new();
    for line in
        ["sync orders.csv --into shop --cursor id", "sync orders.csv --into shop --stream a --stream b"]
    {
        shown.push(format!("$ inlet {line}\n{}", home.shown(&home.inlet(line))));
    }
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_file_whose_name_looks_like_a_glob_is_that_file() {
    let home = Home::new();
    home.write("orders[1].csv", "id\n1\n");
    home.write("orders1.csv", "id\n2\n");
    home.inlet_well("sync orders[1].csv --into shop --key id");
    assert_eq!(json(&home.inlet_well("records shop --output json"))["key"], 1);
}

#[test]
fn json_output_is_the_sync_object_and_nothing_else() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    let ran = home.inlet("sync orders.csv --into shop --key id --output json");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let sync = json(&ran.stdout);
    assert_eq!(sync["status"], "succeeded");
    assert_eq!(sync["counts"]["created"], 3);
    assert_eq!(sync["streams"][0]["name"], "orders");
}

#[test]
fn a_failed_sync_is_exit_code_1_with_its_reason() {
    let home = Home::new();
    let unreadable = "{\"id\":1\n".repeat(1500);
    home.write("orders.jsonl", &unreadable);
    let ran = home.inlet("sync orders.jsonl --into shop --key id");
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("code: "), "{ran}");
    let json_ran = home.inlet("sync orders.jsonl --into shop --key id --output json");
    assert_eq!((json_ran.code, &json(&json_ran.stdout)["status"]), (Some(1), &Value::from("failed")));
}

/// A sync whose source never ends: a named pipe with nobody at its other end would not even be opened, so a file of many
/// records it is, and the signal comes at once.
#[test]
fn ctrl_c_cancels_the_sync_and_says_so() {
    let home = Home::new();
    let many: String = (0..400_000).map(|id| format!("{{\"id\":{id},\"text\":\"{id:0>60}\"}}\n")).collect();
    home.write("many.jsonl", &many);
    let server = Server::start(&home, "--auth none --files-root .");
    let mut child = home
        .command(["sync", "many.jsonl", "--into", "shop", "--key", "id", "--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_a_sync(&server);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{stdout}{stderr}");
    assert_eq!(json(&stdout)["status"], "cancelled", "{stdout}{stderr}");
    assert!(stderr.contains("code: sync.cancelled"), "{stderr}");
    // The next one goes on, to the end.
    let sync = json(&home.inlet_well("sync many.jsonl --into shop --key id --output json"));
    assert_eq!(sync["status"], "succeeded");
    let collection = server.get("/v1/spaces/default/collections/shop");
    assert_eq!(collection["records"], 400_000);
}

/// Waits until the collection `shop` has a connector that syncs.
fn wait_for_a_sync(server: &Server) {
    loop {
        let connectors = server.try_get("/v1/spaces/default/collections/shop/connectors");
        if connectors.is_some_and(|connectors| connectors["data"][0]["last_sync"]["status"] == "running") {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn beside_a_server_commands_go_through_it() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    for auth in ["--auth none", "--auth key"] {
        let server = Server::start(&home, &format!("{auth} --files-root ."));
        let sync = home.inlet_well("sync orders.csv --into shop --key id --output json");
        assert_eq!(json(&sync)["trigger"], "cli", "{auth}");
        assert_eq!(home.inlet_well("records shop --output json").lines().count(), 3);
        assert_eq!(server.stop().code, Some(0));
    }
    let after = home.inlet_well("changes shop --output json");
    assert_eq!(after.lines().count(), 3, "the second sync found the same connector: {after}");
}

#[test]
fn a_server_refuses_what_its_roots_do_not_hold() {
    let home = Home::new();
    home.write("orders.csv", ORDERS);
    let server = Server::start(&home, "--auth none");
    let ran = home.inlet("sync orders.csv --into shop");
    insta::assert_snapshot!(home.shown(&ran));
    drop(server);
}

fn connectors(home: &Home) -> usize {
    let server = Server::start(home, "--auth none");
    server.get("/v1/spaces/default/collections/shop/connectors")["data"].as_array().unwrap().len()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
