//! What can be said on the command line, and its help.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::output::OutputFormat;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes: 0 it worked, 1 it failed, 2 the input was not valid.
Every option can be set by the environment variable that its help names; the command line wins.";

/// Moves data from where it is into collections that survive anything.
#[derive(Debug, Parser)]
#[command(name = "inlet", version, styles = STYLES, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArgs),
    Sync(SyncArgs),
    Records(RecordsArgs),
    Changes(ChangesArgs),
    Demo(DemoArgs),
}

/// Logs, which always go to standard error.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct LogArgs {
    /// What is logged: error, warn, info, debug or trace, or by part, such as `info,inlet_sync=debug`
    ///
    /// A server logs from `info` on if nothing is said, every other command from `warn` on.
    #[arg(long, global = true, value_name = "FILTER", env = "INLET_LOG")]
    pub(crate) log_level: Option<String>,

    /// How log lines look
    #[arg(long, global = true, value_name = "FORMAT", env = "INLET_LOG_FORMAT", default_value = "auto")]
    pub(crate) log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// JSON for a server whose standard error is no terminal, else human
    Auto,
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

/// Where the data live.
#[derive(Debug, Args)]
pub(crate) struct DataDirArgs {
    /// The directory that holds all data
    ///
    /// One process works in it at a time. Beside a running server every command goes through that server.
    #[arg(long, value_name = "DIR", env = "INLET_DATA_DIR", default_value = "./inlet-data")]
    pub(crate) data_dir: PathBuf,
}

/// How results are printed.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// How the result is printed
    #[arg(long, short, value_name = "FORMAT", env = "INLET_OUTPUT", default_value = "table")]
    pub(crate) output: OutputFormat,
}

/// Run the server: the HTTP API and the syncs
///
/// Prints one line with its address when it is ready. Ends within ten seconds of Ctrl-C or SIGTERM, and loses nothing: a
/// sync that was running goes on at the next start.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) data_dir: DataDirArgs,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", env = "INLET_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// A directory under which connectors may read local files; may be given several times
    ///
    /// Without one no local file can be read. In the environment several are separated by colons.
    #[arg(long = "files-root", value_name = "DIR", env = "INLET_FILES_ROOT")]
    pub(crate) files_roots: Vec<PathBuf>,

    /// Whether callers must show an API key
    #[arg(long, value_name = "WHO", env = "INLET_AUTH", default_value = "key")]
    pub(crate) auth: AuthArg,

    /// An API key that may do everything; set it in the environment, where `ps` does not show it
    ///
    /// Without one the first start makes a key and prints it once.
    #[arg(long, value_name = "KEY", env = "INLET_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
}

/// Whether callers must show an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthArg {
    /// Every call needs a key
    Key,
    /// Whoever can reach the port may do everything; on loopback addresses only
    None,
}

const SYNC_EXAMPLES: &str = "\
Examples:
  inlet sync orders.csv --into shop --key id
  inlet sync 'logs/*.jsonl.gz' --into logs
  inlet sync customers.json --into shop --key id --mode full_refresh --output json";

/// Bring a source into a collection, once
///
/// Needs no server; beside a running one it goes through that. The same command again finds the same connector: only what
/// has changed is read, and records that are as they were stay untouched. Ctrl-C cancels; what was committed stays, and
/// the next run goes on from there.
#[derive(Debug, Args)]
#[command(after_help = SYNC_EXAMPLES)]
pub(crate) struct SyncArgs {
    /// A file, or a glob in quotes: CSV, JSON Lines or a JSON array, plain or compressed by gzip or zstd
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,

    /// The collection, as `collection` or `space/collection`; made if it is not there
    #[arg(long, value_name = "COLLECTION", env = "INLET_INTO")]
    pub(crate) into: String,

    /// What the stream is called in the collection; if not said, by the source's name
    #[arg(long, value_name = "NAME", env = "INLET_STREAM")]
    pub(crate) stream: Option<String>,

