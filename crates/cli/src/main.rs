//! The `inlet` binary: the server and the command line.

mod args;
mod client;
mod collection_name;
mod commands;
mod encryption;
mod errors;
mod logging;
mod node;
mod output;
mod place;
mod server;
mod session;
mod signals;
mod tls;
mod traces;

use std::process::ExitCode;
use std::time::Duration;

use args::{Cli, Command};
use errors::CommandError;
use traces::Traces;

/// What it gains stands in `bench/README.md`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Threads that hang in the system's hands at the end are left to it after this long.
const LAST_GRACE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let cli = match args::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(answer) => {
            // If it cannot be printed, the exit code still tells.
            let _unread = answer.print();
            return if answer.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    tls::use_ring();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let CommandError::Complaint(complaint) = &error {
                output::say(&complaint.to_string());
            }
            error.exit_code()
        }
    }
}

fn run(cli: &Cli) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        CommandError::failure("system.threads", "the system gives no threads").because(error)
    })?;
    let (traces, spans) = Traces::start(&cli.command, runtime.handle())?;
    logging::start(&cli.log, &cli.command, spans)?;
    let result = runtime.block_on(async {
        match &cli.command {
            Command::Serve(args) => commands::serve::run(args).await,
            Command::Migrate(args) => commands::migrate::run(args).await,
            Command::Sync(args) => commands::sync::run(args).await,
            Command::Records(args) => commands::records::run(args).await,
            Command::Changes(args) => commands::changes::run(args).await,
            Command::Export(args) => commands::export::run(args).await,
            Command::Import(args) => commands::import::run(args).await,
            Command::Spaces(args) => commands::spaces::run(args).await,
            Command::Collections(args) => commands::collections::run(args).await,
            Command::Connectors(args) => commands::connectors::run(args).await,
            Command::Syncs(args) => commands::syncs::run(args).await,
            Command::Webhooks(args) => commands::webhooks::run(args).await,
            Command::Keys(args) => commands::keys::run(args).await,
            Command::Types(args) => commands::connector_types::run(args).await,
            Command::Audit(args) => commands::audit::run(args).await,
            Command::Nodes(args) => commands::nodes::run(args).await,
            Command::Demo(args) => commands::demo::run(args).await,
            Command::Doctor(args) => commands::doctor::run(args).await,
            Command::Completions(args) => commands::completions::run(args),
            Command::Man(args) => commands::man::run(args),
        }
    });
    traces.end();
    runtime.shutdown_timeout(LAST_GRACE);
    result
}
