//! `inlet keys`: the API keys of a server.

mod rotate_encryption;

use inlet_model::KeyId;
use serde_json::json;

use crate::args::{CreateKey, KeysArgs, KeysCommand, RotateKey, UpdateKey};
use crate::client::{Client, Query};
use crate::commands::listing::{Listing, say_done, show};
use crate::commands::lookup::{self, Kind};
use crate::errors::CommandError;
use crate::output::object::Column;
use crate::output::{OutputFormat, say};
use crate::session::{Need, Session};

const ALL: &str = "/v1/keys";

const KEY: Kind = Kind { name: "key", ids: "key_", lister: "inlet keys list" };

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("name", "/name"),
    Column::text("role", "/role"),
    Column::text("space", "/space_id"),
    Column::text("expires", "/expires_at"),
    Column::text("last used", "/last_used_at"),
];

/// Runs the command.
pub(crate) async fn run(args: &KeysArgs) -> Result<(), CommandError> {
    if let KeysCommand::RotateEncryption = &args.command {
        return rotate_encryption::run(&args.api).await;
    }
    let session = Session::open(&args.api.server, Need::Present).await?;
    let result = perform(session.client(), args).await;
    session.close().await;
    result
}

async fn perform(client: &Client, args: &KeysArgs) -> Result<(), CommandError> {
    let output = args.api.output.output;
    match &args.command {
        KeysCommand::List { limit } => {
            let if_empty = "there are no keys".to_owned();
            let listing =
                Listing { path: ALL.to_owned(), filter: Query::default(), columns: COLUMNS, if_empty };
            listing.print(client, limit, output).await
        }
        KeysCommand::Get { key } => show(&client.get(&path(client, key).await?).await?, output),
        KeysCommand::Create(key) => create(client, key, output).await,
        KeysCommand::Update(key) => update(client, key, output).await,
        KeysCommand::Rotate(key) => rotate(client, key, output).await,
        // Done without a client.
        KeysCommand::RotateEncryption => Ok(()),
        KeysCommand::Delete { key } => {
            client.delete(&path(client, key).await?).await?;
            say_done(&format!("key {key} is deleted"), output)
        }
    }
}

async fn path(client: &Client, key: &str) -> Result<String, CommandError> {
    lookup::path_of::<KeyId>(client, ALL, key, KEY).await
}

async fn create(client: &Client, key: &CreateKey, output: OutputFormat) -> Result<(), CommandError> {
    let mut body = json!({"name": key.name, "role": key.role.as_str()});
    if let Some(space) = &key.space {
        body["space_id"] = json!(space);
    }
    if let Some(expires_at) = &key.expires_at {
        body["expires_at"] = json!(expires_at);
    }
    let made = client.post(ALL, &body).await?;
    show(&made, output)?;
    say("the secret is shown only now; keep it safe");
    Ok(())
}

async fn update(client: &Client, key: &UpdateKey, output: OutputFormat) -> Result<(), CommandError> {
    let mut change = json!({});
    if let Some(name) = &key.name {
        change["name"] = json!(name);
    }
    if let Some(expires_at) = &key.expires_at {
        change["expires_at"] = json!((expires_at != "never").then_some(expires_at));
    }
    let path = path(client, &key.key).await?;
    show(&client.patch(&path, &change).await?, output)
}

async fn rotate(client: &Client, key: &RotateKey, output: OutputFormat) -> Result<(), CommandError> {
    let body = match &key.overlap {
        Some(overlap) => json!({"overlap": overlap}),
        None => json!({}),
    };
    let path = path(client, &key.key).await?;
    let rotated = client.post(&format!("{path}/rotate"), &body).await?;
    show(&rotated, output)?;
    say("the new secret is shown only now; keep it safe");
    Ok(())
}
