//! `inlet changes`: prints how a collection came to hold what it holds.

use serde_json::value::RawValue;

use super::pages::Pages;
use crate::args::ChangesArgs;
use crate::client::objects::Change;
use crate::client::{Client, Query};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::output::json::JsonLines;
use crate::output::records::plain;
use crate::output::table::{Align, Table, terminal_width};
use crate::output::{OutputFormat, print, say};
use crate::session::{Need, Session};

/// Runs the command.
pub(crate) async fn run(args: &ChangesArgs) -> Result<(), CommandError> {
    let collection = CollectionName::parse(&args.collection)?;
    let session = Session::open(&args.api.server, Need::Present).await?;
    let result = list(session.client(), &collection, args).await;
    session.close().await;
    result
}

async fn list(client: &Client, collection: &CollectionName, args: &ChangesArgs) -> Result<(), CommandError> {
    let path = format!("{}/changes", collection.path());
    let pages = Pages::of_records(client, path, Query::default(), args.limit.get());
    let mut pages = pages.after("after", &args.after.to_string());
    match args.api.output.output {
        OutputFormat::Json => {
            let mut lines = JsonLines::stdout();
            while let Some(changes) = pages.next::<Box<RawValue>>().await? {
                changes.iter().try_for_each(|change| lines.write(change.get()))?;
                lines.flush()?;
            }
        }
        OutputFormat::Table => {
            let mut last = None;
            while let Some(changes) = pages.next::<Change>().await? {
                if let Some(change) = changes.last() {
                    last = Some(change.change);
                    print(&table(&changes))?;
                }
            }
            match last {
                None => say(&format!("{collection} has no changes after {}", args.after)),
                Some(last) if pages.may_go_on() => say(&format!("--after {last} shows what came next")),
                Some(_) => {}
            }
        }
    }
    Ok(())
}

fn table(changes: &[Change]) -> String {
    let mut table = Table::new([
        ("change", Align::Right),
        ("op", Align::Left),
        ("stream", Align::Left),
        ("key", Align::Left),
        ("data", Align::Left),
    ]);
    for change in changes {
        table.row([
            change.change.to_string().as_str(),
            change.op.as_str(),
            change.stream.as_str(),
            plain(&change.key).as_str(),
            change.data.as_deref().map_or("", RawValue::get),
        ]);
    }
    table.render(terminal_width())
}
