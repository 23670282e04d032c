//! Nodes: who is there, and what each runs.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::{Outcome, SyncStatus};

use super::given::{Given, after, first};
use crate::catalog::{
    Catalog, KnownNode, NODE_SYNCS_MAX, NODES_KEPT, Node, NodeStatus, NodeSync, Order, PageQuery, Sync,
    SyncLimits,
};

/// As long as the leases of [`Given::renewed`].
const LEASE: Duration = Duration::from_secs(1_000);

async fn listed(given: &Given) -> Vec<KnownNode> {
    given.catalog.node_list(first(200)).await.unwrap().items
}

/// The names of those that are listed.
async fn names(given: &Given) -> Vec<String> {
    listed(given).await.into_iter().map(|known| known.node.name).collect()
}

/// The node as it is listed.
async fn known(given: &Given, node: &Node) -> KnownNode {
    let known = listed(given).await.into_iter().find(|known| known.node.id == node.id);
    known.expect("the node is listed")
}

/// A node of that number that says it is there.
async fn a_known_node(given: &Given, number: u128) -> Node {
    let node = given.a_node(number);
    given.renewed(&node).await;
    node
}

fn as_run(sync: &Sync) -> NodeSync {
    NodeSync {
        id: sync.id,
        space_id: sync.space_id.clone(),
        collection_id: sync.collection_id.clone(),
        connector_id: sync.connector_id,
        status: sync.status,
        started_at: sync.started_at.unwrap(),
    }
}

/// A node is listed as it says of itself, with the time at which it did, and the end of its lease.
pub async fn a_node_is_listed_as_it_says_of_itself(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    assert_eq!(listed(&given).await, []);
    let node = given.a_node(1);
    let mut times = Vec::new();
    for _ in 0..2 {
        let (now, until) = (given.now(), given.now());
        times.push(now);
        assert_eq!(given.catalog.node_renew(&node, until, now).await.unwrap(), []);
        let known = KnownNode {
            node: node.clone(),
            last_seen_at: now,
            lease_until: until,
            syncs: Vec::new(),
            sync_count: 0,
        };
        assert_eq!(listed(&given).await, [known]);
    }
    assert!(times.is_sorted());
}

/// A node that is silent for longer than its lease is lost, until it says that it is there after all.
pub async fn a_node_is_lost_when_its_lease_is_over_until_it_is_heard_of(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let node = a_known_node(&given, 1).await;
    assert_eq!(known(&given, &node).await.status(given.now()), NodeStatus::Active);
    given.let_pass(LEASE);
    assert_eq!(known(&given, &node).await.status(given.now()), NodeStatus::Lost);
    given.renewed(&node).await;
    assert_eq!(known(&given, &node).await.status(given.now()), NodeStatus::Active);
}

/// A node has the syncs that run or are being cancelled under its lease, and no others.
pub async fn a_node_is_listed_with_the_syncs_it_runs(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (node, idle) = (a_known_node(&given, 1).await, a_known_node(&given, 2).await);
    let running = given.running_sync(&given.stored_connector().await).await;
    let cancelling = given.cancelling_sync(&given.stored_connector().await).await;
    given.waiting_sync(&given.stored_connector().await, LEASE).await;
    given.asking_sync(&given.stored_connector().await).await;
    given.finished_sync(&given.stored_connector().await, Outcome::Failed).await;
    given.queued_sync(&given.stored_connector().await).await;
    assert_eq!(cancelling.sync.status, SyncStatus::Cancelling);
    let found = known(&given, &node).await;
    assert_eq!(found.syncs, [as_run(&running.sync), as_run(&cancelling.sync)]);
    assert_eq!(found.sync_count, 2);
    assert_eq!(known(&given, &idle).await.syncs, []);
}

/// What a lost node ran is listed with it until another node takes it over.
pub async fn a_lost_node_has_its_syncs_until_others_take_them_over(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (lost, other) = (a_known_node(&given, 1).await, a_known_node(&given, 2).await);
    let sync = given.running_sync(&given.stored_connector().await).await.sync;
    given.let_pass(LEASE);
    assert_eq!(known(&given, &lost).await.syncs, [as_run(&sync)]);
    let now = given.now();
    given
        .catalog
        .sync_claim(given.a_lease(2, now), &SyncLimits::default(), now)
        .await
        .unwrap()
        .expect("its lease is over");
    assert_eq!(known(&given, &lost).await.syncs, []);
    assert_eq!(known(&given, &other).await.syncs, [as_run(&sync)], "it began when it was first begun");
}

