//! Logs: to standard error, for people or for machines. The spans of traces come from the same place and go elsewhere.

use std::io::{self, IsTerminal};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::args::{Command, LogArgs, LogFormat};
use crate::errors::CommandError;
use crate::traces::SpanLayer;

/// Starts logging as the arguments say and the command suggests; `spans` takes the spans, whatever the log shows.
pub(crate) fn start(args: &LogArgs, command: &Command, spans: Option<SpanLayer>) -> Result<(), CommandError> {
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
    let base = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        // Nobody can be told that standard error is gone.
        .log_internal_errors(false);
    let lines = if json {
        base.json().flatten_event(true).boxed()
    } else {
        base.with_ansi(on_terminal && std::env::var_os("NO_COLOR").is_none()).boxed()
    };
    tracing_subscriber::registry().with(spans).with(lines.with_filter(filter)).init();
    Ok(())
}

fn bad_filter(text: &str, error: tracing_subscriber::filter::ParseError) -> CommandError {
    CommandError::input("input.log_level", format!("`{text}` is no log filter"))
        .hint("say a level, such as `debug`, or levels by part, such as `info,inlet_sync=debug`")
        .because(error)
        .into()
}
