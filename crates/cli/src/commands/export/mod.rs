//! `inlet export`: all records of a collection, in bounded memory.

mod ndjson;
#[cfg(feature = "parquet")]
mod parquet;

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::pages::Pages;
use super::transfer;
use crate::args::{ExportArgs, ExportFormat};
use crate::client::{Client, Query};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::output::numbers::counted;
use crate::output::say;
use crate::session::{Need, Session};

/// Where an export goes.
type Place = Box<dyn Write + Send>;

/// Runs the command.
pub(crate) async fn run(args: &ExportArgs) -> Result<(), CommandError> {
    if let Some(dir) = &args.all_to {
        return transfer::to_directory(dir, &args.api.server.place.database, args.api.output.output).await;
    }
    check(args)?;
    let collection = CollectionName::parse(args.collection.as_deref().unwrap_or_default())?;
    let session = Session::open(&args.api.server, Need::Present).await?;
    let result = match &args.to {
        None => {
            // Spooled in the folder for such files: there is none of its own.
            let spool_dir = std::env::temp_dir();
            write(session.client(), &collection, args, Box::new(io::stdout()), &spool_dir).await.map(drop)
        }
        Some(path) => to_file(session.client(), &collection, args, path).await,
    };
    session.close().await;
    result
}

/// Refuses what cannot be done before anything is.
fn check(args: &ExportArgs) -> Result<(), CommandError> {
    if args.format == ExportFormat::Ndjson {
        return Ok(());
    }
    if !cfg!(feature = "parquet") {
        return Err(without_parquet());
    }
    if args.to.is_none() && io::stdout().is_terminal() {
        return Err(CommandError::input("input.to", "a Parquet file is nothing for a terminal")
            .hint("name a file with --to, or send standard output into one")
            .into());
    }
    Ok(())
}

/// Writes beside the file, and gives it its name when it is whole.
async fn to_file(
    client: &Client,
    collection: &CollectionName,
    args: &ExportArgs,
    path: &Path,
) -> Result<(), CommandError> {
    let failed = |error: io::Error| {
        let message = format!("`{}` cannot be written", path.display());
        CommandError::from(CommandError::failure("output.failed", message).because(error))
    };
    let unfinished = PathBuf::from(format!("{}.part", path.display()));
    let file = File::create(&unfinished).map_err(failed)?;
    let written = async {
        let whole = file.try_clone().map_err(failed)?;
        // On the same disk, where there has to be room anyway.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let count = write(client, collection, args, Box::new(file), folder).await?;
        whole.sync_all().and_then(|()| fs::rename(&unfinished, path)).map_err(failed)?;
        Ok(count)
    };
    match written.await {
        Ok(count) => {
            say(&format!("{} written to {}", counted(count, "record"), path.display()));
            Ok(())
        }
        Err(error) => {
            // What is left of it is of no use; if it cannot be removed, its name says so.
            let _left = fs::remove_file(&unfinished);
            Err(error)
        }
    }
}

/// Writes all records; how many there are.
#[cfg_attr(not(feature = "parquet"), expect(unused_variables, reason = "only Parquet is spooled"))]
async fn write(
    client: &Client,
    collection: &CollectionName,
    args: &ExportArgs,
    place: Place,
    spool_dir: &Path,
) -> Result<u64, CommandError> {
    let query = Query::default().with("stream", args.stream.as_deref());
    let pages = Pages::of_records(client, format!("{}/records", collection.path()), query, None);
    match args.format {
        ExportFormat::Ndjson => ndjson::write(pages, args.data_only, place).await,
        #[cfg(feature = "parquet")]
        ExportFormat::Parquet => parquet::write(pages, args.data_only, place, spool_dir).await,
        #[cfg(not(feature = "parquet"))]
        ExportFormat::Parquet => Err(without_parquet()),
    }
}

/// A program without the crates for Parquet still knows its name.
fn without_parquet() -> CommandError {
    CommandError::input("input.format", "this program was built without Parquet")
        .hint("export as ndjson, or build with the feature `parquet`")
        .into()
}
