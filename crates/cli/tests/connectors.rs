//! `inlet connectors`: making, finding, changing and deleting them, and pushing records.

use std::io::Write;
use std::process::Stdio;

use super::harness::{Home, Ran, Server, json, shown_of};

fn served() -> (Home, Server) {
    let home = Home::new();
    home.write("orders.csv", "id,name\n1,one\n2,two\n");
    let server = Server::start(&home, "--auth none --files-root .");
    (home, server)
}

/// Makes a connector, and gives its id.
fn create(home: &Home, line: &str) -> String {
    let made = json(&home.inlet_well(&format!("connectors create {line} --output json")));
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_trigger_secret_is_shown_once_and_deleted() {
    let (home, server) = served();
    let id = create(&home, "--name Orders --type files --set path=orders.csv");
    let made = json(&home.inlet_well("connectors trigger-secret new Orders --overlap 0s --output json"));
    assert_eq!(made["hook"], format!("/v1/hooks/{id}"));
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
    let shown = json(&home.inlet_well("connectors trigger-secret get Orders --output json"));
    assert_eq!((&shown["hook"], shown.get("secret")), (&made["hook"], None));
    home.inlet_well("connectors trigger-secret delete Orders");
    let gone = home.inlet("connectors trigger-secret get Orders");
    assert_eq!(gone.code, Some(2), "{gone}");
    assert!(gone.stderr.contains("code: trigger_secret.not_found"), "{gone}");
    drop(server);
}

#[test]
fn a_connector_is_made_of_flags_changed_and_deleted() {
    let (home, _server) = served();
    insta::assert_snapshot!(shown_of(
        &home,
        &[
            "connectors list",
            "connectors create --name Orders --type files --set path=orders.csv",
            "connectors list",
            "connectors update Orders --name Bills --set format=csv",
            "connectors update Bills --unset format",
            "connectors get Bills",
            "connectors pause Bills",
            "syncs trigger Bills",
            "connectors resume Bills",
            "connectors delete Bills",
            "connectors list",
        ]
    ));
}

#[test]
fn every_bad_field_of_a_connector_is_told() {
    let (home, _server) = served();
    insta::assert_snapshot!(shown_of(
        &home,
        &[
            "connectors create --name  --type files --set path=5 --set colour=red",
            "connectors create --name A --type fishes",
            "connectors create --name A --type files --config [1]",
            "connectors create --name A --type files --config {",
            "connectors create --name A --type files --config @missing.json",
            "connectors create --name A --type files --set path",
            "connectors create --name A --type files --set a=5 --set a.b=6",
            "connectors update A",
            "connectors get A",
            "connectors get con_01k455vb4pex5vsknk084sn02q",
            "connectors list --collection A!",
        ]
    ));
}

#[test]
fn a_config_comes_from_the_line_a_file_or_standard_input() {
    let (home, _server) = served();
    let config = r#"{"path": "orders.csv"}"#;
    home.write("config.json", config);
    let create = ["connectors", "create", "--name", "A", "--type", "files", "--output", "json", "--config"];
    let made = |source: &str, input: &str| {
        let ran = piped(&home, &[&create[..], &[source]].concat(), input);
        json(&ran.stdout)["config"]["path"].clone()
    };
    assert_eq!(made(config, ""), "orders.csv");
    assert_eq!(made("@config.json", ""), "orders.csv");
    assert_eq!(made("-", config), "orders.csv");
}

#[test]
fn a_connector_is_found_by_its_id_and_by_a_name_that_only_it_has() {
    let (home, _server) = served();
    let first = create(&home, "--name Twin --type external_source");
    assert_eq!(json(&home.inlet_well("connectors get Twin --output json"))["id"], first.as_str());
    let second = create(&home, "--name Twin --type external_source");
    let refused = home.inlet("connectors delete Twin");
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(refused.stderr.contains(&first) && refused.stderr.contains(&second), "{refused}");
    assert_eq!(
        json(&home.inlet_well(&format!("connectors get {second} --output json")))["id"],
        second.as_str()
    );
    let elsewhere = home.inlet(&format!("connectors get {second} --collection other"));
    assert_eq!(elsewhere.code, Some(2), "{elsewhere}");
}

#[test]
fn records_are_pushed_from_a_file_and_from_standard_input() {
    let (home, _server) = served();
    create(&home, "--name Sign-ups --type external_source");
    home.write(
        "people.json",
        "[{\"id\": 1, \"name\": \"Ada\"},\n {\"id\": 2, \"big\": 12345678901234567890.10}]",
    );
    let pushed = home.inlet_well("connectors push Sign-ups people.json --stream people --key-field id");
    assert_eq!(pushed, "2 records taken into stream people; the connector's next sync brings them in\n");
    let words =
        ["connectors", "push", "Sign-ups", "--stream", "people", "--key-field", "id", "--output", "json"];
    let ran = piped(&home, &words, "{\"id\": 3}\n{\"id\": 1, \"name\": \"Grace\"}\n");
    assert_eq!(json(&ran.stdout), serde_json::json!({"accepted": 2, "stream": "people"}));
    home.inlet_well("syncs trigger Sign-ups --wait");
    let deletes = "{\"op\":\"delete\",\"key\":3}";
    let ran = piped(&home, &["connectors", "push", "Sign-ups", "--stream", "people", "--envelope"], deletes);
    assert_eq!(ran.code, Some(0), "{ran}");
    home.inlet_well("syncs trigger Sign-ups --wait");
    let records = home.inlet_well("export default --data-only");
    assert_eq!(records, "{\"id\":1,\"name\":\"Grace\"}\n{\"big\":12345678901234567890.10,\"id\":2}\n");
}

#[test]
fn much_is_pushed_in_parts() {
    let (home, _server) = served();
    create(&home, "--name Many --type external_source");
    let text = "x".repeat(1000);
    let lines: String = (0..12_000).map(|id| format!("{{\"id\":{id},\"text\":\"{text}\"}}\n")).collect();
    home.write("many.ndjson", &lines);
    let pushed = json(&home.inlet_well("connectors push Many many.ndjson --key-field id --output json"));
    assert_eq!(pushed["accepted"], 12_000);
    let sync = json(&home.inlet_well("syncs trigger Many --wait --output json"));
    assert_eq!(sync["counts"]["created"], 12_000);
}

#[test]
fn what_cannot_be_pushed_is_told() {
    let (home, _server) = served();
    create(&home, "--name Sign-ups --type external_source");
    create(&home, "--name Orders --type files --set path=orders.csv");
    home.write("bad.ndjson", "{\"id\":1}\n{\"id\":}\n");
    home.write("keyless.ndjson", "{\"id\":1}\n{\"key\":1}\n[2]\n");
    home.write("none.ndjson", "\n");
    insta::assert_snapshot!(shown_of(
        &home,
        &[
            "connectors push Sign-ups bad.ndjson --key-field id",
            "connectors push Sign-ups keyless.ndjson --key-field id",
            "connectors push Sign-ups none.ndjson",
            "connectors push Sign-ups missing.ndjson",
            "connectors push Sign-ups bad.ndjson --key-field a,b",
            "connectors push Orders keyless.ndjson",
        ]
    ));
}

/// Runs the binary with `input` as its standard input.
fn piped(home: &Home, words: &[&str], input: &str) -> Ran {
    let mut child = home
        .command(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}
