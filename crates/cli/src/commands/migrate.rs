//! `inlet migrate`: brings a database to the format of this version.

use inlet_model::{SystemClock, SystemEntropy};
use inlet_store::postgres::Layout;

use crate::args::MigrateArgs;
use crate::errors::CommandError;
use crate::output::print;
use crate::place;

/// Runs the command.
pub(crate) async fn run(args: &MigrateArgs) -> Result<(), CommandError> {
    let layout = if args.without_partitions { Layout::Shared } else { Layout::default() };
    let database = place::database_of(&args.database, layout)?;
    let migrated = place::reached(|| database.migrate(&SystemClock, &SystemEntropy)).await?;
    if args.without_partitions && migrated.layout != layout {
        let message = "the tables are there already, and those of collections have partitions";
        return Err(CommandError::input("input.without_partitions", message)
            .hint("begin in an empty schema, and bring what these hold there with `inlet export --all-to` and `inlet import`")
            .into());
    }
    let version = migrated.version;
    let told = match (migrated.before, migrated.layout) {
        (0, Layout::Partitioned) => format!("the tables were made, of version {version}\n"),
        (0, Layout::Shared) => format!("the tables were made, of version {version}, without partitions\n"),
        (before, _) if before == version => format!("the tables are of version {version} already\n"),
        (before, _) => format!("the tables were brought from version {before} to {version}\n"),
    };
    Ok(print(&told)?)
}
