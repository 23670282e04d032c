//! `inlet syncs`: triggering, following and cancelling.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::harness::{Home, Server, json, shown_of};

fn with_orders() -> Home {
    let home = Home::new();
    home.write("orders.csv", "id,name\n1,one\n2,two\n");
    home
}

/// A home with a connector `Many` whose sync takes a while.
fn with_many(home: &Home) {
    let many: String = (0..400_000).map(|id| format!("{{\"id\":{id},\"text\":\"{id:0>60}\"}}\n")).collect();
    home.write("many.jsonl", &many);
    home.inlet_well("connectors create --name Many --type files --set path=many.jsonl");
}

fn spawn(home: &Home, line: &str) -> Child {
    home.command(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_sync_is_triggered_waited_for_listed_and_shown() {
    let home = with_orders();
    let _server = Server::start(&home, "--auth none --files-root .");
    home.inlet_well("connectors create --name Orders --type files --set path=orders.csv");
    let ran = home.inlet("syncs trigger Orders --wait");
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stdout.contains("succeeded into default"), "{ran}");
    let sync = json(&home.inlet_well("syncs list Orders --output json"));
    let id = sync["id"].as_str().unwrap();
    assert_eq!(json(&home.inlet_well(&format!("syncs get Orders {id} --output json")))["counts"]["read"], 2);
    let again = json(&home.inlet_well("syncs trigger Orders --wait --mode full_refresh --output json"));
    assert_eq!((&again["mode"], &again["counts"]["unchanged"]), (&"full_refresh".into(), &2.into()));
    // One that has ended is followed to its end at once.
    let followed = json(&home.inlet_well("syncs follow Orders --output json"));
    assert_eq!(followed["id"], again["id"]);
    insta::assert_snapshot!(shown_of(&home, &["syncs list Orders", &format!("syncs follow Orders {id}")]));
}

#[test]
fn a_sync_that_fails_is_a_failure_to_whoever_follows_it() {
    let home = with_orders();
    let server = Server::start(&home, "--auth none --files-root .");
    home.inlet_well("connectors create --name Orders --type files --set path=gone-*.csv");
    let ran = home.inlet("syncs trigger Orders --wait");
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("code: source.not_found"), "{ran}");
    let followed = home.inlet("syncs follow Orders --output json");
    assert_eq!((followed.code, &json(&followed.stdout)["status"]), (Some(1), &"failed".into()));
    drop(server);
}

#[test]
fn without_wait_the_answer_is_the_queued_sync() {
    let home = with_orders();
    let _server = Server::start(&home, "--auth none --files-root .");
    home.inlet_well("connectors create --name Orders --type files --set path=orders.csv");
    let sync = json(&home.inlet_well("syncs trigger Orders --output json"));
    assert_eq!(sync["status"], "queued");
    home.inlet_well("syncs follow Orders");
}

#[test]
fn ctrl_c_stops_following_and_not_the_sync() {
    let home = Home::new();
    let _server = Server::start(&home, "--auth none --files-root .");
    with_many(&home);
    home.inlet_well("syncs trigger Many");
    let mut child = spawn(&home, "syncs follow Many");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(said.starts_with("queued") || said.starts_with("running"), "{said}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("no longer waiting for") && said.contains("the sync goes on"), "{said}");
    let sync = json(&home.inlet_well("syncs follow Many --output json"));
    assert_eq!((&sync["status"], &sync["counts"]["created"]), (&"succeeded".into(), &400_000.into()));
}

#[test]
fn each_step_is_a_line_where_no_terminal_is() {
    let home = with_orders();
    let _server = Server::start(&home, "--auth none --files-root .");
    with_many(&home);
    let ran = home.inlet("syncs trigger Many --wait");
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.lines().any(|line| line.starts_with("running")), "{ran}");
    assert!(ran.stdout.contains("400,000"), "{ran}");
}

#[test]
fn a_sync_is_undone_and_its_connector_resumed() {
    let home = with_orders();
    let server = Server::start(&home, "--auth none --files-root .");
    home.inlet_well("connectors create --name Orders --type files --set path=orders.csv");
    home.inlet_well("syncs trigger Orders --wait");
    home.write("orders.csv", "id,name\n1,rubbish\n2,rubbish\n");
    let bad = json(&home.inlet_well("syncs trigger Orders --wait --output json"));
    let bad = bad["id"].as_str().unwrap();
    let ran = home.inlet(&format!("syncs revert Orders {bad} --wait --output json"));
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains("connector Orders is paused"), "{ran}");
    let revert = json(&ran.stdout);
    assert_eq!((revert["reverts"].as_str(), revert["status"].as_str()), (Some(bad), Some("succeeded")));
    let records = home.inlet_well("records default --output json");
    assert!(records.contains("two") && !records.contains("rubbish"), "{records}");
    let again = home.inlet(&format!("syncs revert Orders {bad}"));
    assert_eq!(again.code, Some(1), "{again}");
    assert!(again.stderr.contains("code: revert.already_reverted"), "{again}");
    drop(server);

    // Without a server it is done in the command.
    let id = revert["id"].as_str().unwrap();
    let ran = home.inlet(&format!("syncs revert Orders {id} --output json"));
    assert_eq!((ran.code, json(&ran.stdout)["reverts"].as_str()), (Some(0), Some(id)), "{ran}");
    assert!(home.inlet_well("records default --output json").contains("rubbish"));
    home.inlet_well("connectors resume Orders");
}

