//! The arguments of `inlet keys`.

use clap::{Args, Subcommand, ValueEnum};

use super::{ApiArgs, LimitArgs};

/// Make, change, rotate and delete API keys
///
/// Where a key is asked for, say its id (`key_…`) or its name, if no other key has it. The server keeps only a hash of a key: its text is
/// shown once, when it is made or rotated.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys, the newest first
    List {
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show a key, without its text
    Get {
        /// The key's id, or its name
        #[arg(value_name = "KEY")]
        key: String,
    },
    Create(CreateKey),
    Update(UpdateKey),
    Rotate(RotateKey),
    /// Encrypt all secrets of connectors and webhooks under a new key
    ///
    /// Stop the server first. If the data directory keeps the key, a new one is made, and the old one is forgotten when nothing
    /// needs it any more. If you keep the key, put the new one before the old one (INLET_ENCRYPTION_KEY=new,old), run this, and
    /// then take the old one away. Should it be interrupted, run it again: nothing is lost.
    RotateEncryption,
    /// Delete a key: it is refused from now on
    Delete {
        /// The key's id, or its name
        #[arg(value_name = "KEY")]
        key: String,
    },
}

/// Make a key, and show its text this once
#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    /// Its name, for people
    #[arg(long, value_name = "NAME", env = "INLET_NAME")]
    pub(crate) name: String,
    /// What it may do
    #[arg(long, value_name = "ROLE", env = "INLET_ROLE", default_value = "read")]
    pub(crate) role: RoleArg,
    /// The only space it sees; if not said, all
    #[arg(long, value_name = "SPACE", env = "INLET_SPACE")]
    pub(crate) space: Option<String>,
    /// When it ends, such as `2027-01-31T00:00:00Z`; if not said, never
    #[arg(long, value_name = "TIME", env = "INLET_EXPIRES_AT")]
    pub(crate) expires_at: Option<String>,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    /// Look at everything it sees
    Read,
    /// And change it, and run syncs
    Write,
    /// And make and delete spaces and keys
    Admin,
}

impl RoleArg {
    /// As the API says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Rename a key, or change when it ends
#[derive(Debug, Args)]
pub(crate) struct UpdateKey {
    /// The key's id, or its name
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Its new name
    #[arg(long, value_name = "NAME", env = "INLET_NAME")]
    pub(crate) name: Option<String>,
    /// When it ends, such as `2027-01-31T00:00:00Z`, or `never`
    #[arg(long, value_name = "TIME", env = "INLET_EXPIRES_AT")]
    pub(crate) expires_at: Option<String>,
}

/// Give a key a new text, and show it this once
#[derive(Debug, Args)]
pub(crate) struct RotateKey {
    /// The key's id, or its name
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// How long the old text is still good, such as `24h`; if not said, as the server does by itself
    #[arg(long, value_name = "DURATION", env = "INLET_OVERLAP")]
    pub(crate) overlap: Option<String>,
}
