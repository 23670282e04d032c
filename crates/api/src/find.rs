//! Finding what a path names, and saying which part of it is not there.

use std::fmt::Display;
use std::sync::Arc;

use inlet_model::SpaceId;
use inlet_store::CollectionStore;
use inlet_store::catalog::{ApiKey, Collection, Connector, Delivery, Space, Sync, Webhook};

use crate::app::Api;
use crate::auth::Caller;
use crate::codes::Code;
use crate::paths::{CollectionPath, ConnectorPath, DeliveryPath, KeyPath, SpacePath, SyncPath, WebhookPath};
use crate::problem::Problem;

/// The space.
pub(crate) async fn space(api: &Api, path: &SpacePath) -> Result<Space, Problem> {
    api.catalog.space_get(&path.space_id).await?.ok_or_else(|| no_space(&path.space_id))
}

/// The collection.
pub(crate) async fn collection(api: &Api, path: &CollectionPath) -> Result<Collection, Problem> {
    match api.catalog.collection_get(&path.space_id, &path.collection_id).await? {
        Some(collection) => Ok(collection),
        None => Err(absent_collection(api, path).await?),
    }
}

/// The collection's data.
pub(crate) async fn store(
    api: &Api,
    path: &CollectionPath,
) -> Result<(Collection, Arc<dyn CollectionStore>), Problem> {
    let collection = collection(api, path).await?;
    let store = api.stores.open(collection.store_id).await?;
    Ok((collection, store))
}

/// The connector.
pub(crate) async fn connector(api: &Api, path: &ConnectorPath) -> Result<Connector, Problem> {
    let CollectionPath { space_id, collection_id } = &path.collection;
    match api.catalog.connector_get(space_id, collection_id, path.connector_id).await? {
        Some(connector) => Ok(connector),
        None => Err(absent_connector(api, path).await?),
    }
}

/// The sync.
pub(crate) async fn sync(api: &Api, path: &SyncPath) -> Result<Sync, Problem> {
    connector(api, &path.connector).await?;
    let sync = api.catalog.sync_get(path.connector.connector_id, path.sync_id).await?;
    sync.ok_or_else(|| no_sync(path.sync_id, &path.connector))
}

/// The webhook.
pub(crate) async fn webhook(api: &Api, path: &WebhookPath) -> Result<Webhook, Problem> {
    match api.catalog.webhook_get(&path.space.space_id, path.webhook_id).await? {
        Some(webhook) => Ok(webhook),
        None => Err(absent_webhook(api, path).await?),
    }
}

/// The delivery of a webhook that is there.
pub(crate) async fn delivery(api: &Api, path: &DeliveryPath) -> Result<Delivery, Problem> {
    let delivery = api.catalog.delivery_get(path.webhook.webhook_id, path.delivery_id).await?;
    delivery.ok_or_else(|| no_delivery(path.delivery_id, &path.webhook))
}

/// The API key, if it is one that the caller may see.
pub(crate) async fn key(api: &Api, caller: &Caller, path: &KeyPath) -> Result<ApiKey, Problem> {
    let key = api.catalog.key_get(path.key_id).await?;
    key.filter(|key| caller.sees(key.space_id.as_ref())).ok_or_else(|| no_key(path.key_id))
}

/// Why there is no such collection: it, or its space.
pub(crate) async fn absent_collection(api: &Api, path: &CollectionPath) -> Result<Problem, Problem> {
    let space = api.catalog.space_get(&path.space_id).await?;
    Ok(match space {
        Some(_) => no_collection(&path.collection_id, &path.space_id),
        None => no_space(&path.space_id),
    })
}

/// Why there is no such webhook: it, or its space.
pub(crate) async fn absent_webhook(api: &Api, path: &WebhookPath) -> Result<Problem, Problem> {
    space(api, &path.space).await?;
    Ok(no_webhook(path.webhook_id, &path.space))
}

/// Why there is no such connector: it, its collection or its space.
pub(crate) async fn absent_connector(api: &Api, path: &ConnectorPath) -> Result<Problem, Problem> {
    let CollectionPath { space_id, collection_id } = &path.collection;
    match api.catalog.collection_get(space_id, collection_id).await? {
        Some(_) => Ok(no_connector(path.connector_id, &path.collection)),
        None => absent_collection(api, &path.collection).await,
    }
}

pub(crate) fn no_space(id: impl Display) -> Problem {
    Problem::new(
        Code::SpaceNotFound,
        format!("There is no space `{id}`. `GET /v1/spaces` lists those there are."),
    )
}

pub(crate) fn no_key(id: impl Display) -> Problem {
    let detail = format!("There is no API key `{id}`. `GET /v1/keys` lists those there are.");
    Problem::new(Code::KeyNotFound, detail)
}

pub(crate) fn no_collection(id: impl Display, space_id: &SpaceId) -> Problem {
    let detail = format!(
        "There is no collection `{id}` in the space `{space_id}`. `GET /v1/spaces/{space_id}/collections` lists those there are."
    );
    Problem::new(Code::CollectionNotFound, detail)
}

pub(crate) fn no_connector(id: impl Display, path: &CollectionPath) -> Problem {
    let detail = format!(
        "There is no connector `{id}` in the collection `{}`. `GET {path}/connectors` lists those there are.",
        path.collection_id
    );
    Problem::new(Code::ConnectorNotFound, detail)
}

pub(crate) fn no_webhook(id: impl Display, path: &SpacePath) -> Problem {
    let detail = format!(
        "There is no webhook `{id}` in the space `{}`. `GET {path}/webhooks` lists those there are.",
        path.space_id
    );
    Problem::new(Code::WebhookNotFound, detail)
}

pub(crate) fn no_delivery(id: impl Display, path: &WebhookPath) -> Problem {
    let detail = format!("The webhook has no delivery `{id}`. `GET {path}/deliveries` lists those it has.");
    Problem::new(Code::DeliveryNotFound, detail)
}

pub(crate) fn no_sync(id: impl Display, path: &ConnectorPath) -> Problem {
    let detail = format!("The connector has no sync `{id}`. `GET {path}/sync` lists those it has.");
    Problem::new(Code::SyncNotFound, detail)
}
