//! `inlet completions`: scripts for shells.

use crate::args::{self, CompletionsArgs};
use crate::errors::CommandError;
use crate::output::print_bytes;

/// Runs the command.
pub(crate) fn run(args: &CompletionsArgs) -> Result<(), CommandError> {
    // Written to memory first: the generator takes no error of the output.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::description(), "inlet", &mut script);
    Ok(print_bytes(&script)?)
}
