//! The database that several machines share.

use clap::Args;

/// Where everything is kept, if not in a directory of this machine.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// A PostgreSQL database (15 or later) that holds all data, instead of a directory; set it in the environment, where `ps` does
    /// not show its password
    ///
    /// As many servers as you like may work in it, on as many machines; give each the same encryption key. Such as
    /// `postgres://inlet:secret@db.example/inlet?sslmode=require`.
    #[arg(long, value_name = "URL", env = "INLET_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
}
