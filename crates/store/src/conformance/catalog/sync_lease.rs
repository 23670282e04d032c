//! How long a node keeps its syncs.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::{Outcome, SyncStatus};
use inlet_model::{NodeId, Timestamp};

use super::given::Given;
use crate::catalog::{Catalog, Claim, ClaimKind, Lease, Sync, SyncLimits};

/// As long as the leases of [`Given::a_lease`].
const LEASE: Duration = Duration::from_secs(1_000);

async fn claim(given: &Given, node: u128) -> Option<Claim> {
    let now = given.now();
    given.catalog.sync_claim(given.a_lease(node, now), &SyncLimits::default(), now).await.unwrap()
}

/// A sync is its node's until the lease is over; then another takes it over, in its next attempt and with a greater fence.
pub async fn a_sync_is_taken_over_when_its_lease_is_over(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let before = given.running_sync(&given.stored_connector().await).await;
    assert_eq!(claim(&given, 2).await, None);
    given.let_pass(LEASE);
    let after = claim(&given, 2).await.unwrap();
    assert_eq!(after.kind, ClaimKind::TakenOver);
    assert_eq!(after.sync, Sync { attempt: 2, ..before.sync });
    assert!(after.fence > before.fence);
    assert_eq!(after.connector, before.connector);
    assert_eq!(claim(&given, 3).await, None, "it has a new lease");
}

/// A sync that is being cancelled is taken over too, to be ended.
pub async fn a_cancelling_sync_is_taken_over_to_be_ended(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let before = given.cancelling_sync(&given.stored_connector().await).await;
    given.let_pass(LEASE);
    let after = claim(&given, 2).await.unwrap();
    assert_eq!(after.sync, before.sync);
    assert_eq!(after.sync.status, SyncStatus::Cancelling);
}

/// A node that slept does not take its own syncs over: it has them.
pub async fn a_node_does_not_take_over_its_own(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    given.running_sync(&given.stored_connector().await).await;
    given.let_pass(LEASE);
    assert_eq!(claim(&given, 1).await, None);
}

/// A renewal prolongs all that the node still has, and names it.
pub async fn a_renewal_names_what_the_node_still_has(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let kept = given.running_sync(&given.stored_connector().await).await;
    given.let_pass(LEASE);
    let node = given.a_node(1);
    assert_eq!(given.renewed(&node).await, [kept.sync.id]);
    assert_eq!(claim(&given, 2).await, None, "it was renewed in time");
    given.let_pass(LEASE);
    assert!(claim(&given, 2).await.is_some());
    assert_eq!(given.renewed(&node).await, [], "it is lost");
}

/// A node may give back one sync and keep the others; not that of another node, nor one that has ended.
pub async fn one_that_its_node_does_not_run_is_given_back_alone(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let unknown = given.running_sync(&given.stored_connector().await).await;
    let kept = given.running_sync(&given.stored_connector().await).await;
    let ended = given.finished_sync(&given.stored_connector().await, Outcome::Failed).await;
    let (node, other) = (given.a_node(1), NodeId::from_u128(2));
    given.catalog.sync_give_back(unknown.sync.id, other).await.unwrap();
    given.catalog.sync_give_back(ended.id, node.id).await.unwrap();
    assert_eq!(claim(&given, 2).await, None);
    given.catalog.sync_give_back(unknown.sync.id, node.id).await.unwrap();
    assert_eq!(given.renewed(&node).await, [kept.sync.id]);
    let after = claim(&given, 1).await.expect("its node may claim it too");
    assert_eq!((after.kind, after.sync.id), (ClaimKind::Resumed, unknown.sync.id));
    assert!(after.fence > unknown.fence);
    assert_eq!(claim(&given, 2).await, None);
}

/// What a node gives back is taken at once, as what was left in order.
pub async fn what_is_given_back_is_taken_at_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let before = given.running_sync(&given.stored_connector().await).await;
    given.catalog.node_leave(NodeId::from_u128(2)).await.unwrap();
    assert_eq!(claim(&given, 2).await, None, "another node's");
    given.catalog.node_leave(NodeId::from_u128(1)).await.unwrap();
    let after = claim(&given, 2).await.unwrap();
    assert_eq!((after.kind, after.sync.id), (ClaimKind::Resumed, before.sync.id));
}

/// Of many nodes that find a lease over at the same time one has the sync.
pub async fn of_many_nodes_one_takes_a_sync_over(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    given.running_sync(&given.stored_connector().await).await;
    given.let_pass(LEASE);
    let mut claims = tokio::task::JoinSet::new();
    for node in 2..50 {
        let (catalog, now) = (Arc::clone(&given.catalog), given.now());
        let until = Timestamp::from_micros(now.as_micros() + 1_000_000_000);
        let lease = Lease { node: NodeId::from_u128(node), until };
        claims.spawn(async move { catalog.sync_claim(lease, &SyncLimits::default(), now).await.unwrap() });
    }
    assert_eq!(claims.join_all().await.into_iter().flatten().count(), 1);
}
