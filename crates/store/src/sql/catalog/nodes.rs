//! Nodes.

use async_trait::async_trait;
use inlet_model::{NodeId, SyncId, Timestamp};

use super::page::Listing;
use super::{SqlCatalog, syncs};
use crate::StoreResult;
use crate::catalog::{KnownNode, NODE_SYNCS_MAX, NODES_KEPT, Node, NodeSync, Nodes, Page, PageQuery};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlResult, Text, params};

/// Nodes that a renewal forgets at most.
const FORGOTTEN_PER_RENEWAL: u32 = 20;

pub(crate) const SELECT: &str =
    "SELECT id, name, version, roles, started_at, last_seen_at, lease_until FROM nodes";

/// With each sync comes how many there are in all.
pub(crate) const SYNCS: &str =
    "SELECT count(*) OVER (), s.id, c.space_id, c.collection_id, s.connector_id, s.status, s.started_at
                     FROM syncs AS s JOIN connectors AS c ON c.id = s.connector_id
                     WHERE s.node = ?1 AND s.status IN ('running', 'cancelling')
                     ORDER BY s.started_at, s.id LIMIT ?2";

#[async_trait]
impl Nodes for SqlCatalog {
    async fn node_renew(&self, node: &Node, until: Timestamp, now: Timestamp) -> StoreResult<Vec<SyncId>> {
        let node = node.clone();
        self.write("renew the leases", move |tx| renew(tx, &node, until, now)).await
    }

    async fn node_leave(&self, id: NodeId) -> StoreResult<()> {
        self.write("give back the syncs", move |tx| leave(tx, id)).await
    }

    async fn node_list(&self, query: PageQuery) -> StoreResult<Page<KnownNode>> {
        self.read_rows("list the nodes", move |db| list(db, query)).await
    }
}

fn renew(tx: &dyn Session, node: &Node, until: Timestamp, now: Timestamp) -> Result<Vec<SyncId>, Trouble> {
    tx.execute(
        "INSERT INTO nodes (id, name, version, roles, started_at, last_seen_at, lease_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET last_seen_at = excluded.last_seen_at, lease_until = excluded.lease_until",
        params![
            Text(node.id),
            node.name,
            node.version,
            Text(node.roles),
            node.started_at.as_micros(),
            now.as_micros(),
            until.as_micros(),
        ],
    )?;
    forget_some(tx, now)?;
    syncs::renew(tx, node.id, until)
}

/// Removes some of the nodes of which nothing was heard for too long.
fn forget_some(tx: &dyn Session, now: Timestamp) -> Result<(), Trouble> {
    let kept = i64::try_from(NODES_KEPT.as_micros()).unwrap_or(i64::MAX);
    tx.execute(
        "DELETE FROM nodes WHERE id IN (
             SELECT id FROM nodes WHERE last_seen_at <= ?1 ORDER BY last_seen_at LIMIT ?2)",
        params![now.as_micros().saturating_sub(kept), FORGOTTEN_PER_RENEWAL],
    )?;
    Ok(())
}

fn leave(tx: &dyn Session, id: NodeId) -> Result<(), Trouble> {
    tx.execute("DELETE FROM nodes WHERE id = ?1", params![Text(id)])?;
    syncs::release(tx, id)
}

/// Forgets all nodes but this one, which is alone.
pub(super) fn forget_others(tx: &dyn Session, id: NodeId) -> Result<(), Trouble> {
    tx.execute("DELETE FROM nodes WHERE id <> ?1", params![Text(id)])?;
    Ok(())
}

pub(crate) fn listing(query: PageQuery) -> Listing {
    Listing::of(query).timed_by("started_at")
}

fn list(db: &dyn Session, query: PageQuery) -> Result<Page<KnownNode>, Trouble> {
    let place = |known: &KnownNode| (known.node.started_at, known.node.id.to_string());
    let mut page = listing(query).read(db, SELECT, known_from, place)?;
    page.items.iter_mut().try_for_each(|known| add_syncs(db, known))?;
    Ok(page)
}

fn add_syncs(db: &dyn Session, known: &mut KnownNode) -> Result<(), Trouble> {
    let limit = i64::try_from(NODE_SYNCS_MAX).unwrap_or(i64::MAX);
    let mut count = 0;
    known.syncs = db.rows(SYNCS, params![Text(known.node.id), limit], |columns| {
        count = columns.unsigned()?;
        sync_from(columns)
    })?;
    known.sync_count = count;
    Ok(())
}

/// The node without its syncs.
fn known_from(columns: &mut Columns<'_>) -> SqlResult<KnownNode> {
    let node = Node {
        id: columns.text()?,
        name: columns.plain()?,
        version: columns.plain()?,
        roles: columns.text()?,
        started_at: columns.time()?,
    };
    Ok(KnownNode {
        node,
        last_seen_at: columns.time()?,
        lease_until: columns.time()?,
        syncs: Vec::new(),
        sync_count: 0,
    })
}

fn sync_from(columns: &mut Columns<'_>) -> SqlResult<NodeSync> {
    Ok(NodeSync {
        id: columns.text()?,
        space_id: columns.text()?,
        collection_id: columns.text()?,
        connector_id: columns.text()?,
        status: columns.name()?,
        started_at: columns.time()?,
    })
}
