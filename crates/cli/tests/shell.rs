//! `inlet completions` and `inlet man`.

use super::harness::Home;

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = home.inlet_well(&format!("completions {shell}"));
        for word in ["connectors", "rotate", "key-field"] {
            assert!(script.contains(word), "{shell} has no {word}");
        }
    }
    assert_eq!(home.inlet("completions tcsh").code, Some(2));
}

#[test]
fn the_script_for_bash_completes_commands_options_and_values() {
    let home = Home::new();
    home.write("inlet.bash", &home.inlet_well("completions bash"));
    let completed = |words: &[&str]| {
        let line = words.join(" ");
        let script = format!(
            "source inlet.bash; COMP_WORDS=({}); COMP_CWORD={}; _inlet inlet '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = home.program("bash", ["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(completed(&["inlet", "conne"]), "connectors\n");
    assert_eq!(completed(&["inlet", "syncs", "fo"]), "follow\n");
    assert_eq!(completed(&["inlet", "syncs", "trigger", "--mo"]), "--mode\n");
    assert_eq!(completed(&["inlet", "syncs", "trigger", "--mode", "full"]), "full_refresh\n");
}

#[test]
fn every_command_has_a_manual_page() {
    let home = Home::new();
    let page = home.inlet_well("man");
    assert!(page.contains(".TH inlet 1") && page.contains("connectors"), "{page}");
    let page = home.inlet_well("man connectors state get");
    assert!(page.contains("inlet\\-connectors\\-state\\-get") && page.contains("INLET_COLLECTION"), "{page}");
    let said = home.inlet_well("man --to pages/man1");
    let pages: Vec<_> =
        std::fs::read_dir(home.join("pages/man1")).unwrap().map(|page| page.unwrap().file_name()).collect();
    assert_eq!(said, format!("{} pages written to pages/man1\n", pages.len()));
    for name in ["inlet.1", "inlet-sync.1", "inlet-connectors-state-get.1"] {
        assert!(pages.iter().any(|page| page == name), "{name} in {pages:?}");
    }
    let nothing = home.inlet("man conectors");
    assert_eq!(nothing.code, Some(2), "{nothing}");
    let planted = home.command(["man", "spaces"]).env("INLET_API_KEY", "planted").output().unwrap();
    assert!(!String::from_utf8_lossy(&planted.stdout).contains("planted"));
}
