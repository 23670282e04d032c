//! The arguments of `inlet import`.

use std::path::PathBuf;

use clap::Args;

use super::{DatabaseArgs, OutputArgs};

const EXAMPLES: &str = "\
Examples:
  inlet import ./inlet-data --database-url postgres://inlet:secret@db.example/inlet
  inlet export --all-to ./back --database-url postgres://inlet:secret@db.example/inlet";

/// Move a whole data directory into an empty PostgreSQL database
///
/// Everything goes over as it is: spaces, collections, connectors with their schedules and sealed secrets, API keys, syncs, records, the
/// change feed with its numbers. In the end both sides are read and compared. Stop the server of the directory first; it stays as it is.
/// What was interrupted goes on when the same command is given again, and no server starts over what is not finished.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// The data directory
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,

    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
