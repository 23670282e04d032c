//! `inlet connectors`: the connectors of a collection.

mod push;
mod schemas;
mod settings;
mod source;
mod state;

use inlet_model::ConnectorId;
use serde_json::json;

use super::listing::{Listing, say_done, show};
use super::lookup::{self, Kind};
use super::removal;
use crate::args::{
    ConnectorsArgs, ConnectorsCommand, DeleteConnector, KeptRecords, ListConnectors, OrderArg,
    TriggerSecretCommand,
};
use crate::client::{Client, Query};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::output::object::Column;
use crate::output::{OutputFormat, say};
use crate::session::{Need, Session};

const CONNECTOR: Kind = Kind { name: "connector", ids: "con_", lister: "inlet connectors list" };

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("name", "/name"),
    Column::text("type", "/type"),
    Column::text("status", "/status"),
    Column::text("last sync", "/last_sync/status"),
    Column::text("next sync", "/next_sync_at"),
];

/// Runs the command.
pub(crate) async fn run(args: &ConnectorsArgs) -> Result<(), CommandError> {
    let collection = CollectionName::parse(&args.collection)?;
    // Read first: what is not valid is said before a data directory is made.
    let settings = settings::of(&args.command)?;
    let need = match &args.command {
        ConnectorsCommand::Create(_) => Need::Making,
        _ => Need::Present,
    };
    let session = Session::open(&args.api.server, need).await?;
    let connectors =
        Connectors { client: session.client(), collection: &collection, output: args.api.output.output };
    let mut result = connectors.perform(&args.command, settings).await;
    if let (Ok(()), ConnectorsCommand::Delete(DeleteConnector { records: KeptRecords::Delete, .. })) =
        (&result, &args.command)
    {
        result = removal::finish(&session, &collection).await;
    }
    session.close().await;
    result
}

/// The connectors of one collection.
struct Connectors<'a> {
    client: &'a Client,
    collection: &'a CollectionName,
    output: OutputFormat,
}

impl Connectors<'_> {
    async fn perform(
        &self,
        command: &ConnectorsCommand,
        settings: settings::Settings,
    ) -> Result<(), CommandError> {
        match command {
            ConnectorsCommand::List(list) => self.list(list).await,
            ConnectorsCommand::Get(one) => {
                show(&self.client.get(&self.path(&one.connector).await?).await?, self.output)
            }
            ConnectorsCommand::Create(_) => {
                show(&self.client.post(&self.all(), &settings).await?, self.output)
            }
            ConnectorsCommand::Update(update) => {
                let path = self.path(&update.connector.connector).await?;
                show(&self.client.patch(&path, &settings).await?, self.output)
            }
            ConnectorsCommand::Delete(delete) => self.delete(delete).await,
            ConnectorsCommand::Check(one) => source::check(self, &one.connector).await,
            ConnectorsCommand::Streams(one) => source::streams(self, &one.connector).await,
            ConnectorsCommand::Schemas(args) => schemas::run(self, args).await,
            ConnectorsCommand::Push(push) => push::run(self, push).await,
            ConnectorsCommand::Pause(one) => self.set_status(&one.connector, "paused").await,
            ConnectorsCommand::Resume(one) => self.set_status(&one.connector, "active").await,
            ConnectorsCommand::TriggerSecret { command } => self.trigger_secret(command).await,
            ConnectorsCommand::State { command } => state::run(self, command).await,
        }
    }

    fn all(&self) -> String {
        all(self.collection)
    }

    async fn path(&self, connector: &str) -> Result<String, CommandError> {
        path(self.client, self.collection, connector).await
    }

    async fn list(&self, list: &ListConnectors) -> Result<(), CommandError> {
        let filter = Query::default()
            .with("status", list.status.as_deref())
            .with("type", list.kind.as_deref())
            .with("order", list.order.map(OrderArg::as_str));
        let if_empty = format!("{} has no such connectors", self.collection);
        let listing = Listing { path: self.all(), filter, columns: COLUMNS, if_empty };
        listing.print(self.client, &list.limit, self.output).await
    }

    async fn delete(&self, delete: &DeleteConnector) -> Result<(), CommandError> {
        let connector = &delete.connector.connector;
        let (records, what) = match delete.records {
            // What a server does by itself.
            KeptRecords::Keep => (None, "its records stay"),
            KeptRecords::Delete => (Some("delete"), "its records go"),
        };
        let query = Query::default().with("records", records);
        self.client.delete(&query.of(&self.path(connector).await?)).await?;
        say_done(&format!("connector {connector} is deleted; {what}"), self.output)
    }

    async fn trigger_secret(&self, command: &TriggerSecretCommand) -> Result<(), CommandError> {
        let (TriggerSecretCommand::New { connector, .. }
        | TriggerSecretCommand::Get(connector)
        | TriggerSecretCommand::Delete(connector)) = command;
        let path = format!("{}/trigger-secret", self.path(&connector.connector).await?);
        match command {
            TriggerSecretCommand::New { overlap, .. } => {
                show(&self.client.post(&path, &json!({"overlap": overlap})).await?, self.output)?;
                say("the secret is shown only now; keep it safe");
                Ok(())
            }
            TriggerSecretCommand::Get(_) => show(&self.client.get(&path).await?, self.output),
            TriggerSecretCommand::Delete(_) => {
                self.client.delete(&path).await?;
                say_done(&format!("messages trigger connector {} no more", connector.connector), self.output)
            }
        }
    }

    async fn set_status(&self, connector: &str, status: &str) -> Result<(), CommandError> {
        let path = self.path(connector).await?;
        show(&self.client.patch(&path, &json!({"status": status})).await?, self.output)
    }
}

fn all(collection: &CollectionName) -> String {
    format!("{}/connectors", collection.path())
}

/// The path of the connector that has this id or this name.
pub(super) async fn path(
    client: &Client,
    collection: &CollectionName,
    connector: &str,
) -> Result<String, CommandError> {
    lookup::path_of::<ConnectorId>(client, &all(collection), connector, CONNECTOR).await
}
