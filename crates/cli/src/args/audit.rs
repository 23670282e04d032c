//! The arguments of `inlet audit`.

use clap::{Args, Subcommand};

use super::{ApiArgs, LimitArgs, OrderArg};

/// Show who changed what
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

/// What is shown of the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List the changes that were made over the API, the newest first; secrets are left out
    List {
        /// Which end comes first
        #[arg(long, value_name = "ORDER", env = "INLET_ORDER")]
        order: Option<OrderArg>,
        #[command(flatten)]
        limit: LimitArgs,
    },
}
