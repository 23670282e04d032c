//! `inlet import`: a whole data directory into a database.

use super::transfer;
use crate::args::ImportArgs;
use crate::errors::CommandError;

/// Runs the command.
pub(crate) async fn run(args: &ImportArgs) -> Result<(), CommandError> {
    transfer::from_directory(&args.dir, &args.database, args.output.output).await
}
