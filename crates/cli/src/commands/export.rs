//! `inlet export`: all records of a collection, in bounded memory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::pages::Pages;
use crate::args::{ExportArgs, ExportFormat};
use crate::client::objects::Record;
use crate::client::{Client, Query};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::output::json::JsonLines;
use crate::output::numbers::counted;
use crate::output::say;
use crate::session::{Need, Session};

/// Runs the command.
pub(crate) async fn run(args: &ExportArgs) -> Result<(), CommandError> {
    let ExportFormat::Ndjson = args.format;
    let collection = CollectionName::parse(&args.collection)?;
    let session = Session::open(&args.api.server, Need::Present).await?;
    let result = match &args.to {
        None => write(session.client(), &collection, args, JsonLines::stdout()).await.map(drop),
        Some(path) => to_file(session.client(), &collection, args, path).await,
    };
    session.close().await;
    result
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
        let count = write(client, collection, args, JsonLines::file(file)).await?;
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
async fn write(
    client: &Client,
    collection: &CollectionName,
    args: &ExportArgs,
    mut lines: JsonLines,
) -> Result<u64, CommandError> {
    let query = Query::default().with("stream", args.stream.as_deref());
    let mut pages = Pages::of_records(client, format!("{}/records", collection.path()), query, None);
    let mut count = 0;
    while let Some(records) = pages.next::<Box<RawValue>>().await? {
        for record in &records {
            if args.data_only {
                lines.write(data(record)?.get())?;
            } else {
                lines.write(record.get())?;
            }
            count += 1;
        }
        lines.flush()?;
    }
    Ok(count)
}

fn data(record: &RawValue) -> Result<Box<RawValue>, CommandError> {
    match serde_json::from_str::<Record>(record.get()) {
        Ok(record) => Ok(record.data),
        Err(error) => Err(crate::client::CallError::Unreadable(Box::new(error)).into()),
    }
}
