//! How results are printed, and how much of them.

use clap::{Args, ValueEnum};

use crate::output::OutputFormat;

/// How results are printed.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// How the result is printed
    #[arg(long, short, global = true, value_name = "FORMAT", env = "INLET_OUTPUT", default_value = "table")]
    pub(crate) output: OutputFormat,
}

/// How much is printed. A group of which the list is the only command takes it before or behind that one's name.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Print at most this many; 0 is all
    #[arg(
        long,
        global = true,
        value_name = "COUNT",
        env = "INLET_LIMIT",
        default_value = "50",
        allow_negative_numbers = true
    )]
    limit: u64,

    /// Print all, like --limit 0
    #[arg(long, global = true, env = "INLET_ALL")]
    all: bool,
}

impl LimitArgs {
    /// At most this many; `None` is all.
    pub(crate) fn get(&self) -> Option<u64> {
        (self.limit > 0 && !self.all).then_some(self.limit)
    }
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderArg {
    /// The oldest first
    Asc,
    /// The newest first
    Desc,
}

impl OrderArg {
    /// As the API says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}
