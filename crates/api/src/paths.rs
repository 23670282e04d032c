//! What a path names. An id that cannot be one is an id that nothing has: 404, as for any other.

use std::fmt;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use inlet_model::{CollectionId, ConnectorId, DeliveryId, KeyId, SpaceId, SyncId, WebhookId};

use crate::app::Api;
use crate::codes::Code;
use crate::find;
use crate::problem::Problem;

/// `/v1/spaces/{space_id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpacePath {
    pub(crate) space_id: SpaceId,
}

/// `/v1/spaces/{space_id}/collections/{collection_id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CollectionPath {
    pub(crate) space_id: SpaceId,
    pub(crate) collection_id: CollectionId,
}

/// `…/connectors/{connector_id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectorPath {
    pub(crate) collection: CollectionPath,
    pub(crate) connector_id: ConnectorId,
}

/// `/v1/connector-types/{type}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypePath {
    pub(crate) name: String,
}

impl ConnectorPath {
    /// The path of a sync of this connector.
    pub(crate) fn sync(&self, sync_id: SyncId) -> SyncPath {
        SyncPath { connector: self.clone(), sync_id }
    }
}

/// `…/sync/{sync_id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyncPath {
    pub(crate) connector: ConnectorPath,
    pub(crate) sync_id: SyncId,
}

/// `…/records/{stream}/{key}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordPath {
    pub(crate) collection: CollectionPath,
    pub(crate) stream: String,
    pub(crate) key: String,
}

/// `/v1/spaces/{space_id}/webhooks/{webhook_id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookPath {
    pub(crate) space: SpacePath,
    pub(crate) webhook_id: WebhookId,
}

/// `…/deliveries/{delivery_id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryPath {
    pub(crate) webhook: WebhookPath,
    pub(crate) delivery_id: DeliveryId,
}

/// `/v1/keys/{key_id}`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyPath {
    pub(crate) key_id: KeyId,
}

impl fmt::Display for SpacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/v1/spaces/{}", self.space_id)
    }
}

impl fmt::Display for CollectionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/v1/spaces/{}/collections/{}", self.space_id, self.collection_id)
    }
}

impl fmt::Display for ConnectorPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/connectors/{}", self.collection, self.connector_id)
    }
}

impl fmt::Display for SyncPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/sync/{}", self.connector, self.sync_id)
    }
}

impl fmt::Display for WebhookPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/webhooks/{}", self.space, self.webhook_id)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/v1/keys/{}", self.key_id)
    }
}

impl FromRequestParts<Api> for KeyPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let key_id = Params::of(parts).await?.id("key_id", |id| find::no_key(id))?;
        Ok(Self { key_id })
    }
}

impl FromRequestParts<Api> for SpacePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Params::of(parts).await?.space()
    }
}

impl FromRequestParts<Api> for CollectionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Params::of(parts).await?.collection()
    }
}

impl FromRequestParts<Api> for ConnectorPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Params::of(parts).await?.connector()
    }
}

impl FromRequestParts<Api> for SyncPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Params::of(parts).await?.sync()
    }
}

impl FromRequestParts<Api> for WebhookPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Params::of(parts).await?.webhook()
    }
}

impl FromRequestParts<Api> for DeliveryPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let params = Params::of(parts).await?;
        let webhook = params.webhook()?;
        let delivery_id = params.id("delivery_id", |id| find::no_delivery(id, &webhook))?;
        Ok(Self { webhook, delivery_id })
    }
}

impl FromRequestParts<Api> for TypePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Ok(Self { name: Params::of(parts).await?.text("type").to_owned() })
    }
}

impl FromRequestParts<Api> for RecordPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let params = Params::of(parts).await?;
        let collection = params.collection()?;
        Ok(Self { collection, stream: params.text("stream").to_owned(), key: params.text("key").to_owned() })
    }
}

/// The parameters of a path, their `%` escapes resolved.
struct Params(RawPathParams);

impl Params {
    async fn of(parts: &mut Parts) -> Result<Self, Problem> {
        RawPathParams::from_request_parts(parts, &()).await.map(Self).map_err(|error| {
            let detail = "The path is not UTF-8 once its `%` escapes are resolved.";
            Problem::new(Code::InvalidPath, detail).because(error)
        })
    }

    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
    }

    fn id<T: FromStr>(&self, name: &str, absent: impl FnOnce(&str) -> Problem) -> Result<T, Problem> {
        let text = self.text(name);
        text.parse().map_err(|_| absent(text))
    }

    fn space(&self) -> Result<SpacePath, Problem> {
        Ok(SpacePath { space_id: self.id("space_id", |id| find::no_space(id))? })
    }

    fn webhook(&self) -> Result<WebhookPath, Problem> {
        let space = self.space()?;
        let webhook_id = self.id("webhook_id", |id| find::no_webhook(id, &space))?;
        Ok(WebhookPath { space, webhook_id })
    }

    fn collection(&self) -> Result<CollectionPath, Problem> {
        let SpacePath { space_id } = self.space()?;
        let collection_id = self.id("collection_id", |id| find::no_collection(id, &space_id))?;
        Ok(CollectionPath { space_id, collection_id })
    }

    fn connector(&self) -> Result<ConnectorPath, Problem> {
        let collection = self.collection()?;
        let connector_id = self.id("connector_id", |id| find::no_connector(id, &collection))?;
        Ok(ConnectorPath { collection, connector_id })
    }

    fn sync(&self) -> Result<SyncPath, Problem> {
        let connector = self.connector()?;
        let sync_id = self.id("sync_id", |id| find::no_sync(id, &connector))?;
        Ok(SyncPath { connector, sync_id })
    }
}
