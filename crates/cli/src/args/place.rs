//! Where everything is kept: in a directory of this machine, or in a database that several share.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

/// Where everything is kept.
///
/// A directory that is said on the command line counts for more than a database of the environment.
#[derive(Debug)]
pub(crate) struct PlaceArgs {
    pub(crate) data_dir: PathBuf,
    /// Instead of the directory, if there is one.
    pub(crate) database: DatabaseArgs,
}

/// A database that several machines share.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// A PostgreSQL database (15 or later) that holds all data, instead of a directory; set it in the environment, where `ps` does
    /// not show its password
    ///
    /// As many servers as you like may work in it, on as many machines; give each the same encryption key. Such as
    /// `postgres://inlet:secret@db.example/inlet?sslmode=require`.
    #[arg(long, global = true, value_name = "URL", env = "INLET_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl DatabaseArgs {
    /// The URL, if there is one: an empty one in the environment is none.
    pub(crate) fn url(&self) -> Option<&str> {
        self.database_url.as_deref().filter(|url| !url.is_empty())
    }
}

/// As they are written.
#[derive(Debug, Args)]
struct Written {
    #[command(flatten)]
    database: DatabaseArgs,

    /// The directory that holds all data, where no database is named
    ///
    /// One process works in it at a time. Beside a running server every command goes through that server.
    #[arg(long, global = true, value_name = "DIR", env = "INLET_DATA_DIR", default_value = "./inlet-data")]
    data_dir: PathBuf,
}

impl FromArgMatches for PlaceArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        let is_said = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
        let is_directory = is_said("data_dir") && !is_said("database_url");
        let Written { mut database, data_dir } = Written::from_arg_matches_mut(matches)?;
        if is_directory {
            database.database_url = None;
        }
        Ok(Self { data_dir, database })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for PlaceArgs {
    fn augment_args(command: Command) -> Command {
        Written::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Written::augment_args_for_update(command)
    }
}
