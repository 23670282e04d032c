//! What most commands over the API do: print a list, or one object, as a table or as JSON.

use serde_json::Value;
use serde_json::value::RawValue;

use super::pages::Pages;
use crate::args::LimitArgs;
use crate::client::{Body, Client, Query};
use crate::errors::CommandError;
use crate::output::json::JsonLines;
use crate::output::object::{Column, details, table};
use crate::output::table::terminal_width;
use crate::output::{OutputFormat, print, say};

/// A list of the API.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    /// Its path.
    pub(super) path: String,
    /// Its filters.
    pub(super) filter: Query,
    /// What people see of each item.
    pub(super) columns: &'a [Column],
    /// What is said if it is empty.
    pub(super) if_empty: String,
}

impl Listing<'_> {
    /// Prints as much of the list as is wanted, page by page.
    pub(super) async fn print(
        self,
        client: &Client,
        limit: &LimitArgs,
        output: OutputFormat,
    ) -> Result<(), CommandError> {
        let mut pages = Pages::of_objects(client, self.path, self.filter, limit.get());
        if output == OutputFormat::Json {
            let mut lines = JsonLines::stdout();
            while let Some(items) = pages.next::<Box<RawValue>>().await? {
                items.iter().try_for_each(|item| lines.write(item.get()))?;
                lines.flush()?;
            }
            return Ok(());
        }
        let mut is_empty = true;
        while let Some(items) = pages.next::<Value>().await? {
            if !items.is_empty() {
                print(&table(self.columns, &items, terminal_width()))?;
                is_empty = false;
            }
        }
        if is_empty {
            say(&self.if_empty);
        } else if pages.may_go_on() {
            say("there are more: --limit COUNT or --all shows them");
        }
        Ok(())
    }
}

/// Prints one object: field by field, or as the API gave it.
pub(super) fn show(body: &Body, output: OutputFormat) -> Result<(), CommandError> {
    match output {
        OutputFormat::Json => print(&format!("{}\n", body.text()?))?,
        OutputFormat::Table => print(&details(&body.read::<Box<RawValue>>()?))?,
    }
    Ok(())
}

/// Says that something is done, where the server has nothing to show; to a program the exit code says it.
pub(super) fn say_done(sentence: &str, output: OutputFormat) -> Result<(), CommandError> {
    match output {
        OutputFormat::Json => Ok(()),
        OutputFormat::Table => Ok(print(&format!("{sentence}\n"))?),
    }
}
