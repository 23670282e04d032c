//! The arguments of `inlet doctor`.

use clap::Args;

use super::ApiArgs;

/// Look for what is wrong, and say what to do
///
/// Looks at the data directory and its permissions, the disk, the databases, the server, the API key and the clock, and changes
/// nothing. The exit code is 1 if something is wrong. With --url only the server is looked at, and with
/// --database-url only the database that servers share.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}
