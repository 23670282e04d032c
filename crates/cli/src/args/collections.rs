//! The arguments of `inlet collections`.

use clap::{Args, Subcommand};

use super::{ApiArgs, LimitArgs, OrderArg};

/// List, make, rename, clear and delete collections
///
/// A collection holds records, and the connectors that bring them.
#[derive(Debug, Args)]
pub(crate) struct CollectionsArgs {
    /// The space they are in
    #[arg(long, global = true, value_name = "SPACE", env = "INLET_SPACE", default_value = "default")]
    pub(crate) space: String,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(subcommand)]
    pub(crate) command: CollectionsCommand,
}

/// What is done with collections.
#[derive(Debug, Subcommand)]
pub(crate) enum CollectionsCommand {
    /// List the collections of a space, the newest first, each with what it holds in numbers
    List {
        /// Which end comes first
        #[arg(long, value_name = "ORDER", env = "INLET_ORDER")]
        order: Option<OrderArg>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show a collection
    Get {
        /// The collection's id
        #[arg(value_name = "COLLECTION")]
        collection: String,
    },
    /// Make a collection
    Create {
        /// Its name, for people
        #[arg(long, value_name = "NAME", env = "INLET_NAME")]
        name: String,
        /// Its id: a lower-case letter or digit, then up to 62 of these, `_` and `-`; if not said, one is made up
        #[arg(long, value_name = "ID", env = "INLET_ID")]
        id: Option<String>,
    },
    /// Rename a collection
    Update {
        /// The collection's id
        #[arg(value_name = "COLLECTION")]
        collection: String,
        /// Its new name
        #[arg(long, value_name = "NAME", env = "INLET_NAME")]
        name: String,
    },
    Clear(ClearCollection),
    /// Delete a collection with its data
    Delete {
        /// The collection's id
        #[arg(value_name = "COLLECTION")]
        collection: String,
        /// Also if it still holds connectors or records
        #[arg(long, env = "INLET_CASCADE")]
        cascade: bool,
    },
}

/// Remove the records of a collection
///
/// With them goes how far they were read: the next sync brings back what the source still has. A server removes them step by step after
/// it has answered; without one the command waits until they are gone.
#[derive(Debug, Args)]
pub(crate) struct ClearCollection {
    /// The collection's id
    #[arg(value_name = "COLLECTION")]
    pub(crate) collection: String,
    /// Only those of this connector: its id, also if it is deleted, or its name
    #[arg(long, value_name = "CONNECTOR", env = "INLET_CONNECTOR")]
    pub(crate) connector: Option<String>,
    /// Only those of this stream
    #[arg(long, value_name = "NAME", env = "INLET_STREAM")]
    pub(crate) stream: Option<String>,
}
