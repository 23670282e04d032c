//! What holds for every command and every option.

use super::*;

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    parse(line.split(' ').map(Into::into))
}

/// Every command with its whole name, the groups included.
fn all_commands() -> Vec<(String, clap::Command)> {
    fn collect(command: &clap::Command, above: &str, all: &mut Vec<(String, clap::Command)>) {
        for command in command.get_subcommands() {
            let name = format!("{above} {}", command.get_name());
            all.push((name.clone(), command.clone()));
            collect(command, &name, all);
        }
    }
    let mut root = description();
    root.build();
    let mut all = Vec::new();
    collect(&root, "inlet", &mut all);
    assert!(all.iter().any(|(name, _)| name == "inlet connectors state get"));
    all
}

#[test]
fn the_command_line_is_well_formed() {
    description().debug_assert();
}

/// Names that would otherwise mean two things.
const SPECIAL: &[(&str, &str)] = &[
    ("inlet export --format", "INLET_EXPORT_FORMAT"),
    ("inlet man --to", "INLET_MAN_TO"),
    ("inlet demo --data-dir", "INLET_DEMO_DATA_DIR"),
    ("inlet demo --listen", "INLET_DEMO_LISTEN"),
    ("inlet demo --no-serve", "INLET_DEMO_NO_SERVE"),
];

#[test]
fn every_option_has_an_environment_variable_of_its_name() {
    for (command, clap) in all_commands() {
        let options = clap.get_arguments().filter(|option| {
            !option.is_positional() && !matches!(option.get_id().as_str(), "help" | "version")
        });
        for option in options {
            let long = option.get_long().unwrap();
            let name = format!("{command} --{long}");
            let variable = option.get_env().unwrap_or_else(|| panic!("{name} has none")).to_str().unwrap();
            let expected = match SPECIAL.iter().find(|(special, _)| *special == name) {
                Some((_, variable)) => (*variable).to_owned(),
                None if long == "log-level" => "INLET_LOG".to_owned(),
                None => format!("INLET_{}", long.to_uppercase().replace('-', "_")),
            };
            assert_eq!(variable, expected, "{name}");
        }
    }
}

#[test]
fn every_command_and_every_option_says_what_it_does() {
    for (name, command) in all_commands() {
        assert!(command.get_about().is_some(), "{name}");
        for option in command.get_arguments() {
            assert!(option.get_help().is_some(), "{name} {}", option.get_id());
        }
    }
}

#[test]
fn a_secret_of_the_environment_is_not_shown_in_the_help() {
    for (name, command) in all_commands() {
        for option in command
            .get_arguments()
            .filter(|option| matches!(option.get_id().as_str(), "api_key" | "encryption_key"))
        {
            assert!(option.is_hide_env_values_set(), "{name}");
        }
    }
}

#[test]
fn a_limit_of_zero_and_all_mean_everything() {
    for line in ["inlet records a --limit 0", "inlet records a --all", "inlet records a --limit 7 --all"] {
        let Command::Records(records) = parsed(line).unwrap().command else { panic!("{line}") };
        assert_eq!(records.limit.get(), None, "{line}");
    }
}

#[test]
fn a_record_is_asked_for_by_key_only_within_a_stream() {
    assert!(parsed("inlet records a --key 1").is_err());
    assert!(parsed("inlet records a --stream s --key 1").is_ok());
}

#[test]
fn the_server_may_be_said_before_and_behind_a_command_of_a_group() {
    for line in ["inlet spaces --url http://a list", "inlet spaces list --url http://a"] {
        let Command::Spaces(spaces) = parsed(line).unwrap().command else { panic!("{line}") };
        assert_eq!(spaces.api.server.url.as_deref(), Some("http://a"), "{line}");
    }
}
