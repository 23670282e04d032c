//! `inlet types`.

use super::harness::{Home, Server, json};

#[test]
fn the_types_are_listed_and_each_says_what_its_config_holds() {
    let home = Home::new();
    let _server = Server::start(&home, "--auth none");
    let types: Vec<_> = home.inlet_well("types list --output json").lines().map(json).collect();
    let names: Vec<_> = types.iter().map(|kind| kind["type"].as_str().unwrap()).collect();
    assert!(names.contains(&"files") && names.contains(&"external_source"), "{names:?}");
    let table = home.inlet_well("types list");
    assert_eq!(table.lines().count(), names.len() + 1);
    for name in names {
        let kind = json(&home.inlet_well(&format!("types get {name} --output json")));
        assert!(kind["config_schema"].is_object(), "{name}");
        let page = home.inlet_well(&format!("types get {name}"));
        assert!(page.starts_with(&format!("{name}: ")) && page.contains("\nconfig:\n"), "{page}");
    }
    let page = home.inlet_well("types get files");
    assert!(page.lines().any(|line| line.starts_with("path") && line.contains("required")), "{page}");
    let nothing = home.inlet("types get fishes");
    assert_eq!(nothing.code, Some(2), "{nothing}");
}
