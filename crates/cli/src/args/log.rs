//! What is logged, and how.

use clap::{Args, ValueEnum};

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
