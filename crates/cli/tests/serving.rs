//! `inlet serve`: starting, the first key, and ending.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::harness::{Home, Server};

#[test]
fn the_first_start_shows_a_key_once() {
    let home = Home::new();
    let server = Server::start(&home, "");
    let first = server.stop();
    assert_eq!(first.code, Some(0), "{first}");
    assert_eq!(first.stdout, "", "standard output has one line, and it was read");
    let key = first.stderr.lines().map(str::trim).find(|line| line.starts_with("inlet_")).unwrap().to_owned();

    let server = Server::start(&home, "");
    assert_eq!(server.status("/v1/spaces", &[("X-API-Key", &key)]), 200);
    assert_eq!(server.status("/v1/spaces", &[("Authorization", &format!("Bearer {key}"))]), 200);
    assert_eq!(server.status("/v1/spaces", &[]), 401);
    assert_eq!(server.status("/v1/spaces", &[("X-API-Key", "inlet_wrong")]), 401);
    assert_eq!(server.status("/healthz", &[]), 200);
    let second = server.stop();
    assert!(!second.stderr.contains(&key) && !second.stderr.contains("API key"), "{second}");
}

#[test]
fn a_key_of_the_environment_counts_while_it_is_set() {
    let home = Home::new();
    let mut command = home.command(["serve", "--listen", "127.0.0.1:0"]);
    command.env("INLET_API_KEY", "a-key-of-the-operator");
    let server = Server::of(command);
    assert_eq!(server.status("/v1/spaces", &[("X-API-Key", "a-key-of-the-operator")]), 200);
    let ran = server.stop();
    assert!(
        !ran.stderr.contains("a-key-of-the-operator") && !ran.stderr.contains("admin's API key"),
        "{ran}"
    );
    let server = Server::start(&home, "");
    assert_eq!(server.status("/v1/spaces", &[("X-API-Key", "a-key-of-the-operator")]), 401);
}

#[test]
fn either_signal_ends_it_within_ten_seconds_whatever_is_connected() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = Home::new();
        let server = Server::start(&home, "--auth none");
        let address = server.url().strip_prefix("http://").unwrap().to_owned();
        let _silent = TcpStream::connect(&address).unwrap();
        let mut half = TcpStream::connect(&address).unwrap();
        half.write_all(b"GET /v1/spaces HTTP/1.1\r\nHost: local").unwrap();
        let mut idle = TcpStream::connect(&address).unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        idle.read_exact(&mut [0; 12]).unwrap();
        let begun = Instant::now();
        server.signal(signal);
        let ran = server.ended();
        assert_eq!(ran.code, Some(0), "{ran}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}

#[test]
fn a_taken_port_and_a_taken_directory_are_told() {
    let home = Home::new();
    let server = Server::start(&home, "--auth none");
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let port = home.run(["serve", "--auth", "none", "--data-dir", "other", "--listen", &address]);
    assert_eq!(port.code, Some(1), "{port}");
    assert!(port.stderr.contains("code: server.cannot_listen"), "{port}");
    assert!(!home.join("other").exists());
    let directory = home.run(["serve", "--auth", "none", "--listen", "127.0.0.1:0"]);
    assert_eq!(directory.code, Some(1), "{directory}");
    assert!(
        directory.stderr.contains("code: data_dir.in_use") && directory.stderr.contains(&address),
        "{directory}"
    );
}

#[test]
fn logs_are_json_where_nobody_watches() {
    let home = Home::new();
    let server = Server::start(&home, "--auth none");
    server.get("/v1/spaces");
    let ran = server.stop();
    assert!(!ran.stderr.is_empty());
    for line in ran.stderr.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["level"].is_string() && event["message"].is_string(), "{line}");
    }
}

#[test]
fn a_killed_server_leaves_nothing_in_the_way() {
    let home = Home::new();
    home.write("a.csv", "id\n1\n");
    let server = Server::start(&home, "--auth none --files-root .");
    home.inlet_well("sync a.csv --into shop --key id");
    server.signal(Signal::KILL);
    server.ended();
    assert_eq!(home.inlet_well("records shop --output json").lines().count(), 1);
}
