//! The suite that every catalog passes.

use std::fs;
use std::path::Path;

inlet_store::catalog_tests!(crate::catalog::fresh);

#[test]
fn every_behaviour_of_the_suite_is_in_its_list() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance/catalog");
    let list = fs::read_to_string(suite.join("mod.rs")).unwrap();
    let mut behaviours = 0;
    for file in fs::read_dir(&suite).unwrap() {
        let path = file.unwrap().path();
        if matches!(path.file_stem().unwrap().to_str(), Some("mod" | "given")) {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some(rest) = line.strip_prefix("pub async fn ") else { continue };
            let name = rest.split('(').next().unwrap();
            assert!(list.contains(&format!("                {name},\n")), "{name} is not in the list");
            behaviours += 1;
        }
    }
    assert!(behaviours > 90, "only {behaviours} behaviours were found");
}
