//! `--url` and `--api-key`: a server anywhere.

use std::net::TcpListener;

use super::harness::{Home, Server, json};

fn keyed(home: &Home) -> Server {
    let mut command = home.command(["serve", "--listen", "127.0.0.1:0"]);
    command.env("INLET_API_KEY", "the-key-of-this-test");
    Server::of(command)
}

#[test]
fn a_server_is_named_by_its_address_and_asked_with_a_key() {
    let home = Home::new();
    let server = keyed(&home);
    // From a folder that knows nothing of the server's data directory.
    let away = Home::new();
    let url = server.url();
    let line = format!("spaces list --output json --url {url} --api-key the-key-of-this-test");
    assert_eq!(json(&away.inlet_well(&line))["id"], "default");
    let mut command = away.command(["spaces", "create", "--name", "A", "--id", "a"]);
    let ran = command.env("INLET_URL", url).env("INLET_API_KEY", "the-key-of-this-test").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    for line in ["collections list --space a", "records default", "changes default", "export default"] {
        away.inlet_well(&format!("{line} --url {url}/ --api-key the-key-of-this-test"));
    }
    assert!(!away.join("inlet-data").exists());
}

#[test]
fn a_missing_and_a_wrong_key_are_told() {
    let home = Home::new();
    let server = keyed(&home);
    for key in ["", " --api-key wrong"] {
        let ran = Home::new().inlet(&format!("spaces list --url {}{key}", server.url()));
        assert_eq!(ran.code, Some(1), "{ran}");
        assert!(ran.stderr.contains("code: auth.") && ran.stderr.contains("hint: give a key"), "{ran}");
        assert!(!ran.stderr.contains("wrong\n"), "{ran}");
    }
}

#[test]
fn a_sync_is_brought_in_through_a_named_server() {
    let home = Home::new();
    let path = home.write("orders.csv", "id\n1\n");
    let server = Server::start(&home, "--auth none --files-root .");
    let away = Home::new();
    away.inlet_well(&format!("sync {} --into shop --key id --url {}", path.display(), server.url()));
    assert_eq!(home.inlet_well("records shop --output json").lines().count(), 1);
    assert!(!away.join("inlet-data").exists());
}

#[test]
fn addresses_that_lead_nowhere() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = Home::new();
    let ran = home.inlet(&format!("spaces list --url http://127.0.0.1:{port}"));
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("code: server.unreachable"), "{ran}");
    for url in ["localhost:8080", "ftp://example.com", "https://", "https://example.com?a=b"] {
        let ran = home.inlet(&format!("spaces list --url {url}"));
        assert_eq!(ran.code, Some(2), "{url}: {ran}");
        assert!(ran.stderr.contains("code: input.url"), "{url}: {ran}");
    }
}

#[test]
fn the_secret_of_the_environment_is_in_no_help() {
    let ran =
        Home::new().command(["spaces", "list", "--help"]).env("INLET_API_KEY", "planted").output().unwrap();
    assert!(ran.status.success());
    assert!(!String::from_utf8_lossy(&ran.stdout).contains("planted"));
}