    /// The field whose value identifies a record; several times for a key of several fields
    ///
    /// Without a key a record is identified by its place in its file.
    #[arg(long = "key", value_name = "FIELD", env = "INLET_KEY")]
    pub(crate) keys: Vec<String>,

    /// What the files hold; if not said, told by their names
    #[arg(long, value_name = "FORMAT", env = "INLET_FORMAT")]
    pub(crate) format: Option<FormatArg>,

    /// Whether to read everything again
    #[arg(long, value_name = "MODE", env = "INLET_MODE", default_value = "incremental")]
    pub(crate) mode: ModeArg,

    #[command(flatten)]
    pub(crate) data_dir: DataDirArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
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
    pub(crate) data_dir: DataDirArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// How much is printed.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Print at most this many; 0 is all
    #[arg(
        long,
        value_name = "COUNT",
        env = "INLET_LIMIT",
        default_value = "50",
        allow_negative_numbers = true
    )]
    limit: u64,

    /// Print all, like --limit 0
    #[arg(long, env = "INLET_ALL")]
    all: bool,
}

impl LimitArgs {
    /// At most this many; `None` is all.
    pub(crate) fn get(&self) -> Option<u64> {
        (self.limit > 0 && !self.all).then_some(self.limit)
    }
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
    pub(crate) data_dir: DataDirArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// See it work: a server with real sample data and its first syncs
///
/// Brings the airlines, airports, planes and weather of New York's flights of 2013 into a collection, shows what landed,
/// and goes on serving until Ctrl-C. Starts afresh each time.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The directory of the demo: made, or emptied if an earlier demo made it
    #[arg(long, value_name = "DIR", env = "INLET_DEMO_DATA_DIR", default_value = "./inlet-demo")]
    pub(crate) data_dir: PathBuf,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", env = "INLET_DEMO_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// End after the syncs
    #[arg(long, env = "INLET_DEMO_NO_SERVE")]
    pub(crate) no_serve: bool,
}

/// Reads the command line. Bad arguments, `--help` and `--version` are clap's answer in `Err`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(arguments)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let Command::Serve(serve) = &mut cli.command
        && is_from_environment(&matches, "files_roots")
    {
        // A repeated option has one environment variable: several values are written as in PATH.
        serve.files_roots = serve.files_roots.iter().flat_map(std::env::split_paths).collect();
    }
    Ok(cli)
}

fn is_from_environment(matches: &ArgMatches, id: &str) -> bool {
    matches
        .subcommand()
        .is_some_and(|(_, command)| command.value_source(id) == Some(ValueSource::EnvVariable))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        parse(line.split(' ').map(Into::into))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_has_an_environment_variable() {
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands() {
            let options = command.get_arguments().filter(|option| {
                !option.is_positional() && !matches!(option.get_id().as_str(), "help" | "version")
            });
            for option in options {
                let name = format!("{} --{}", command.get_name(), option.get_id());
                let variable = option.get_env().unwrap_or_else(|| panic!("{name} has none"));
                assert!(variable.to_string_lossy().starts_with("INLET_"), "{name}: {variable:?}");
            }
        }
    }

    #[test]
    fn every_option_says_what_it_does() {
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for option in command.get_arguments() {
                assert!(option.get_help().is_some(), "{} {}", command.get_name(), option.get_id());
            }
        }
    }

    #[test]
    fn a_limit_of_zero_and_all_mean_everything() {
        for line in ["inlet records a --limit 0", "inlet records a --all", "inlet records a --limit 7 --all"]
        {
            let Command::Records(records) = parsed(line).unwrap().command else { panic!("{line}") };
            assert_eq!(records.limit.get(), None, "{line}");
        }
    }

    #[test]
    fn a_record_is_asked_for_by_key_only_within_a_stream() {
        assert!(parsed("inlet records a --key 1").is_err());
        assert!(parsed("inlet records a --stream s --key 1").is_ok());
    }
}
