//! `inlet webhooks`: who is told what becomes of syncs.

use inlet_model::{SpaceId, WebhookId};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::listing::{Listing, say_done, show};
use super::lookup::{self, Kind};
use crate::args::{
    CreateWebhook, ListDeliveries, NarrowArgs, OrderArg, UpdateWebhook, WebhooksArgs, WebhooksCommand,
};
use crate::client::{Body, Client, Query, segment};
use crate::errors::CommandError;
use crate::output::object::Column;
use crate::output::{OutputFormat, say};
use crate::session::{Need, Session};

const WEBHOOK: Kind = Kind { name: "webhook", ids: "whk_", lister: "inlet webhooks list" };

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("name", "/name"),
    Column::text("url", "/url"),
    Column::text("events", "/events"),
    Column::text("status", "/status"),
];

const DELIVERY_COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("event", "/event"),
    Column::text("state", "/state"),
    Column::count("attempts", "/attempts"),
    Column::text("answer", "/last_answer/status"),
    Column::text("error", "/last_answer/error"),
    Column::text("next attempt", "/next_attempt_at"),
    Column::text("queued", "/created_at"),
];

/// Runs the command.
pub(crate) async fn run(args: &WebhooksArgs) -> Result<(), CommandError> {
    let space: SpaceId = args.space.parse().map_err(|error| {
        CommandError::input("input.space", format!("`{}` does not name a space", args.space)).because(error)
    })?;
    let need = match &args.command {
        WebhooksCommand::Create(_) => Need::Making,
        _ => Need::Present,
    };
    let session = Session::open(&args.api.server, need).await?;
    let all = format!("/v1/spaces/{space}/webhooks");
    let webhooks = Webhooks { client: session.client(), all, output: args.api.output.output };
    let result = webhooks.perform(&args.command).await;
    session.close().await;
    result
}

/// The webhooks of one space.
struct Webhooks<'a> {
    client: &'a Client,
    all: String,
    output: OutputFormat,
}

impl Webhooks<'_> {
    async fn perform(&self, command: &WebhooksCommand) -> Result<(), CommandError> {
        match command {
            WebhooksCommand::List { order, limit } => {
                let filter = Query::default().with("order", order.map(OrderArg::as_str));
                let if_empty = "the space has no webhooks".to_owned();
                let listing = Listing { path: self.all.clone(), filter, columns: COLUMNS, if_empty };
                listing.print(self.client, limit, self.output).await
            }
            WebhooksCommand::Get(one) => {
                show(&self.client.get(&self.path(&one.webhook).await?).await?, self.output)
            }
            WebhooksCommand::Create(create) => self.create(create).await,
            WebhooksCommand::Update(update) => self.update(update).await,
            WebhooksCommand::Delete(one) => {
                self.client.delete(&self.path(&one.webhook).await?).await?;
                say_done(&format!("webhook {} is deleted", one.webhook), self.output)
            }
            WebhooksCommand::Test(one) => self.test(&one.webhook).await,
            WebhooksCommand::RotateSecret(one) => {
                let rotated = self.post(&one.webhook, "rotate-secret").await?;
                show(&rotated, self.output)?;
                say("the new secret is shown only now; keep it safe");
                Ok(())
            }
            WebhooksCommand::Deliveries(list) => self.deliveries(list).await,
            WebhooksCommand::Retry { webhook, delivery } => {
                let call = format!("deliveries/{}/retry", segment(delivery));
                show(&self.post(&webhook.webhook, &call).await?, self.output)
            }
        }
    }

    /// The path of the webhook that has this id or this name.
    async fn path(&self, webhook: &str) -> Result<String, CommandError> {
        lookup::path_of::<WebhookId>(self.client, &self.all, webhook, WEBHOOK).await
    }

    async fn post(&self, webhook: &str, call: &str) -> Result<Body, CommandError> {
        let path = self.path(webhook).await?;
        Ok(self.client.post(&format!("{path}/{call}"), &json!({})).await?)
    }

    async fn create(&self, create: &CreateWebhook) -> Result<(), CommandError> {
        let mut body = narrowed(&create.narrow);
        body.insert("name".to_owned(), json!(create.name));
        body.insert("url".to_owned(), json!(create.target));
        show(&self.client.post(&self.all, &Value::Object(body)).await?, self.output)?;
        say("the secret is shown only now; keep it safe");
        Ok(())
    }

    async fn update(&self, update: &UpdateWebhook) -> Result<(), CommandError> {
        let mut patch = narrowed(&update.narrow);
        patch.extend(update.unset.iter().map(|what| (what.field().to_owned(), Value::Null)));
        let status = update.status.map(|status| status.as_str().to_owned());
        for (field, value) in [("name", &update.name), ("url", &update.target), ("status", &status)] {
            if let Some(value) = value {
                patch.insert(field.to_owned(), json!(value));
            }
        }
        if patch.is_empty() {
            return Err(CommandError::input("input.nothing", "nothing is said that could be changed")
                .hint(
                    "say --name, --target, --event, --only-collection, --only-connector, --unset or --status",
                )
                .into());
        }
        let path = self.path(&update.webhook.webhook).await?;
        show(&self.client.patch(&path, &Value::Object(patch)).await?, self.output)
    }

    async fn test(&self, webhook: &str) -> Result<(), CommandError> {
        let body = self.post(webhook, "test").await?;
        show(&body, self.output)?;
        let Test { status, answer } = body.read()?;
        if status == "succeeded" {
            return Ok(());
        }
        let said = match (answer.status, answer.error) {
            (Some(status), _) => format!("it answered {status}"),
            (None, Some(error)) => format!("no answer: {error}"),
            (None, None) => "no answer".to_owned(),
        };
        let message = format!("the target did not take the test: {said}");
        Err(CommandError::failure("webhook.test_failed", message).into())
    }

    async fn deliveries(&self, list: &ListDeliveries) -> Result<(), CommandError> {
        let path = format!("{}/deliveries", self.path(&list.webhook.webhook).await?);
        let filter = Query::default()
            .with("state", list.state.as_deref())
            .with("order", list.order.map(OrderArg::as_str));
        let if_empty = "the webhook has no such deliveries".to_owned();
        let listing = Listing { path, filter, columns: DELIVERY_COLUMNS, if_empty };
        listing.print(self.client, &list.limit, self.output).await
    }
}

/// What came of a test.
#[derive(Debug, Deserialize)]
struct Test {
    status: String,
    answer: TestAnswer,
}

/// What the target said.
#[derive(Debug, Deserialize)]
struct TestAnswer {
    status: Option<u16>,
    error: Option<String>,
}

/// What a webhook is told, as the API takes it; what was not said is left out.
fn narrowed(narrow: &NarrowArgs) -> Map<String, Value> {
    let mut body = Map::new();
    if !narrow.events.is_empty() {
        body.insert("events".to_owned(), json!(narrow.events));
    }
    for (field, id) in [("collection_id", &narrow.only_collection), ("connector_id", &narrow.only_connector)]
    {
        if let Some(id) = id {
            body.insert(field.to_owned(), json!(id));
        }
    }
    body
}
