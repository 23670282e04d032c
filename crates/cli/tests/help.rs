//! What the binary says about itself.

use super::harness::Home;

/// The names of the commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

fn help(home: &Home, command: &[String], flag: &str) -> String {
    let ran = home.run(command.iter().map(String::as_str).chain([flag]));
    assert_eq!(ran.code, Some(0), "{command:?}: {ran}");
    ran.stdout
}

#[test]
fn every_help_teaches() {
    let home = Home::new();
    let root = help(&home, &[], "--help");
    let all = commands(&root);
    assert!(all.len() > 10, "{all:?}");
    insta::assert_snapshot!("help_help", root);
    for name in all {
        let command = [name.clone()];
        insta::assert_snapshot!(format!("help_{name}"), help(&home, &command, "--help"));
        let mut below = String::new();
        gather(&home, &command, &mut below);
        if !below.is_empty() {
            insta::assert_snapshot!(format!("help_{name}_commands"), below);
        }
    }
}

/// The short helps of all commands of a group, without what the group's own help has shown: its server and its logs.
fn gather(home: &Home, group: &[String], text: &mut String) {
    for name in commands(&help(home, group, "-h")) {
        let command: Vec<String> = group.iter().cloned().chain([name]).collect();
        let short = help(home, &command, "-h");
        let sections =
            short.split("\n\n").filter(|part| !part.starts_with("Server:") && !part.starts_with("Logs:"));
        let kept = sections.collect::<Vec<_>>().join("\n\n");
        text.push_str(&format!("$ inlet {} -h\n{}\n\n", command.join(" "), kept.trim_end()));
        gather(home, &command, text);
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
