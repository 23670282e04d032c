//! `inlet collections`: the collections of a space.

use inlet_model::SpaceId;
use serde::Deserialize;
use serde_json::json;

use super::listing::{Listing, say_done, show};
use super::{connectors, removal};
use crate::args::{ClearCollection, CollectionsArgs, CollectionsCommand, OrderArg};
use crate::client::{Query, segment};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::output::OutputFormat;
use crate::output::numbers::counted;
use crate::output::object::Column;
use crate::session::{Need, Session};

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("name", "/name"),
    Column::count("records", "/records"),
    Column::bytes("bytes", "/bytes"),
    Column::count("last change", "/last_change"),
    Column::text("created", "/created_at"),
];

/// Runs the command.
pub(crate) async fn run(args: &CollectionsArgs) -> Result<(), CommandError> {
    let space: SpaceId = args.space.parse().map_err(|error| {
        CommandError::input("input.space", format!("`{}` does not name a space", args.space)).because(error)
    })?;
    let need = match &args.command {
        CollectionsCommand::Create { .. } => Need::Making,
        _ => Need::Present,
    };
    let session = Session::open(&args.api.server, need).await?;
    let result = perform(&session, &space, args).await;
    session.close().await;
    result
}

async fn perform(session: &Session, space: &SpaceId, args: &CollectionsArgs) -> Result<(), CommandError> {
    let client = session.client();
    let output = args.api.output.output;
    let all = format!("/v1/spaces/{space}/collections");
    let path = |collection: &str| format!("{all}/{}", segment(collection));
    match &args.command {
        CollectionsCommand::List { order, limit } => {
            let filter = Query::default().with("order", order.map(OrderArg::as_str));
            let if_empty = format!("space {space} has no collections");
            Listing { path: all, filter, columns: COLUMNS, if_empty }.print(client, limit, output).await
        }
        CollectionsCommand::Get { collection } => show(&client.get(&path(collection)).await?, output),
        CollectionsCommand::Create { name, id } => {
            let mut collection = json!({"name": name});
            if let Some(id) = id {
                collection["id"] = json!(id);
            }
            show(&client.post(&all, &collection).await?, output)
        }
        CollectionsCommand::Update { collection, name } => {
            show(&client.patch(&path(collection), &json!({"name": name})).await?, output)
        }
        CollectionsCommand::Clear(what) => clear(session, space, what, output).await,
        CollectionsCommand::Delete { collection, cascade } => {
            let query = Query::default().with("cascade", cascade.then_some("true"));
            client.delete(&query.of(&path(collection))).await?;
            say_done(&format!("collection {collection} is deleted"), output)
        }
    }
}

/// What is being removed.
#[derive(Debug, Deserialize)]
struct Removal {
    records: u64,
}

async fn clear(
    session: &Session,
    space: &SpaceId,
    what: &ClearCollection,
    output: OutputFormat,
) -> Result<(), CommandError> {
    let client = session.client();
    let collection = CollectionName::parse(&format!("{space}/{}", what.collection))?;
    let connector = match &what.connector {
        Some(connector) => Some(connectors::path(client, &collection, connector).await?),
        None => None,
    };
    let connector = connector.as_deref().and_then(|path| path.rsplit('/').next());
    let query = Query::default().with("connector_id", connector).with("stream", what.stream.as_deref());
    let body = client.delete(&query.of(&format!("{}/records", collection.path()))).await?;
    removal::finish(session, &collection).await?;
    match output {
        OutputFormat::Json => show(&body, output),
        OutputFormat::Table => {
            let Removal { records } = body.read()?;
            say_done(&format!("removing {} from {collection}", counted(records, "record")), output)
        }
    }
}
