//! A connector, as the API shows it.

use std::collections::HashMap;

use inlet_model::policy::ConnectorPolicy;
use inlet_model::schedule::Schedule;
use inlet_model::stream::StreamSettings;
use inlet_model::sync::SyncStatus;
use inlet_model::{CollectionId, ConnectorId, SpaceId, SyncId, Timestamp};
use inlet_store::catalog::{Connector, ConnectorStatus, Notice, Sync};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::schedule::ScheduleFields;
use crate::answer::Answer;
use crate::app::Api;
use crate::problem::Problem;

/// A connector: links a collection to a source.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Connector")]
pub(crate) struct ConnectorView {
    /// Its id.
    id: ConnectorId,
    /// Its space.
    space_id: SpaceId,
    /// Its collection.
    collection_id: CollectionId,
    /// Its name, for people.
    name: String,
    /// Its connector type.
    r#type: String,
    /// Its config, as the type's schema describes it.
    #[schemars(with = "serde_json::Map<String, Value>")]
    config: Value,
    /// The streams it reads; `null`: all that discovery finds.
    streams: Option<Vec<StreamSettings>>,
    /// When it syncs by itself; `null`: never.
    #[schemars(with = "Option<ScheduleFields>")]
    schedule: Schedule,
    /// What its syncs may do.
    policy: ConnectorPolicy,
    /// Whether it may sync.
    status: ConnectorStatus,
    /// The newest of its syncs.
    last_sync: Option<LastSync>,
    /// When it syncs next by itself; `null`: at no time that is known.
    next_sync_at: Option<Timestamp>,
    /// Its syncs in a row that have failed.
    failures: u32,
    /// What people should know about it, such as why it was paused.
    notice: Option<Notice>,
    /// When it was made.
    created_at: Timestamp,
    /// When its settings were last changed.
    updated_at: Timestamp,
}

/// The newest sync of a connector.
#[derive(Debug, Serialize, JsonSchema)]
struct LastSync {
    /// Its id.
    id: SyncId,
    /// Where it stands.
    status: SyncStatus,
}

impl ConnectorView {
    /// One for the documents.
    pub(super) fn example() -> Value {
        serde_json::from_str(include_str!("examples/connector.json")).expect("the file is JSON")
    }

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
            policy: connector.policy,
            status: connector.status,
            last_sync: last_sync.map(|sync| LastSync { id: sync.id, status: sync.status }),
            next_sync_at: connector.next_sync_at,
            failures: connector.failures,
            notice: connector.notice,
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
