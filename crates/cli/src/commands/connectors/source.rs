//! `inlet connectors check` and `streams`: a look at a connector's source.

use inlet_model::sync::Failure;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Connectors;
use crate::client::objects::Page;
use crate::commands::listing::show;
use crate::errors::CommandError;
use crate::output::json::JsonLines;
use crate::output::object::{Column, table};
use crate::output::table::terminal_width;
use crate::output::{OutputFormat, print, say};

/// How a test of a connection went.
#[derive(Debug, Deserialize)]
struct Checked {
    status: String,
    error: Option<Failure>,
}

/// Tests the connection. A failure is shown, and is one.
pub(super) async fn check(connectors: &Connectors<'_>, connector: &str) -> Result<(), CommandError> {
    let path = connectors.path(connector).await?;
    let body = connectors.client.post(&format!("{path}/check"), &json!({})).await?;
    let checked: Checked = body.read()?;
    let Checked { status, error } = checked;
    if status == "succeeded" || connectors.output == OutputFormat::Json {
        show(&body, connectors.output)?;
    }
    match error {
        _ if status == "succeeded" => Ok(()),
        None => Err(CommandError::failure("check.failed", format!("the check {status}")).into()),
        Some(error) => {
            let complaint = CommandError::failure(error.code, error.message);
            Err(match error.hint {
                Some(hint) => complaint.hint(hint).into(),
                None => complaint.into(),
            })
        }
    }
}

const STREAMS: &[Column] = &[
    Column::text("stream", "/name"),
    Column::text("selected", "/selected"),
    Column::text("primary key", "/primary_key"),
    Column::text("cursor field", "/cursor_field"),
    Column::count("records", "/estimated_records"),
];

/// Lists the streams of the source.
pub(super) async fn streams(connectors: &Connectors<'_>, connector: &str) -> Result<(), CommandError> {
    let path = connectors.path(connector).await?;
    let body = connectors.client.get(&format!("{path}/streams")).await?;
    if connectors.output == OutputFormat::Json {
        let page: Page<Box<RawValue>> = body.read()?;
        let mut lines = JsonLines::stdout();
        page.data.iter().try_for_each(|stream| lines.write(stream.get()))?;
        return Ok(lines.flush()?);
    }
    let page: Page<Value> = body.read()?;
    if page.data.is_empty() {
        say("the source has no streams");
    } else {
        print(&table(STREAMS, &page.data, terminal_width()))?;
    }
    Ok(())
}
