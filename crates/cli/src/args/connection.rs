//! Which server a command talks to.

use std::path::PathBuf;

use clap::Args;

use super::{OutputArgs, PlaceArgs};

/// What every command over the API takes.
#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Where the server is, or the data.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// The address of a server, such as `http://127.0.0.1:8080` or `https://inlet.example`
    ///
    /// Without it the command works in the shared database, if one is named. Else it goes through the server that works in the data
    /// directory, or, if there is none, works in the directory itself.
    #[arg(long, global = true, value_name = "URL", env = "INLET_URL")]
    pub(crate) url: Option<String>,

    /// The API key for that server; set it in the environment, where `ps` does not show it
    ///
    /// Only used with --url: the server of a data directory is shown the token in that directory.
    #[arg(long, global = true, value_name = "KEY", env = "INLET_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,

    /// A file with the certificates to trust of a server with https, in PEM form; if not said, those the system trusts
    ///
    /// For a server whose certificate a private authority has issued. No other authority is then trusted.
    #[arg(long, global = true, value_name = "FILE", env = "INLET_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) place: PlaceArgs,

    #[command(flatten)]
    pub(crate) encryption: EncryptionArgs,
}

/// What seals the secrets of connectors.
#[derive(Debug, Default, Args)]
pub(crate) struct EncryptionArgs {
    /// The key that encrypts secrets, 64 hexadecimal digits; set it in the environment, where `ps` does not show it
    ///
    /// Several with commas between them: the first encrypts, all decrypt. Without one, the data directory keeps a key of its
    /// own.
    #[arg(
        long,
        global = true,
        value_name = "KEYS",
        env = "INLET_ENCRYPTION_KEY",
        hide_env_values = true,
        conflicts_with = "encryption_key_file"
    )]
    pub(crate) encryption_key: Option<String>,

    /// A file with the key that encrypts secrets, or with several, one a line
    #[arg(long, global = true, value_name = "FILE", env = "INLET_ENCRYPTION_KEY_FILE")]
    pub(crate) encryption_key_file: Option<PathBuf>,
}
