//! What the binary says about itself.

use super::harness::Home;

#[test]
fn every_help_teaches() {
    let home = Home::new();
    for command in ["", "serve", "sync", "records", "changes", "keys", "keys rotate-encryption", "demo"] {
        let ran = home.run(command.split(' ').filter(|word| !word.is_empty()).chain(["--help"]));
        assert_eq!(ran.code, Some(0), "{command}: {ran}");
        let name = if command.is_empty() { "help" } else { command };
        insta::assert_snapshot!(format!("help_{}", name.replace(' ', "_")), ran.stdout);
    }
}

#[test]
fn no_command_is_bad_input_and_shows_the_commands() {
    let ran = Home::new().run([""; 0]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stdout.is_empty(), "{ran}");
    assert!(ran.stderr.contains("Usage: inlet"), "{ran}");
}

#[test]
fn the_version_is_that_of_the_crate() {
    let ran = Home::new().run(["--version"]);
    assert_eq!(ran.stdout, format!("inlet {}\n", env!("CARGO_PKG_VERSION")));
}
