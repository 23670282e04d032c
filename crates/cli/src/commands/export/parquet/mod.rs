//! A Parquet file, whose columns are known only when every record has been seen.
//!
//! So the records are read once, and kept in a compressed file without a name while it is learned what their fields hold;
//! then that file is read, and written as row groups. Reading the collection twice instead would see two different
//! collections if something is written to it meanwhile.

mod columns;
mod fields;
mod group;
mod number;
mod spool;

use std::path::Path;

use serde_json::value::RawValue;

use self::columns::{Column, Shape};
use self::group::ParquetFile;
use self::spool::Spool;
use super::Place;
use crate::client::CallError;
use crate::commands::pages::Pages;
use crate::errors::CommandError;

/// Writes all records; how many there are.
pub(super) async fn write(
    mut pages: Pages<'_>,
    data_only: bool,
    place: Place,
    spool_dir: &Path,
) -> Result<u64, CommandError> {
    let mut spool = Spool::new(spool_dir).map_err(|error| spool_failed(spool_dir, error))?;
    let mut shape = Shape::default();
    let mut count = 0;
    while let Some(records) = pages.next::<Box<RawValue>>().await? {
        for record in &records {
            shape.learn(record.get()).map_err(unreadable)?;
            spool.write(record.get()).map_err(|error| spool_failed(spool_dir, error))?;
            count += 1;
        }
    }
    let columns = if data_only { data_columns(&shape)? } else { shape.all_columns() };
    let mut file = ParquetFile::create(place, columns)?;
    let mut records = spool.read().map_err(|error| spool_failed(spool_dir, error))?;
    while let Some(record) = records.next().map_err(|error| spool_failed(spool_dir, error))? {
        file.write(record)?;
    }
    file.close()?;
    Ok(count)
}

/// Every field, as nothing else holds it.
fn data_columns(shape: &Shape) -> Result<Vec<Column>, CommandError> {
    let hint = "leave out --data-only: then the column `data` holds every record whole";
    if shape.has_more_fields() {
        let most = columns::MOST_FIELDS;
        let message =
            format!("the records have more than {most} different fields, too many for a column each");
        return Err(CommandError::failure("export.too_many_fields", message).hint(hint).into());
    }
    let columns = shape.data_columns();
    if columns.is_empty() {
        let message = "there is no record with a field, so there is nothing to make columns of";
        return Err(CommandError::failure("export.no_fields", message).hint(hint).into());
    }
    Ok(columns)
}

fn unreadable(error: serde_json::Error) -> CommandError {
    CallError::Unreadable(Box::new(error)).into()
}

fn spool_failed(folder: &Path, error: std::io::Error) -> CommandError {
    let message = format!("the records could not be kept for a moment in `{}`", folder.display());
    CommandError::failure("output.failed", message).because(error).hint("is there room on that disk?").into()
}
