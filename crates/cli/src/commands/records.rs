//! `inlet records`: prints what a collection holds.

use serde_json::value::RawValue;

use super::pages::Pages;
use crate::args::RecordsArgs;
use crate::client::objects::Record;
use crate::client::{Client, Query, segment};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::output::json::JsonLines;
use crate::output::records::by_stream;
use crate::output::table::terminal_width;
use crate::output::{OutputFormat, print, say};
use crate::session::{Need, Session};

/// Runs the command.
pub(crate) async fn run(args: &RecordsArgs) -> Result<(), CommandError> {
    let collection = CollectionName::parse(&args.collection)?;
    let session = Session::open(&args.api.server, Need::Present).await?;
    let result = match (&args.stream, &args.key) {
        (Some(stream), Some(key)) => {
            one(session.client(), &collection, stream, key, args.api.output.output).await
        }
        _ => list(session.client(), &collection, args).await,
    };
    session.close().await;
    result
}

async fn one(
    client: &Client,
    collection: &CollectionName,
    stream: &str,
    key: &str,
    output: OutputFormat,
) -> Result<(), CommandError> {
    let path = format!("{}/records/{}/{}", collection.path(), segment(stream), segment(key));
    let body = client.get(&path).await?;
    match output {
        OutputFormat::Json => print(&format!("{}\n", body.text()?))?,
        OutputFormat::Table => print(&by_stream(&[body.read()?], terminal_width()))?,
    }
    Ok(())
}

async fn list(client: &Client, collection: &CollectionName, args: &RecordsArgs) -> Result<(), CommandError> {
    let query = Query::default().with("stream", args.stream.as_deref());
    let path = format!("{}/records", collection.path());
    let mut pages = Pages::of_records(client, path, query, args.limit.get());
    match args.api.output.output {
        OutputFormat::Json => {
            let mut lines = JsonLines::stdout();
            while let Some(records) = pages.next::<Box<RawValue>>().await? {
                records.iter().try_for_each(|record| lines.write(record.get()))?;
                lines.flush()?;
            }
        }
        OutputFormat::Table => {
            let mut is_empty = true;
            while let Some(records) = pages.next::<Record>().await? {
                let gap = if is_empty { "" } else { "\n" };
                if !records.is_empty() {
                    print(&format!("{gap}{}", by_stream(&records, terminal_width())))?;
                    is_empty = false;
                }
            }
            if is_empty {
                say(&format!("{collection} holds no such records"));
            } else if pages.may_go_on() {
                say("there are more: --limit COUNT or --all shows them");
            }
        }
    }
    Ok(())
}
