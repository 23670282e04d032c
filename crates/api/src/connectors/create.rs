//! `POST …/connectors`: makes a connector. 201; 422 names every bad field, those of the config included.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors \
//!   -H 'Idempotency-Key: unique_key' -H 'Content-Type: application/json' \
//!   -d '{"name": "New Connector", "type": "external_source"}'
//! {"id":"con_01k…","name":"New Connector","type":"external_source","config":{},"streams":null,…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::Fields;
use inlet_model::{ConnectorId, StoreId};
use inlet_store::catalog::{Connector, ConnectorStatus};
use serde_json::Value;

use super::fields::NewConnector;
use super::view::ConnectorView;
use super::{config, fields as settings_of, policy, schedule, streams};
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::find;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::{CollectionPath, ConnectorPath};
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

/// Where an answer names the connector.
const ITS_IDS: &[(&str, &str)] = &[
    ("space_id", "$response.body#/space_id"),
    ("collection_id", "$response.body#/collection_id"),
    ("connector_id", "$response.body#/id"),
];

pub(crate) fn operation() -> Operation {
    Operation::post("create_connector", path::CONNECTORS, Access::Write)
        .summary("Make a connector")
        .description("A bad config is refused with every bad field named, under `/config/…`.")
        .body::<NewConnector>(NewConnector::example())
        .answers::<ConnectorView>(StatusCode::CREATED, "The connector.", ConnectorView::example())
        .with_header(Param::header("Location", "Where the connector is."))
        .with_header(Param::header("ETag", "Its version."))
        .link("get_connector", ITS_IDS)
        .link("update_connector", ITS_IDS)
        .link("push_records", ITS_IDS)
        .link("trigger_sync", ITS_IDS)
        .link("list_syncs", ITS_IDS)
        .link("cancel_active_sync", ITS_IDS)
        .link("delete_connector", ITS_IDS)
}

pub(crate) async fn create(
    State(api): State<Api>,
    path: CollectionPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let collection = find::collection(&api, &path).await?;
    let connector = read(&api, post.body, &path, collection.store_id)?;
    schedule::check_followed(&api, &path.space_id, None, &connector.schedule).await?;
    let made = ConnectorPath { collection: path.clone(), connector_id: connector.id };
    let answer = Answer::new(StatusCode::CREATED, &ConnectorView::new(connector.clone(), None))
        .location(made.to_string())
        .version(connector.version);
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    match settle(answer, api.catalog.connector_create(connector, record).await?)? {
        Ok(answer) => {
            api.engine.rescheduled();
            Ok(answer)
        }
        Err(()) => Err(find::absent_collection(&api, &path).await?),
    }
}

/// The connector that the body describes.
fn read(api: &Api, body: Value, path: &CollectionPath, store_id: StoreId) -> Result<Connector, Problem> {
    let now = api.clock.now();
    let mut fields = Fields::new(body)?;
    let name = settings::name(&mut fields);
    let kind = settings_of::take_type(&mut fields, &api.registry);
    let config = settings_of::take_config(&mut fields);
    let config = kind.as_ref().and_then(|kind| {
        let wanted = config::wanted(api, &**kind, config, None);
        wanted.map_err(|errors| settings_of::refuse_config(&mut fields, errors)).ok()
    });
    let streams = streams::take(&mut fields);
    if let Some(kind) = &kind {
        streams::check_type(&mut fields, streams.as_deref(), &**kind);
    }
    let status = settings_of::take_status(&mut fields);
    let schedule = schedule::take(&mut fields);
    let policy = policy::take(&mut fields);
    fields.finish()?;
    let id = ConnectorId::new(now, &*api.entropy);
    let config = config.expect("a bad one was refused");
    let status = status.unwrap_or_default();
    let syncs_by_itself = status == ConnectorStatus::Active;
    Ok(Connector {
        id,
        space_id: path.space_id.clone(),
        collection_id: path.collection_id.clone(),
        store_id,
        name: name.expect("its absence was refused"),
        kind: kind.expect("its absence was refused").name().to_owned(),
        config: api.vault.seal_config(&*api.entropy, id, config.plain(), None),
        streams,
        next_sync_at: schedule.next_of(id, now, now).filter(|_| syncs_by_itself),
        schedule,
        policy,
        status,
        version: 1,
        created_at: now,
        updated_at: now,
        failures: 0,
        notice: None,
    })
}
