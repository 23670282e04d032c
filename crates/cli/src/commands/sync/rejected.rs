//! The records that a sync refused, the first of them with reasons.

use serde::Deserialize;

use crate::client::objects::{Page, Sync};
use crate::client::{CallError, Client};
use crate::errors::CommandError;
use crate::output::numbers;
use crate::output::table::{Align, Table, terminal_width};

/// This many are shown.
const SHOWN: usize = 5;

/// A record that was refused.
#[derive(Debug, Deserialize)]
struct Rejected {
    stream: String,
    scope: String,
    position: u64,
    code: String,
    reason: String,
    sample: String,
}

/// What is to be said about those that the sync at `path` refused.
pub(super) async fn table(client: &Client, path: &str, sync: &Sync) -> Result<String, CommandError> {
    let heading = format!("{} rejected", numbers::counted(sync.counts.rejected, "record"));
    let first: Vec<Rejected> = match client.get(&format!("{path}/rejected?limit={SHOWN}")).await {
        Ok(page) => page.read::<Page<Rejected>>()?.data,
        // An older server does not list them.
        Err(CallError::Problem(problem)) if problem.code == "request.route_not_found" => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if first.is_empty() {
        return Ok(format!("{heading}\n"));
    }
    let mut table = Table::new([
        ("stream", Align::Left),
        ("file", Align::Left),
        ("position", Align::Right),
        ("code", Align::Left),
        ("reason", Align::Left),
        ("begins", Align::Left),
    ]);
    for record in &first {
        let position = numbers::count(record.position);
        table.row([
            record.stream.as_str(),
            record.scope.as_str(),
            position.as_str(),
            record.code.as_str(),
            record.reason.as_str(),
            record.sample.as_str(),
        ]);
    }
    Ok(format!("{heading}; the first:\n{}", table.render(terminal_width())))
}
