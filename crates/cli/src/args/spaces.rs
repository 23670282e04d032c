//! The arguments of `inlet spaces`.

use clap::{Args, Subcommand};

use super::{ApiArgs, LimitArgs, OrderArg};

/// List, make, rename and delete spaces
///
/// A space holds collections. An API key may be bound to one, and then sees no other.
#[derive(Debug, Args)]
pub(crate) struct SpacesArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(subcommand)]
    pub(crate) command: SpacesCommand,
}

/// What is done with spaces.
#[derive(Debug, Subcommand)]
pub(crate) enum SpacesCommand {
    /// List the spaces, the newest first
    List {
        /// Which end comes first
        #[arg(long, value_name = "ORDER", env = "INLET_ORDER")]
        order: Option<OrderArg>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show a space
    Get {
        /// The space's id
        #[arg(value_name = "SPACE")]
        space: String,
    },
    /// Make a space
    Create {
        /// Its name, for people
        #[arg(long, value_name = "NAME", env = "INLET_NAME")]
        name: String,
        /// Its id: a lower-case letter or digit, then up to 62 of these, `_` and `-`; if not said, one is made up
        #[arg(long, value_name = "ID", env = "INLET_ID")]
        id: Option<String>,
    },
    /// Rename a space
    Update {
        /// The space's id
        #[arg(value_name = "SPACE")]
        space: String,
        /// Its new name
        #[arg(long, value_name = "NAME", env = "INLET_NAME")]
        name: String,
    },
    /// Delete a space
    Delete {
        /// The space's id
        #[arg(value_name = "SPACE")]
        space: String,
        /// Delete all it holds with it: collections, connectors and records
        #[arg(long, env = "INLET_CASCADE")]
        cascade: bool,
    },
}
