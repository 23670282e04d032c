//! `inlet nodes`.

use super::harness::{Home, Server, json};

#[test]
fn the_nodes_are_shown_as_a_table_and_in_full() {
    let home = Home::new();
    let server = Server::start(&home, "");
    let node = json(&home.inlet_well("nodes --output json"));
    assert_eq!((&node["status"], &node["sync_count"]), (&"active".into(), &0.into()));
    assert_eq!(node["version"], env!("CARGO_PKG_VERSION"));
    assert!(!node["name"].as_str().unwrap().is_empty());
    let listed = json(&home.inlet_well("nodes list --limit 1 --output json"));
    assert_eq!(listed["id"], node["id"]);
    let table = home.inlet_well("nodes");
    let (titles, row) = table.split_once('\n').unwrap();
    let titles: Vec<&str> = titles.split("  ").map(str::trim).filter(|title| !title.is_empty()).collect();
    assert_eq!(titles, ["id", "name", "version", "roles", "status", "last seen", "syncs"]);
    assert!(row.contains("api, worker, scheduler  active"), "{table}");
    drop(server);
}

#[test]
fn a_node_that_ended_in_order_is_shown_no_more_and_one_that_did_not_is() {
    let home = Home::new();
    Server::start(&home, "").stop();
    let none = home.inlet("nodes");
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""), "{none}");
    assert!(none.stderr.contains("no node is there"), "{none}");
    let killed = Server::start(&home, "");
    let id = json(&home.inlet_well("nodes --output json"))["id"].clone();
    drop(killed);
    assert_eq!(json(&home.inlet_well("nodes --output json"))["id"], id);
    let again = Server::start(&home, "");
    let nodes: Vec<_> = home.inlet_well("nodes --output json").lines().map(json).collect();
    assert_eq!(nodes.len(), 1, "the one that is alone has forgotten all others: {nodes:?}");
    assert_ne!(nodes[0]["id"], id);
    drop(again);
}
