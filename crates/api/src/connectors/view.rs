//! A connector, as the API shows it.

use std::collections::HashMap;

use inlet_model::schedule::Schedule;
use inlet_model::stream::StreamSettings;
use inlet_model::sync::SyncStatus;
use inlet_model::{CollectionId, ConnectorId, SpaceId, SyncId, Timestamp};
use inlet_store::catalog::{Connector, ConnectorStatus, Sync};
use serde::Serialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::app::Api;
use crate::problem::Problem;

/// A connector.
#[derive(Debug, Serialize)]
pub(crate) struct ConnectorView {
    id: ConnectorId,
    space_id: SpaceId,
    collection_id: CollectionId,
    name: String,
    r#type: String,
    config: Value,
    streams: Option<Vec<StreamSettings>>,
    schedule: Schedule,
    status: ConnectorStatus,
    last_sync: Option<LastSync>,
    /// Always `null`: schedules are kept and shown, and nothing runs them yet.
    next_sync_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The newest sync of a connector.
#[derive(Debug, Serialize)]
struct LastSync {
    id: SyncId,
    status: SyncStatus,
}

impl ConnectorView {
    /// A connector and the newest of its syncs.
    pub(crate) fn new(connector: Connector, last_sync: Option<&Sync>) -> Self {
        Self {
            id: connector.id,
            space_id: connector.space_id,
            collection_id: connector.collection_id,
            name: connector.name,
            r#type: connector.kind,
            config: connector.config.into_masked(),
            streams: connector.streams,
            schedule: connector.schedule,
            status: connector.status,
            last_sync: last_sync.map(|sync| LastSync { id: sync.id, status: sync.status }),
            next_sync_at: None,
            created_at: connector.created_at,
            updated_at: connector.updated_at,
        }
    }
}

/// Several connectors, each with the newest of its syncs.
pub(crate) async fn read_all(api: &Api, connectors: Vec<Connector>) -> Result<Vec<ConnectorView>, Problem> {
    let ids: Vec<ConnectorId> = connectors.iter().map(|connector| connector.id).collect();
    let newest = api.catalog.sync_last(&ids).await?;
    let newest: HashMap<ConnectorId, Sync> =
        newest.into_iter().map(|sync| (sync.connector_id, sync)).collect();
    let view = |connector: Connector| {
        let last_sync = newest.get(&connector.id);
        ConnectorView::new(connector, last_sync)
    };
    Ok(connectors.into_iter().map(view).collect())
}

/// The answer that shows one connector, with its version as `ETag`.
pub(crate) async fn answer(api: &Api, connector: Connector) -> Result<Answer, Problem> {
    let newest = api.catalog.sync_last(&[connector.id]).await?;
    let version = connector.version;
    Ok(Answer::ok(&ConnectorView::new(connector, newest.first())).version(version))
}
