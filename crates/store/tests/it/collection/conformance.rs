//! The suite that every collection store passes.

use std::fs;
use std::path::Path;

inlet_store::collection_tests!(crate::collection::fresh);

/// The same where rows go through the key log, whatever their keys, and are merged again and again.
mod through_the_key_log {
    inlet_store::collection_tests!(crate::collection::logging);
}

#[test]
fn every_behaviour_of_the_suite_is_in_its_list() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance/collection");
    let list = fs::read_to_string(suite.join("mod.rs")).unwrap();
    let mut behaviours = 0;
    for file in fs::read_dir(&suite).unwrap() {
        let Ok(text) = fs::read_to_string(file.unwrap().path()) else { continue };
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("pub async fn ") else { continue };
            let name = rest.split('(').next().unwrap();
            assert!(list.contains(&format!("                {name},\n")), "{name} is not in the list");
            behaviours += 1;
        }
    }
    assert!(behaviours > 170, "only {behaviours} behaviours were found");
}
