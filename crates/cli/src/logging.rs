//! Logs: to standard error, for people or for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Command, LogArgs, LogFormat};
use crate::errors::CommandError;

/// Starts logging as the arguments say and the command suggests.
pub(crate) fn start(args: &LogArgs, command: &Command) -> Result<(), CommandError> {
    let is_server = matches!(command, Command::Serve(_));
    let filter = match &args.log_level {
        Some(text) => text.parse::<EnvFilter>().map_err(|error| bad_filter(text, error))?,
        None => EnvFilter::new(if is_server { "info" } else { "warn" }),
    };
    let on_terminal = io::stderr().is_terminal();
    let json = match args.log_format {
        LogFormat::Auto => is_server && !on_terminal,
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let base = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // Nobody can be told that standard error is gone.
        .log_internal_errors(false);
    if json {
        base.json().flatten_event(true).finish().init();
    } else {
        base.with_ansi(on_terminal && std::env::var_os("NO_COLOR").is_none()).finish().init();
    }
    Ok(())
}

fn bad_filter(text: &str, error: tracing_subscriber::filter::ParseError) -> CommandError {
    CommandError::input("input.log_level", format!("`{text}` is no log filter"))
        .hint("say a level, such as `debug`, or levels by part, such as `info,inlet_sync=debug`")
        .because(error)
        .into()
}