/// Of more syncs than are shown, those that were begun first are, and all are counted.
pub async fn of_very_many_syncs_the_rest_is_only_counted(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let node = a_known_node(&given, 1).await;
    let collection = given.stored_collection().await;
    let mut begun = Vec::new();
    for _ in 0..NODE_SYNCS_MAX + 3 {
        let connector = given.stored_connector_in(&collection).await;
        begun.push(as_run(&given.running_sync(&connector).await.sync));
    }
    let found = known(&given, &node).await;
    assert_eq!(found.syncs, begun[..NODE_SYNCS_MAX]);
    assert_eq!(found.sync_count, begun.len() as u64);
}

/// A node that ends in order is known no more, and has left nothing to be waited for.
pub async fn a_node_that_ends_in_order_is_forgotten(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (node, other) = (a_known_node(&given, 1).await, a_known_node(&given, 2).await);
    let sync = given.running_sync(&given.stored_connector().await).await.sync;
    given.catalog.node_leave(node.id).await.unwrap();
    given.catalog.node_leave(node.id).await.unwrap();
    assert_eq!(names(&given).await, [other.name]);
    let now = given.now();
    let claim = given.catalog.sync_claim(given.a_lease(2, now), &SyncLimits::default(), now).await.unwrap();
    assert_eq!(claim.map(|claim| claim.sync.id), Some(sync.id));
}

/// A node that was silent for a day is forgotten when another says that it is there; one that comes back itself is not.
pub async fn a_node_that_was_silent_for_a_day_is_forgotten_by_another(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (silent, back, other) =
        (a_known_node(&given, 1).await, a_known_node(&given, 2).await, given.a_node(3));
    given.let_pass(NODES_KEPT - LEASE);
    given.renewed(&other).await;
    assert_eq!(names(&given).await, [&other, &back, &silent].map(|node| node.name.clone()));
    given.let_pass(LEASE);
    given.renewed(&back).await;
    assert_eq!(names(&given).await, [&other, &back].map(|node| node.name.clone()));
    given.renewed(&silent).await;
    assert_eq!(listed(&given).await.len(), 3, "it slept, and is there again");
}

/// Each renewal forgets a bounded number of nodes, so that none takes long.
pub async fn very_many_silent_nodes_are_forgotten_in_steps(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for number in 1..=50 {
        a_known_node(&given, number).await;
    }
    given.let_pass(NODES_KEPT);
    let last = given.a_node(51);
    let mut left = 50;
    while left > 0 {
        given.renewed(&last).await;
        let now = listed(&given).await.len() - 1;
        assert!(now < left && left - now < 50, "{left} were left, {now} are");
        left = now;
    }
}

/// A process that is alone at its start knows that no other is there any more.
pub async fn a_process_that_is_alone_forgets_all_others(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    a_known_node(&given, 1).await;
    let alone = a_known_node(&given, 2).await;
    given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap();
    assert_eq!(names(&given).await, [alone.name]);
}

/// Nodes are listed by the time at which they started, page by page, from either end.
pub async fn nodes_are_listed_newest_first_page_by_page(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let mut expected = Vec::new();
    let at_once = given.now();
    for number in 1..=7 {
        // Those that started at the same moment are told apart by their ids.
        let started_at = if number < 4 { at_once } else { given.now() };
        let node = Node { started_at, ..given.a_node(number) };
        given.renewed(&node).await;
        expected.insert(0, node);
    }
    let (mut found, mut query) = (Vec::new(), first(3));
    loop {
        let page = given.catalog.node_list(query).await.unwrap();
        found.extend(page.items.into_iter().map(|known| known.node));
        let Some(next) = page.next else { break };
        query = after(next, 3);
    }
    assert_eq!(found, expected);
    let oldest = PageQuery { order: Order::OldestFirst, ..first(9) };
    let oldest = given.catalog.node_list(oldest).await.unwrap().items;
    expected.reverse();
    assert_eq!(oldest.into_iter().map(|known| known.node).collect::<Vec<_>>(), expected);
}
