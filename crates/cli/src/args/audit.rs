//! The arguments of `inlet audit`.

use clap::{Args, Subcommand};

use super::{ApiArgs, LimitArgs};

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
        /// Only what was asked for by this one: the id of a key, `environment`, `local` or `none`
        #[arg(long, value_name = "ACTOR", env = "INLET_ACTOR")]
        actor: Option<String>,
        /// Only changes of this kind, such as `connector.update`
        #[arg(long, value_name = "ACTION", env = "INLET_ACTION")]
        action: Option<String>,
        #[command(flatten)]
        limit: LimitArgs,
    },
}
