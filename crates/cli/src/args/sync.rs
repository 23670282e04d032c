//! The arguments of `inlet sync`.

use clap::{Args, ValueEnum};

use super::ApiArgs;

const SYNC_EXAMPLES: &str = "\
Examples:
  inlet sync orders.csv --into shop --key id
  inlet sync 'logs/*.jsonl.gz' --into logs
  inlet sync shop.db --into shop --stream orders --stream customers
  inlet sync postgres://inlet@localhost/shop --into shop --stream public.orders
  inlet sync customers.json --into shop --key id --mode full_refresh --output json";

/// Bring a source into a collection, once
///
/// Needs no server; beside a running one it goes through that. The same command again finds the same connector: only what
/// has changed is read, and records that are as they were stay untouched. Ctrl-C cancels; what was committed stays, and
/// the next run goes on from there.
#[derive(Debug, Args)]
#[command(after_help = SYNC_EXAMPLES)]
pub(crate) struct SyncArgs {
    /// A file, or a glob in quotes: CSV, JSON Lines or a JSON array, plain or compressed by gzip or zstd; or a SQLite database;
    /// or postgres://USER@HOST/DATABASE
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,

    /// The collection, as `collection` or `space/collection`; made if it is not there
    #[arg(long, value_name = "COLLECTION", env = "INLET_INTO")]
    pub(crate) into: String,

    /// Of files, what the stream is called in the collection; of a database, a table or view to read, several times for several
    ///
    /// Without it files are called by their name, and of a database all tables and views are read.
    #[arg(long = "stream", value_name = "NAME", env = "INLET_STREAM")]
    pub(crate) streams: Vec<String>,

    /// The field whose value identifies a record; several times for a key of several fields
    ///
    /// Without a key a record of a file is identified by its place there, and one of a database by the key of its table.
    #[arg(long = "key", value_name = "FIELD", env = "INLET_KEY")]
    pub(crate) keys: Vec<String>,

    /// The field of a database that tells what is new; rows that were deleted are then seen only by a full refresh
    #[arg(long, value_name = "FIELD", env = "INLET_CURSOR")]
    pub(crate) cursor: Option<String>,

    /// What the files hold; if not said, told by their names
    #[arg(long, value_name = "FORMAT", env = "INLET_FORMAT")]
    pub(crate) format: Option<FormatArg>,

    /// Whether to read everything again
    #[arg(long, value_name = "MODE", env = "INLET_MODE", default_value = "incremental")]
    pub(crate) mode: ModeArg,

    /// Delete whatever is gone from the source, however much it is, without asking
    #[arg(long, env = "INLET_APPROVE_DELETES")]
    pub(crate) approve_deletes: bool,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// What files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum FormatArg {
    /// Comma-separated values with a header line
    Csv,
    /// One JSON object a line
    Jsonl,
    /// One array of JSON objects
    Json,
}

/// How a sync reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum ModeArg {
    /// Only what may have changed since the last time
    Incremental,
    /// Everything again
    FullRefresh,
}

impl ModeArg {
    /// As the API says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incremental => "incremental",
            Self::FullRefresh => "full_refresh",
        }
    }
}
