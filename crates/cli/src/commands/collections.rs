//! `inlet collections`: the collections of a space.

use inlet_model::SpaceId;
use serde_json::json;

use super::listing::{Listing, say_done, show};
use crate::args::{CollectionsArgs, CollectionsCommand, OrderArg};
use crate::client::{Client, Query, segment};
use crate::errors::CommandError;
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
    let result = perform(session.client(), &space, args).await;
    session.close().await;
    result
}

async fn perform(client: &Client, space: &SpaceId, args: &CollectionsArgs) -> Result<(), CommandError> {
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
        CollectionsCommand::Delete { collection, cascade } => {
            let query = Query::default().with("cascade", cascade.then_some("true"));
            client.delete(&query.of(&path(collection))).await?;
            say_done(&format!("collection {collection} is deleted"), output)
        }
    }
}
