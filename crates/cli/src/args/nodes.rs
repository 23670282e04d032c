//! The arguments of `inlet nodes`.

use clap::{Args, Subcommand};

use super::{ApiArgs, LimitArgs};

/// Show the nodes: the processes that share the catalog, and how many syncs each runs
#[derive(Debug, Args)]
pub(crate) struct NodesArgs {
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(subcommand)]
    pub(crate) command: Option<NodesCommand>,
}

/// What is shown of the nodes. There is nothing else, so it need not be said.
#[derive(Debug, Subcommand)]
pub(crate) enum NodesCommand {
    /// List the nodes, those started last first; the same as `inlet nodes` alone
    List,
}
