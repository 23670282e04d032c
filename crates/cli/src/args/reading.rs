//! The arguments of the commands that print what a collection holds.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ApiArgs, LimitArgs};

/// Print the records of a collection
#[derive(Debug, Args)]
pub(crate) struct RecordsArgs {
    /// The collection, as `collection` or `space/collection`
    #[arg(value_name = "COLLECTION")]
    pub(crate) collection: String,

    /// Only records of this stream
    #[arg(long, value_name = "NAME", env = "INLET_STREAM")]
    pub(crate) stream: Option<String>,

    /// Only the record with this key: JSON, such as `42` or `["EWR",7]`, or a bare text; needs --stream
    #[arg(long, value_name = "KEY", env = "INLET_KEY", requires = "stream")]
    pub(crate) key: Option<String>,

    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// Print how a collection came to hold what it holds
///
/// Each change has a number that is never used twice. Keep the last one you saw, and ask for what came after it.
#[derive(Debug, Args)]
pub(crate) struct ChangesArgs {
    /// The collection, as `collection` or `space/collection`
    #[arg(value_name = "COLLECTION")]
    pub(crate) collection: String,

    /// Only changes with a greater number; from 0 on you get the present state
    #[arg(
        long,
        value_name = "NUMBER",
        env = "INLET_AFTER",
        default_value = "0",
        allow_negative_numbers = true
    )]
    pub(crate) after: u64,

    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  inlet export shop --to shop.ndjson
  inlet export shop --stream orders --data-only | jq .price
  inlet export shop --stream orders --format parquet --to orders.parquet
  inlet export --all-to ./inlet-data --database-url postgres://inlet:secret@db.example/inlet";

/// Write all records of a collection to a file or to standard output; or move a whole database into a data directory
///
/// Reads page by page, in bounded memory, in the order of stream and key. A file appears under its name only when it is whole.
/// With --all-to everything that is in a PostgreSQL database goes into a new data directory, the way back of `inlet import`: stop all its
/// servers first. What was interrupted goes on when the same command is given again.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ExportArgs {
    /// The collection, as `collection` or `space/collection`
    #[arg(value_name = "COLLECTION", required_unless_present = "all_to")]
    pub(crate) collection: Option<String>,

    /// Everything, from the database of --database-url into this data directory, which must be new or empty
    #[arg(
        long,
        value_name = "DIR",
        env = "INLET_ALL_TO",
        conflicts_with_all = ["collection", "stream", "data_only", "to"]
    )]
    pub(crate) all_to: Option<PathBuf>,

    /// What is written
    #[arg(long, value_name = "FORMAT", env = "INLET_EXPORT_FORMAT", default_value = "ndjson")]
    pub(crate) format: ExportFormat,

    /// Only records of this stream
    #[arg(long, value_name = "NAME", env = "INLET_STREAM")]
    pub(crate) stream: Option<String>,

    /// Only what the records hold, without their stream, key, connector and times
    #[arg(long, env = "INLET_DATA_ONLY")]
    pub(crate) data_only: bool,

    /// The file to write; if not said, standard output
    #[arg(long, value_name = "FILE", env = "INLET_TO")]
    pub(crate) to: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object a line
    Ndjson,
    /// A Parquet file, with a column for each field whose values are of one kind
    Parquet,
}