#[test]
fn a_sync_is_cancelled() {
    let home = Home::new();
    let _server = Server::start(&home, "--auth none --files-root .");
    with_many(&home);
    let sync = json(&home.inlet_well("syncs trigger Many --output json"));
    let id = sync["id"].as_str().unwrap();
    let cancelled = json(&home.inlet_well("syncs cancel Many --output json"));
    assert!(cancelled["status"] == "cancelling" || cancelled["status"] == "cancelled", "{cancelled}");
    let followed = home.inlet(&format!("syncs follow Many {id}"));
    assert_eq!(followed.code, Some(1), "{followed}");
    assert!(followed.stderr.contains("code: sync.cancelled"), "{followed}");
    assert_eq!(
        json(&home.inlet_well(&format!("syncs cancel Many {id} --output json")))["status"],
        "cancelled"
    );
    let nothing = home.inlet("syncs cancel Many");
    assert_eq!(nothing.code, Some(1), "{nothing}");
    assert!(nothing.stderr.contains("code: sync.none_active"), "{nothing}");
}

#[test]
fn without_a_server_a_sync_runs_in_the_command() {
    let home = with_orders();
    let path = home.join("orders.csv");
    home.inlet_well(&format!("connectors create --name Orders --type files --set path={}", path.display()));
    let ran = home.inlet("syncs trigger Orders");
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains("the sync runs in this command"), "{ran}");
    assert_eq!(home.inlet_well("records default --output json").lines().count(), 2);
}

#[test]
fn a_connector_that_had_no_sync_cannot_be_followed() {
    let home = with_orders();
    let _server = Server::start(&home, "--auth none");
    home.inlet_well("connectors create --name Quiet --type external_source");
    insta::assert_snapshot!(shown_of(
        &home,
        &["syncs follow Quiet", "syncs list Quiet", "syncs get Quiet syn_1"]
    ));
}

/// A table of which most rows are deleted since it was synced.
#[test]
fn a_sync_that_asks_is_shown_discarded_and_approved_without_a_server() {
    let home = Home::new();
    let database = rusqlite::Connection::open(home.join("shop.db")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
             INSERT INTO orders SELECT i, 'note ' || i FROM n;",
        )
        .unwrap();
    home.inlet_well("sync shop.db --into shop");
    database.execute_batch("DELETE FROM orders WHERE id % 2 = 0").unwrap();
    let asked = home.inlet("sync shop.db --into shop");
    assert_eq!(asked.code, Some(1), "{asked}");
    assert!(asked.stderr.contains("would delete 150 of 300 records"), "{asked}");
    assert!(asked.stderr.contains("code: sync.needs_approval"), "{asked}");
    let connector = json(&home.inlet_well("connectors list --collection shop --output json"));
    let (name, sync) = (connector["id"].as_str().unwrap(), connector["last_sync"]["id"].as_str().unwrap());
    let deletes =
        home.inlet_well(&format!("syncs deletes {name} {sync} --collection shop --all --output json"));
    let ids: Vec<i64> = deletes.lines().map(|line| json(line)["data"]["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=150).map(|half| 2 * half).collect::<Vec<_>>());
    // While it asks, no other sync begins, also none that would only look.
    let again = home.inlet("sync shop.db --into shop");
    assert!(again.stderr.contains(sync), "{again}");
    home.inlet_well(&format!("syncs discard {name} {sync} --collection shop"));
    let asked = home.inlet("sync shop.db --into shop");
    assert!(asked.stderr.contains("would delete 150 of 300 records"), "{asked}");
    let connector = json(&home.inlet_well("connectors list --collection shop --output json"));
    let next = connector["last_sync"]["id"].as_str().unwrap();
    assert_ne!(next, sync);
    let approved = home.inlet_well(&format!("syncs approve {name} {next} --collection shop --output json"));
    let approved = json(&approved);
    assert_eq!((&approved["status"], &approved["counts"]["deleted"]), (&"succeeded".into(), &150.into()));
    let dry = home.inlet_well(&format!("syncs trigger {name} --collection shop --dry-run"));
    assert!(dry.contains("a dry run: nothing was written"), "{dry}");
    database.execute_batch("DELETE FROM orders").unwrap();
    let all = json(&home.inlet_well("sync shop.db --into shop --approve-deletes --output json"));
    assert_eq!(all["counts"]["deleted"], 150);
}
