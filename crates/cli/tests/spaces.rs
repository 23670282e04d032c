//! `inlet spaces` and `inlet collections`.

use super::harness::{Home, Server, json, shown_of};

#[test]
fn a_space_is_made_shown_and_deleted() {
    let home = Home::new();
    let _server = Server::start(&home, "--auth none");
    insta::assert_snapshot!(shown_of(
        &home,
        &[
            "spaces list",
            "spaces create --name Sales --id sales",
            "spaces list",
            "spaces get sales",
            "spaces create --name Again --id sales",
            "spaces create --name Bad --id Sales!",
            "spaces delete sales",
            "spaces get sales",
        ]
    ));
}

#[test]
fn what_a_space_holds_is_deleted_only_on_demand() {
    let home = Home::new();
    let _server = Server::start(&home, "--auth none");
    home.inlet_well("spaces create --name Sales --id sales");
    home.inlet_well("collections create --name Orders --id orders --space sales");
    let refused = home.inlet("spaces delete sales");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("code: space.not_empty"), "{refused}");
    home.inlet_well("spaces delete sales --cascade");
    assert_eq!(home.inlet("spaces get sales").code, Some(2));
}

#[test]
fn a_collection_is_made_shown_and_deleted() {
    let home = Home::new();
    let _server = Server::start(&home, "--auth none");
    insta::assert_snapshot!(shown_of(
        &home,
        &[
            "collections create --name Orders --id orders",
            "collections list",
            "collections get orders",
            "collections list --space nowhere",
            "collections list --space Nowhere!",
            "collections delete orders",
            "collections get orders",
        ]
    ));
}

#[test]
fn a_list_goes_on_over_pages_and_says_when_there_is_more() {
    let home = Home::new();
    let _server = Server::start(&home, "--auth none");
    for number in 0..3 {
        home.inlet_well(&format!("spaces create --name Space --id s{number}"));
    }
    let listed =
        |line: &str| home.inlet_well(line).lines().map(|line| json(line)["id"].clone()).collect::<Vec<_>>();
    assert_eq!(listed("spaces list --output json"), ["s2", "s1", "s0", "default"]);
    assert_eq!(listed("spaces list --output json --limit 2"), ["s2", "s1"]);
    assert_eq!(listed("spaces list --output json --limit 2 --all").len(), 4);
    let table = home.inlet("spaces list --limit 2");
    assert_eq!(
        (table.stdout.lines().count(), table.stderr.as_str()),
        (3, "there are more: --limit COUNT or --all shows them\n")
    );
}

#[test]
fn without_a_server_the_commands_work_in_the_data_directory() {
    let home = Home::new();
    assert_eq!(home.inlet("spaces list").code, Some(2), "a list makes no data directory");
    assert!(!home.join("inlet-data").exists());
    home.inlet_well("spaces create --name Sales --id sales");
    let space = json(&home.inlet_well("spaces get sales --output json"));
    assert_eq!(space["name"], "Sales");
    assert_eq!(home.inlet_well("spaces list --output json").lines().count(), 2);
}
