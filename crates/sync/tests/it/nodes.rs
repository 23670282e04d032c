//! Nodes: how others know of an engine, and what it leaves to them.

use std::time::Duration;

use inlet_model::schedule::Schedule;
use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Clock, NodeRole, NodeRoles, SystemClock, Timestamp};
use inlet_store::catalog::{
    Connector, ExpectedVersion, KnownNode, NodeStatus, Order, PageQuery, Remains, SyncFilter,
};
use inlet_sync::EngineOptions;

use crate::fixture::{Fixture, list_three_and_hang, options};

const GRACE: Duration = Duration::from_secs(5);

/// An engine that says often that it is there.
fn talkative(roles: NodeRoles) -> EngineOptions {
    EngineOptions { name: "db-host-1".to_owned(), roles, lease: Duration::from_millis(300), ..options() }
}

fn first() -> PageQuery {
    PageQuery { after: None, limit: 9, order: Order::NewestFirst }
}

async fn nodes(fixture: &Fixture) -> Vec<KnownNode> {
    fixture.catalog.node_list(first()).await.unwrap().items
}

/// Waits until the one node there is is as wanted.
async fn node(fixture: &Fixture, wanted: impl Fn(&KnownNode) -> bool) -> KnownNode {
    let waiting = async {
        loop {
            if let Some(node) = nodes(fixture).await.into_iter().find(&wanted) {
                return node;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("the node gets there in time")
}

/// Waits until the node has looked for work that there was before, and has gone on.
async fn gone_around(fixture: &Fixture) {
    for _ in 0..2 {
        let now = SystemClock.now();
        node(fixture, |node| node.last_seen_at > now).await;
    }
}

#[tokio::test]
async fn a_node_is_known_with_what_it_runs_until_it_ends_in_order() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(list_three_and_hang);
    let before = SystemClock.now();
    let engine = fixture.engine_with(talkative(NodeRoles::ALL)).await;
    let known = nodes(&fixture).await.remove(0);
    assert_eq!(
        (known.node.name.as_str(), known.node.version.as_str()),
        ("db-host-1", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!((known.node.roles, known.status(known.last_seen_at)), (NodeRoles::ALL, NodeStatus::Active));
    assert!(before <= known.node.started_at && known.node.started_at <= known.last_seen_at);
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    let known = node(&fixture, |node| node.sync_count > 0).await;
    let sync = fixture.sync(id).await;
    let runs: Vec<_> =
        known.syncs.iter().map(|sync| (sync.id, sync.connector_id, Some(sync.started_at))).collect();
    assert_eq!(runs, [(id, fixture.connector.id, sync.started_at)]);
    engine.stop(GRACE).await;
    assert_eq!(nodes(&fixture).await, []);
}

#[tokio::test]
async fn a_node_that_has_nothing_to_do_stays_known() {
    let fixture = Fixture::new(&["s"]).await;
    let _engine = fixture.engine_with(talkative(NodeRoles::ALL)).await;
    let (mut seen, mut until) = (Timestamp::from_micros(0), Timestamp::from_micros(0));
    for _ in 0..3 {
        let known = node(&fixture, |node| node.last_seen_at > seen).await;
        assert!(known.lease_until > until);
        (seen, until) = (known.last_seen_at, known.lease_until);
    }
}

#[tokio::test]
async fn a_node_that_is_no_worker_leaves_syncs_and_removals_to_others() {
    let fixture = Fixture::new(&["s"]).await;
    let roles = NodeRoles::only(NodeRole::Api).and(NodeRole::Scheduler);
    let engine = fixture.engine_with(talkative(roles)).await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    let other = Connector { id: inlet_model::ConnectorId::from_u128(7), ..fixture.connector.clone() };
    fixture.catalog.connector_create(other.clone(), None).await.unwrap();
    let (space_id, collection_id, now) = (&other.space_id, &other.collection_id, SystemClock.now());
    let deleted = fixture.catalog.connector_delete(
        space_id,
        collection_id,
        other.id,
        ExpectedVersion::Any,
        Remains::Kept,
        now,
    );
    deleted.await.unwrap();
    gone_around(&fixture).await;
    assert_eq!(fixture.sync(id).await.status, SyncStatus::Queued);
    assert_eq!(fixture.catalog.task_list(9).await.unwrap().len(), 1);
    let worker = fixture.engine_with(talkative(NodeRoles::only(NodeRole::Worker))).await;
    fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!(fixture.catalog.task_list(9).await.unwrap(), []);
    worker.stop(GRACE).await;
    engine.stop(GRACE).await;
}

#[tokio::test]
async fn a_node_that_is_only_a_scheduler_queues_what_is_due_for_others() {
    let fixture = Fixture::new(&["s"]).await;
    let due = Connector {
        schedule: Schedule::Every("1m".parse().unwrap()),
        created_at: Timestamp::from_millis(0),
        id: inlet_model::ConnectorId::from_u128(7),
        ..fixture.connector.clone()
    };
    fixture.catalog.connector_create(due.clone(), None).await.unwrap();
    let _engine = fixture.engine_with(talkative(NodeRoles::only(NodeRole::Scheduler))).await;
    gone_around(&fixture).await;
    let syncs = fixture.catalog.sync_list(due.id, SyncFilter::default(), first()).await.unwrap().items;
    assert_eq!(syncs.iter().map(|sync| sync.status).collect::<Vec<_>>(), [SyncStatus::Queued]);
}
