//! `inlet doctor`: what it finds, and that it finds what is wrong.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::harness::{Home, Ran, Server, json};
use super::private_postgres::PrivatePostgres;

fn with_data() -> Home {
    let home = Home::new();
    home.write("orders.csv", "id\n1\n");
    home.inlet_well("sync orders.csv --into shop --key id");
    home
}

/// How each check went: if it found several things, the last of them; what is wrong comes last.
fn verdicts(ran: &Ran) -> BTreeMap<String, String> {
    let findings = ran.stdout.lines().map(json);
    findings
        .map(|finding| {
            let text = |field: &str| finding[field].as_str().unwrap().to_owned();
            assert_eq!(finding["hint"].is_string(), finding["status"] != "good", "{finding}");
            (text("check"), text("status"))
        })
        .collect()
}

/// Runs the doctor, who must find this wrong and nothing else.
#[track_caller]
fn finds(home: &Home, line: &str, wrong: &str) {
    let ran = home.inlet(&format!("doctor --output json{line}"));
    assert_eq!(ran.code, Some(1), "{ran}");
    let bad = verdicts(&ran).into_iter().filter(|(_, verdict)| verdict == "wrong").map(|(check, _)| check);
    assert_eq!(bad.collect::<Vec<_>>(), [wrong], "{ran}");
    let told = home.inlet(&format!("doctor{line}"));
    assert!(told.stdout.contains("WRONG") && told.stderr.contains("code: doctor.found"), "{told}");
}

#[test]
fn all_is_well_with_and_without_a_server() {
    let home = with_data();
    let alone = home.inlet("doctor --output json");
    assert_eq!(alone.code, Some(0), "{alone}");
    let server = Server::start(&home, "");
    let beside = home.inlet("doctor --output json");
    assert_eq!(beside.code, Some(0), "{beside}");
    assert_eq!(verdicts(&beside)["key"], "good");
    let url = home.inlet(&format!("doctor --output json --url {}", server.url()));
    assert_eq!(url.code, Some(1), "a server that asks for a key: {url}");
    assert_eq!(verdicts(&url)["key"], "wrong");
}

const KEY: &str = "4f6e65206b657920666f7220616c6c206e6f646573206f662061207465737421";

#[test]
fn a_database_that_servers_share() {
    let home = Home::new();
    let server = PrivatePostgres::start();
    let url = server.url("postgres");
    let with_key = format!(" --encryption-key {KEY} --database-url {url}");
    let before = home.inlet(&format!("doctor --output json{with_key}"));
    assert_eq!(before.code, Some(0), "{before}");
    home.inlet_well(&format!("migrate --database-url {url}"));
    let after = home.inlet(&format!("doctor --output json{with_key}"));
    assert_eq!(after.code, Some(0), "{after}");
    let checks: Vec<_> = verdicts(&after).into_keys().collect();
    assert_eq!(checks, ["clock", "connections", "database", "encryption", "tables"], "{after}");
    finds(&home, &format!(" --database-url {url}"), "encryption");
    finds(&home, &format!("{with_key}?sslmode=verify-full"), "database");
    finds(&home, &format!("{with_key}?sslmode=sometimes"), "database");
    drop(server);
    finds(&home, &with_key, "database");
}

#[test]
fn a_directory_that_is_not_there_or_holds_no_data() {
    let home = Home::new();
    home.write("a.csv", "");
    fs::create_dir(home.join("empty")).unwrap();
    fs::set_permissions(home.join("empty"), fs::Permissions::from_mode(0o700)).unwrap();
    for directory in ["missing", "a.csv", "empty"] {
        finds(&home, &format!(" --data-dir {directory}"), "directory");
    }
    assert!(!home.join("missing").exists(), "the doctor makes nothing");
}

#[test]
fn data_that_others_can_read() {
    let home = with_data();
    fs::set_permissions(home.join("inlet-data/catalog.db"), fs::Permissions::from_mode(0o644)).unwrap();
    finds(&home, "", "permissions");
    let hint = home.inlet("doctor").stdout;
    let command = hint.lines().find_map(|line| line.strip_prefix("permissions: ")).unwrap();
    assert!(home.program("sh", ["-c", command]).status().unwrap().success(), "{command}");
    home.inlet_well("doctor");
}

#[test]
fn a_database_that_is_damaged_or_newer() {
    let home = with_data();
    let collections = fs::read_dir(home.join("inlet-data/collections")).unwrap();
    let file = collections
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().unwrap() == "db")
        .unwrap();
    fs::write(file, "no database any more ".repeat(1000)).unwrap();
    finds(&home, "", "databases");
}

#[test]
fn a_clock_that_is_behind_what_was_written() {
    let home = with_data();
    let tomorrow = {
        let now = fs::metadata(home.join("inlet-data/catalog.db")).unwrap().modified().unwrap();
        now + std::time::Duration::from_secs(24 * 3600)
    };
    fs::File::open(home.join("inlet-data/catalog.db")).unwrap().set_modified(tomorrow).unwrap();
    finds(&home, "", "clock");
}

#[test]
fn a_server_that_does_not_answer() {
    let home = Home::new();
    finds(&home, " --url http://127.0.0.1:1", "server");
}
