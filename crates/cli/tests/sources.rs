//! `inlet connectors check`, `streams`, `state` and `delete --records delete`; filters on lists.

use super::harness::{Home, Server, json};

fn served() -> (Home, Server) {
    let home = Home::new();
    home.write("orders.csv", "id,name\n1,one\n2,two\n");
    let server = Server::start(&home, "--auth none --files-root .");
    (home, server)
}

#[test]
fn a_check_that_fails_is_a_failure() {
    let (home, _server) = served();
    home.inlet_well("connectors create --name Orders --type files --set path=orders.csv");
    assert!(home.inlet_well("connectors check Orders").contains("succeeded"));
    std::fs::remove_file(home.join("orders.csv")).unwrap();
    let failed = home.inlet("connectors check Orders");
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(1), ""), "{failed}");
    assert!(failed.stderr.contains("code: source.not_found"), "{failed}");
    let failed = home.inlet("connectors check Orders --output json");
    assert_eq!((failed.code, &json(&failed.stdout)["status"]), (Some(1), &"failed".into()), "{failed}");
}

#[test]
fn the_streams_of_a_source_are_listed() {
    let (home, _server) = served();
    home.inlet_well("connectors create --name Orders --type files --set path=orders.csv");
    let stream = json(&home.inlet_well("connectors streams Orders --output json"));
    assert_eq!((&stream["name"], &stream["selected"]), (&"orders".into(), &true.into()));
    let table = home.inlet_well("connectors streams Orders");
    assert!(table.lines().nth(1).unwrap().starts_with("orders"), "{table}");
}

#[test]
fn the_state_is_shown_set_and_reset() {
    let (home, _server) = served();
    home.inlet_well("connectors create --name Orders --type files --set path=orders.csv");
    assert_eq!(home.inlet("connectors state get Orders").stdout, "");
    home.inlet_well("syncs trigger Orders --wait");
    let state = || home.inlet_well("connectors state get Orders --output json");
    let cursor = || json(&state())["streams"][0]["scopes"][0]["cursor"].clone();
    let (read, text) = (cursor(), state());
    assert!(read.is_object() && json(&text)["streams"][0]["name"] == "orders", "{text}");
    assert!(home.inlet_well("connectors state get Orders").contains("orders.csv"));
    home.inlet_well("connectors state reset Orders");
    assert!(cursor().is_null());
    home.write("state.json", &text);
    home.inlet_well("connectors state set Orders @state.json");
    assert_eq!(cursor(), read);
    let bad = home.inlet("connectors state set Orders {");
    assert_eq!(bad.code, Some(2), "{bad}");
}

#[test]
fn the_records_of_a_deleted_connector_go_on_demand() {
    let (home, _server) = served();
    home.inlet_well("connectors create --name Orders --type files --set path=orders.csv");
    home.inlet_well("syncs trigger Orders --wait");
    assert_eq!(home.inlet_well("export default").lines().count(), 2);
    home.inlet_well("connectors delete Orders --records delete");
    // Purged by the server, step by step.
    while home.inlet_well("export default").lines().count() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn without_a_server_the_command_itself_removes_the_records() {
    let home = Home::new();
    home.write("orders.csv", "id,name\n1,one\n2,two\n");
    home.inlet_well("sync orders.csv --into default --key id");
    home.inlet_well("connectors delete orders.csv --records delete");
    assert_eq!(home.inlet_well("export default"), "");
    home.inlet_well("sync orders.csv --into default --key id");
    assert_eq!(home.inlet_well("collections clear default"), "removing 2 records from default\n");
    assert_eq!(home.inlet_well("export default"), "");
    home.inlet_well("sync orders.csv --into default --key id");
    assert_eq!(home.inlet_well("export default").lines().count(), 2, "what the source has comes back");
}

#[test]
fn a_collection_is_cleared_of_a_connector_or_a_stream() {
    let home = Home::new();
    home.write("orders.csv", "id\n1\n2\n");
    home.write("people.csv", "id\n1\n2\n3\n");
    home.inlet_well("sync orders.csv --into default --key id");
    home.inlet_well("sync people.csv --into default --key id");
    let cleared = |line: &str| {
        let answer = json(&home.inlet_well(&format!("collections clear default --output json {line}")));
        (answer["records"].as_u64().unwrap(), home.inlet_well("export default").lines().count())
    };
    assert_eq!(cleared("--stream nothing"), (0, 5));
    assert_eq!(cleared("--connector people.csv --stream orders"), (0, 5));
    assert_eq!(cleared("--connector people.csv"), (3, 2));
    assert_eq!(cleared("--stream orders"), (2, 0));
    let nobody = home.inlet("collections clear default --connector nobody");
    assert_eq!(nobody.code, Some(2), "{nobody}");
}

#[test]
fn lists_are_filtered_and_turned_round() {
    let (home, _server) = served();
    home.inlet_well("connectors create --name Orders --type files --set path=orders.csv");
    home.inlet_well("connectors create --name Pushed --type external_source");
    home.inlet_well("connectors pause Pushed");
    let names = |line: &str| -> Vec<String> {
        let lines = home.inlet_well(&format!("connectors list --output json {line}"));
        lines.lines().map(|line| json(line)["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("--type files"), ["Orders"]);
    assert_eq!(names("--status paused"), ["Pushed"]);
    assert_eq!(names("--order asc"), ["Orders", "Pushed"]);
    assert_eq!(names("--order desc"), ["Pushed", "Orders"]);
    assert_eq!(home.inlet("connectors list --status wet").code, Some(2));
    home.inlet_well("syncs trigger Orders --wait");
    assert_eq!(home.inlet_well("syncs list Orders --status succeeded --output json").lines().count(), 1);
    assert_eq!(home.inlet_well("syncs list Orders --status failed --output json"), "");
}

#[test]
fn spaces_and_collections_are_renamed() {
    let (home, _server) = served();
    home.inlet_well("spaces update default --name Main");
    assert_eq!(json(&home.inlet_well("spaces get default --output json"))["name"], "Main");
    home.inlet_well("collections update default --name Stuff");
    assert_eq!(json(&home.inlet_well("collections get default --output json"))["name"], "Stuff");
}
