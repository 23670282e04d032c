//! The arguments of `inlet types`.

use clap::{Args, Subcommand};

use super::ApiArgs;

/// Show the connector types, and what their config holds
#[derive(Debug, Args)]
pub(crate) struct TypesArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(subcommand)]
    pub(crate) command: TypesCommand,
}

/// What is shown of the connector types.
#[derive(Debug, Subcommand)]
pub(crate) enum TypesCommand {
    /// List the connector types of the server
    List,
    /// Show what a connector type does, and the fields of its config
    Get {
        /// The type's name
        #[arg(value_name = "TYPE")]
        kind: String,
    },
}
