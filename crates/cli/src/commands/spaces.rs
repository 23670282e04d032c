//! `inlet spaces`: the spaces of a server.

use serde_json::json;

use super::listing::{Listing, say_done, show};
use crate::args::{OrderArg, SpacesArgs, SpacesCommand};
use crate::client::{Client, Query, segment};
use crate::errors::CommandError;
use crate::output::object::Column;
use crate::session::{Need, Session};

const ALL: &str = "/v1/spaces";

const COLUMNS: &[Column] =
    &[Column::text("id", "/id"), Column::text("name", "/name"), Column::text("created", "/created_at")];

/// Runs the command.
pub(crate) async fn run(args: &SpacesArgs) -> Result<(), CommandError> {
    let need = match &args.command {
        SpacesCommand::Create { .. } => Need::Making,
        _ => Need::Present,
    };
    let session = Session::open(&args.api.server, need).await?;
    let result = perform(session.client(), args).await;
    session.close().await;
    result
}

async fn perform(client: &Client, args: &SpacesArgs) -> Result<(), CommandError> {
    let output = args.api.output.output;
    match &args.command {
        SpacesCommand::List { order, limit } => {
            let filter = Query::default().with("order", order.map(OrderArg::as_str));
            let if_empty = "there are no spaces".to_owned();
            Listing { path: ALL.to_owned(), filter, columns: COLUMNS, if_empty }
                .print(client, limit, output)
                .await
        }
        SpacesCommand::Get { space } => show(&client.get(&path(space)).await?, output),
        SpacesCommand::Create { name, id } => {
            let mut space = json!({"name": name});
            if let Some(id) = id {
                space["id"] = json!(id);
            }
            show(&client.post(ALL, &space).await?, output)
        }
        SpacesCommand::Update { space, name } => {
            show(&client.patch(&path(space), &json!({"name": name})).await?, output)
        }
        SpacesCommand::Delete { space, cascade } => {
            let query = Query::default().with("cascade", cascade.then_some("true"));
            client.delete(&query.of(&path(space))).await?;
            say_done(&format!("space {space} is deleted"), output)
        }
    }
}

fn path(space: &str) -> String {
    format!("{ALL}/{}", segment(space))
}
