//! Nodes: the processes that share the catalog, and which syncs each of them runs.

use std::time::Duration;

use async_trait::async_trait;
use inlet_model::sync::SyncStatus;
use inlet_model::{CollectionId, ConnectorId, NodeId, NodeRoles, SpaceId, SyncId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, PageQuery};
use crate::StoreResult;

/// A node that was silent for so long is forgotten by the others.
pub const NODES_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Of a node that runs more syncs than these only their number is told.
pub const NODE_SYNCS_MAX: usize = 200;

/// A node, as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id, from its start to its end.
    pub id: NodeId,
    /// Its machine's name, for people.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// What it is for.
    pub roles: NodeRoles,
    /// When it started.
    pub started_at: Timestamp,
}

/// Whether a node is to be counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// It has said that it is there, for as long as its lease lasts.
    Active,
    /// Its lease is over: others take its syncs over.
    Lost,
}

/// A node, as the others know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownNode {
    /// What it says of itself.
    pub node: Node,
    /// When it last did.
    pub last_seen_at: Timestamp,
    /// How long its lease lasts.
    pub lease_until: Timestamp,
    /// The syncs that it runs, those begun first in front, at most [`NODE_SYNCS_MAX`]. A lost node has its own until others take
    /// them over.
    pub syncs: Vec<NodeSync>,
    /// How many they are in truth.
    pub sync_count: u64,
}

impl KnownNode {
    /// Where it stands at that time.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> NodeStatus {
        if self.lease_until > now { NodeStatus::Active } else { NodeStatus::Lost }
    }
}

/// A sync that a node runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSync {
    /// Its id.
    pub id: SyncId,
    /// Its space.
    pub space_id: SpaceId,
    /// Its collection.
    pub collection_id: CollectionId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// Where it stands: running or cancelling.
    pub status: SyncStatus,
    /// When it was first begun, by whichever node.
    pub started_at: Timestamp,
}

/// The nodes of the catalog.
#[async_trait]
pub trait Nodes {
    /// The node is there: it is known as this, and all its leases last until then. Names the syncs that it has: it has lost all
    /// others. Forgets some of the nodes that were silent for [`NODES_KEPT`].
    async fn node_renew(&self, node: &Node, until: Timestamp, now: Timestamp) -> StoreResult<Vec<SyncId>>;
    /// The node ends in order: it is forgotten, and its syncs are given back, for others to take at once.
    async fn node_leave(&self, id: NodeId) -> StoreResult<()>;
    /// A page of the nodes by the time at which they started, each with the syncs that it runs.
    async fn node_list(&self, query: PageQuery) -> StoreResult<Page<KnownNode>>;
}
