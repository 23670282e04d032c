//! `inlet migrate`: brings a database to the format of this version.

use inlet_model::{SystemClock, SystemEntropy};

use crate::args::MigrateArgs;
use crate::errors::CommandError;
use crate::output::print;
use crate::place;

/// Runs the command.
pub(crate) async fn run(args: &MigrateArgs) -> Result<(), CommandError> {
    let database = place::database_of(&args.database)?;
    let migrated = place::reached(|| database.migrate(&SystemClock, &SystemEntropy)).await?;
    let version = migrated.version;
    let told = match migrated.before {
        0 => format!("the tables were made, of version {version}\n"),
        before if before == version => format!("the tables are of version {version} already\n"),
        before => format!("the tables were brought from version {before} to {version}\n"),
    };
    Ok(print(&told)?)
}
