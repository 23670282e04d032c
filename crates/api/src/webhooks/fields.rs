//! The fields of a webhook in requests.

use inlet_model::fields::{FieldErrors, Fields};
use inlet_model::{CollectionId, ConnectorId};
use inlet_source::Egress;
use inlet_store::catalog::{WebhookConflict, WebhookEvent, WebhookStatus};
use inlet_webhooks::{UrlError, check_url};
use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::codes::Code;
use crate::find;
use crate::operation::every_member_optional;
use crate::paths::SpacePath;
use crate::problem::Problem;
use crate::settings;

/// A webhook to be made.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `read` reads it field by field")]
pub(super) struct NewWebhook {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// Where deliveries are sent. Without TLS only addresses of this machine and of private networks are reached.
    #[schemars(length(min = 1, max = 2048))]
    url: String,
    /// Which events it is told; all if it is left out, `null` or empty.
    events: Option<Vec<WebhookEvent>>,
    /// Only syncs of this collection.
    collection_id: Option<CollectionId>,
    /// Only syncs of this connector.
    connector_id: Option<ConnectorId>,
    /// Whether it is told anything; `active` if it is left out.
    status: Option<WebhookStatus>,
}

/// What may be changed of a webhook. What is left out stays.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = every_member_optional)]
#[expect(dead_code, reason = "it only says what the body is; `read` reads it field by field")]
pub(super) struct WebhookPatch {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// Where deliveries are sent.
    #[schemars(length(min = 1, max = 2048))]
    url: String,
    /// Which events it is told; `null` or empty: all.
    events: Option<Vec<WebhookEvent>>,
    /// Only syncs of this collection; `null`: of all.
    collection_id: Option<CollectionId>,
    /// Only syncs of this connector; `null`: of all.
    connector_id: Option<ConnectorId>,
    /// Whether it is told anything.
    status: WebhookStatus,
}

/// What a request says of a webhook.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) events: Vec<WebhookEvent>,
    pub(super) collection_id: Option<CollectionId>,
    pub(super) connector_id: Option<ConnectorId>,
    pub(super) status: WebhookStatus,
}

/// Reads all fields of a webhook; every bad one is named.
pub(super) fn read(body: Value, egress: Egress) -> Result<Settings, FieldErrors> {
    let mut fields = Fields::new(body)?;
    let name = settings::name(&mut fields);
    let url = take_url(&mut fields, egress);
    let events = take_events(&mut fields);
    let collection_id = take_id(&mut fields, "collection_id");
    let connector_id = take_id(&mut fields, "connector_id");
    let status =
        fields.choice("status", &[("active", WebhookStatus::Active), ("disabled", WebhookStatus::Disabled)]);
    fields.finish()?;
    Ok(Settings {
        name: name.expect("its absence was refused"),
        url: url.expect("its absence was refused"),
        events,
        collection_id,
        connector_id,
        status: status.unwrap_or_default(),
    })
}

fn take_url(fields: &mut Fields, egress: Egress) -> Option<String> {
    let text = fields.required_string("url")?;
    if let Err(error) = check_url(&text, egress) {
        let code = if matches!(error, UrlError::Refused(_)) { "field.refused" } else { "field.format" };
        // The reason of a refusal stands behind it.
        let reason =
            std::error::Error::source(&error).map_or_else(String::new, |cause| match cause.source() {
                Some(cause) => format!(": {cause}"),
                None => format!(": {cause}"),
            });
        fields.refuse("url", code, format!("{error}{reason}"));
    }
    Some(text)
}

/// `events`, each once and in the order in which they are listed.
fn take_events(fields: &mut Fields) -> Vec<WebhookEvent> {
    let names = fields.strings("events").unwrap_or_default();
    for name in &names {
        if name.parse::<WebhookEvent>().is_err() {
            let known: Vec<String> = WebhookEvent::ALL.iter().map(|event| format!("`{event}`")).collect();
            let detail = format!("each of `events` is one of {}; found `{name}`", known.join(", "));
            fields.refuse("events", "field.choice", detail);
        }
    }
    let is_named = |event: &WebhookEvent| names.iter().any(|name| name == event.as_str());
    WebhookEvent::ALL.into_iter().filter(is_named).collect()
}

fn take_id<T: std::str::FromStr<Err = inlet_model::id::IdError>>(
    fields: &mut Fields,
    name: &'static str,
) -> Option<T> {
    let text = fields.string(name)?;
    text.parse().map_err(|error| fields.refuse(name, "field.format", format!("{error}; found `{text}`"))).ok()
}

/// What was in the way of a webhook.
pub(super) fn refused(path: &SpacePath, conflict: WebhookConflict) -> Problem {
    let not_there = |name: &str, detail: &str| {
        let mut fields = Fields::new(json!({})).expect("it is an object");
        fields.refuse(name, "field.choice", detail);
        Problem::from(fields.finish().expect_err("a field was refused"))
    };
    match conflict {
        WebhookConflict::NoSpace => find::no_space(&path.space_id),
        WebhookConflict::NoCollection => {
            not_there("collection_id", "there is no such collection in the space")
        }
        WebhookConflict::NoConnector => {
            not_there("connector_id", "there is no such connector in the space, or in the collection")
        }
        WebhookConflict::TooMany => {
            let detail = format!(
                "The space has {} webhooks, as many as it may. Delete one that is not needed, or let one do for several.",
                inlet_store::catalog::WEBHOOKS_MAX
            );
            Problem::new(Code::WebhookTooMany, detail)
        }
    }
}
