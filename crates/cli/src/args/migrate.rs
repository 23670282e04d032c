//! The arguments of `inlet migrate`.

use clap::Args;

use super::DatabaseArgs;

/// Bring a PostgreSQL database to the format of this version
///
/// Makes the tables that are not there. A server does the same when it starts; this is for those who would rather do it at another time.
/// Several may run at once: one works, the others wait. It changes nothing if there is
/// nothing to do.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,

    /// Make the tables without partitions
    ///
    /// For a database that divides tables among machines by their rows: all collections share the same tables. That is settled when the
    /// tables are made; deleting a collection then takes longer.
    #[arg(long, env = "INLET_WITHOUT_PARTITIONS")]
    pub(crate) without_partitions: bool,
}
