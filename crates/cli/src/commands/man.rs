//! `inlet man`: the manual pages.

use std::fs;
use std::io;
use std::path::Path;

use clap_mangen::Man;

use crate::args::{self, ManArgs};
use crate::errors::CommandError;
use crate::output::{print, print_bytes};

/// Runs the command.
pub(crate) fn run(args: &ManArgs) -> Result<(), CommandError> {
    let mut root = args::description();
    // So that a page's command knows its whole name and the options of those above it.
    root.build();
    match &args.to {
        Some(directory) => {
            let count = write_all(&root, directory).map_err(|error| {
                CommandError::failure(
                    "output.failed",
                    format!("no pages could be written to `{}`", directory.display()),
                )
                .because(error)
            })?;
            print(&format!("{count} pages written to {}\n", directory.display()))?;
        }
        None => print_bytes(&page(find(&root, &args.command)?)?)?,
    }
    Ok(())
}

fn find<'a>(root: &'a clap::Command, names: &[String]) -> Result<&'a clap::Command, CommandError> {
    names.iter().try_fold(root, |command, name| {
        command.find_subcommand(name).ok_or_else(|| {
            let message = format!("there is no command `inlet {}`", names.join(" "));
            CommandError::input("input.command", message).hint("`inlet --help` has the commands").into()
        })
    })
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let source = concat!("inlet ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source).manual("Inlet").render(&mut page)?;
    Ok(page)
}

/// Writes the page of the command and of all below it; how many these are.
fn write_all(command: &clap::Command, directory: &Path) -> io::Result<usize> {
    fs::create_dir_all(directory)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(directory.join(format!("{name}.1")), page(command)?)?;
    let below = command.get_subcommands().map(|command| write_all(command, directory));
    below.sum::<io::Result<usize>>().map(|count| count + 1)
}
