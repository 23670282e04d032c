//! A node, as the API shows it.

use inlet_model::sync::SyncStatus;
use inlet_model::{CollectionId, ConnectorId, NodeId, NodeRole, SpaceId, SyncId, Timestamp};
use inlet_store::catalog::{KnownNode, NodeStatus, NodeSync};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A process that shares the catalog with others, or has it alone.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Node")]
pub(crate) struct NodeView {
    /// Its id, from its start to its end.
    id: NodeId,
    /// The name of its machine.
    name: String,
    /// The version of Inlet that it is.
    version: String,
    /// What it is for: `api` answers requests, `worker` runs syncs and keeps the collections, `scheduler` queues the syncs of
    /// schedules and sends the deliveries of webhooks.
    roles: Vec<NodeRole>,
    /// `active`, or `lost` if it was silent for longer than its lease: then others take its syncs over.
    status: NodeStatus,
    /// When it started.
    started_at: Timestamp,
    /// When it last said that it is there.
    last_seen_at: Timestamp,
    /// The syncs that it runs, those begun first in front; of very many not all.
    syncs: Vec<NodeSyncView>,
    /// How many syncs it runs.
    sync_count: u64,
}

/// A sync that a node runs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NodeSync")]
struct NodeSyncView {
    /// Its id.
    id: SyncId,
    /// Its connector.
    connector_id: ConnectorId,
    /// Its collection.
    collection_id: CollectionId,
    /// Its space.
    space_id: SpaceId,
    /// `running` or `cancelling`.
    status: SyncStatus,
    /// When it was first begun.
    started_at: Timestamp,
}

impl NodeView {
    pub(super) fn new(known: KnownNode, now: Timestamp) -> Self {
        let status = known.status(now);
        let KnownNode { node, last_seen_at, syncs, sync_count, .. } = known;
        Self {
            id: node.id,
            name: node.name,
            version: node.version,
            roles: node.roles.iter().collect(),
            status,
            started_at: node.started_at,
            last_seen_at,
            syncs: syncs.into_iter().map(NodeSyncView::from).collect(),
            sync_count,
        }
    }

    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({
            "id": "nod_01h455vb4pex5vsknk084sn02q", "name": "db-host-1", "version": "0.1.0",
            "roles": ["api", "worker", "scheduler"], "status": "active",
            "started_at": "2026-01-01T07:00:00.000Z", "last_seen_at": "2026-01-01T08:00:00.000Z",
            "syncs": [{"id": "syn_01h455vb4pex5vsknk084sn02q", "connector_id": "con_01h455vb4pex5vsknk084sn02q",
                       "collection_id": "default", "space_id": "default", "status": "running",
                       "started_at": "2026-01-01T07:59:58.000Z"}],
            "sync_count": 1,
        })
    }
}

impl From<NodeSync> for NodeSyncView {
    fn from(sync: NodeSync) -> Self {
        let NodeSync { id, space_id, collection_id, connector_id, status, started_at } = sync;
        Self { id, connector_id, collection_id, space_id, status, started_at }
    }
}
