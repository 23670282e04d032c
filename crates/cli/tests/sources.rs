//! `inlet connectors check` and `streams`.

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
