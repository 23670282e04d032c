//! One JSON object a line.

use serde_json::value::RawValue;

use super::Place;
use crate::client::CallError;
use crate::client::objects::Record;
use crate::commands::pages::Pages;
use crate::errors::CommandError;
use crate::output::json::JsonLines;

/// Writes all records; how many there are.
pub(super) async fn write(mut pages: Pages<'_>, data_only: bool, place: Place) -> Result<u64, CommandError> {
    let mut lines = JsonLines::to(place);
    let mut count = 0;
    while let Some(records) = pages.next::<Box<RawValue>>().await? {
        for record in &records {
            if data_only {
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
        Err(error) => Err(CallError::Unreadable(Box::new(error)).into()),
    }
}
