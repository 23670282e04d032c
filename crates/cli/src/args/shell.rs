//! The arguments of the commands that make the command line at home on a system.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  inlet completions bash > ~/.local/share/bash-completion/completions/inlet
  inlet completions zsh > ~/.zfunc/_inlet
  inlet completions fish > ~/.config/fish/completions/inlet.fish";

/// Print a script that lets a shell complete commands and options
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

const MAN_EXAMPLES: &str = "\
Examples:
  inlet man | man -l -
  inlet man connectors create | man -l -
  inlet man --to ~/.local/share/man/man1";

/// Print a manual page, or write all of them into a directory
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArgs {
    /// The command that the page is about; if not said, inlet itself
    #[arg(value_name = "COMMAND", conflicts_with = "to")]
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands into this directory, made if it is not there
    #[arg(long, value_name = "DIR", env = "INLET_MAN_TO")]
    pub(crate) to: Option<PathBuf>,
}
