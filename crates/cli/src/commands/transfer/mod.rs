//! Moving everything between a data directory and a database.

mod refused;
mod summary;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use inlet_model::{SystemClock, SystemEntropy};
use inlet_store::postgres::Layout;
use inlet_store::sqlite::DataDir;
use inlet_store::transfer::{
    TransferError, TransferOptions, TransferProgress, TransferReport, TransferStep, into_database,
    into_directory,
};

use crate::args::DatabaseArgs;
use crate::errors::CommandError;
use crate::node::{self, Ownership};
use crate::output::progress::Progress;
use crate::output::{OutputFormat, numbers, print, say};
use crate::place;
use crate::signals::StopRequests;

/// Moves all that is in a data directory into a database.
pub(super) async fn from_directory(
    path: &Path,
    database: &DatabaseArgs,
    output: OutputFormat,
) -> Result<(), CommandError> {
    let database = place::database_of(database, Layout::default())?;
    if !node::is_data_dir(path) {
        let message = format!("there is no data directory at `{}`", path.display());
        return Err(CommandError::input("input.data_dir", message).into());
    }
    let dir = own(path)?;
    let key_path = dir.encryption_keys().is_ok_and(|keys| !keys.is_empty()).then(|| dir.key_path());
    let run = Run::start(&format!("{} → database", path.display()), output)?;
    let parts = (SystemClock, SystemEntropy);
    let moving = into_database(dir, &database, parts, TransferOptions::default(), run.watch());
    let (report, took) = run.end(moving).await.map_err(|error| refused::told(error, path))?;
    print(&summary::of(&report, took, output))?;
    if output == OutputFormat::Table {
        say(&summary::key_for_servers(key_path.as_deref()));
    }
    Ok(())
}

/// Moves all that is in a database into a data directory.
pub(super) async fn to_directory(
    path: &Path,
    database: &DatabaseArgs,
    output: OutputFormat,
) -> Result<(), CommandError> {
    let database = place::database_of(database, Layout::default())?;
    let dir = own(path)?;
    let key_path = dir.key_path();
    let run = Run::start(&format!("database → {}", path.display()), output)?;
    let parts = (SystemClock, SystemEntropy);
    let moving = into_directory(&database, dir, parts, TransferOptions::default(), run.watch());
    let (report, took) = run.end(moving).await.map_err(|error| refused::told(error, path))?;
    print(&summary::of(&report, took, output))?;
    if output == OutputFormat::Table {
        say(&summary::key_for_directory(path, &key_path));
    }
    Ok(())
}

/// Takes the data directory, in which nobody may work meanwhile.
fn own(path: &Path) -> Result<DataDir, CommandError> {
    match node::take(path)? {
        Ownership::Ours(dir) => Ok(dir),
        Ownership::Server(server) => {
            let message = format!("a server works in the data directory `{}`", path.display());
            let hint = format!("stop it first: it is process {}", server.pid);
            Err(CommandError::failure("data_dir.in_use", message).hint(hint).into())
        }
        Ownership::Somebody => Err(node::in_use(path).hint("wait until it has ended").into()),
    }
}

/// A move while it runs.
struct Run {
    progress: Progress,
    started: Instant,
    stop: StopRequests,
    /// Whether it is to stop after the page in hand.
    is_stopped: Arc<AtomicBool>,
}

impl Run {
    fn start(what: &str, output: OutputFormat) -> Result<Self, CommandError> {
        Ok(Self {
            progress: Progress::start(what, output),
            started: Instant::now(),
            stop: StopRequests::listen()?,
            is_stopped: Arc::default(),
        })
    }

    /// Shows how far the move has come, and says whether it is to go on.
    fn watch(&self) -> impl FnMut(&TransferProgress) -> ControlFlow<()> + Send + 'static {
        let (show, is_stopped) = (self.progress.line(), Arc::clone(&self.is_stopped));
        move |progress| {
            show(line(progress));
            if is_stopped.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    }

    /// Waits for the move, and stops it if somebody asks for that.
    async fn end(
        mut self,
        moving: impl Future<Output = Result<TransferReport, TransferError>>,
    ) -> Result<(TransferReport, Duration), TransferError> {
        let mut moving = std::pin::pin!(moving);
        let report = loop {
            tokio::select! {
                report = &mut moving => break report,
                _ = self.stop.next() => self.is_stopped.store(true, Ordering::Relaxed),
            }
        };
        self.progress.end();
        Ok((report?, self.started.elapsed()))
    }
}

fn line(progress: &TransferProgress) -> String {
    let step = match progress.step {
        TransferStep::Copying => "moving",
        TransferStep::Checking => "checking",
    };
    format!("{step} {}  {}", progress.table, numbers::counted(progress.rows, "row"))
}
