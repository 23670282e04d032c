//! How many syncs run at once.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::SyncId;
use inlet_model::sync::Outcome;
use tokio::task::JoinSet;

use super::given::Given;
use crate::catalog::{Catalog, Claim, ClaimKind, Collection, Connector, Effect, SyncLimits};

fn per_space(syncs: u32) -> SyncLimits {
    SyncLimits { per_space: NonZeroU32::new(syncs), ..SyncLimits::default() }
}

fn per_kind<const N: usize>(limits: [(&str, u32); N]) -> SyncLimits {
    let limits = limits.map(|(kind, syncs)| (kind.to_owned(), NonZeroU32::new(syncs).unwrap()));
    SyncLimits { per_kind: limits.into(), ..SyncLimits::default() }
}

/// What the node of that number is given within the limits.
async fn claim(given: &Given, node: u128, limits: &SyncLimits) -> Option<Claim> {
    let now = given.now();
    given.catalog.sync_claim(given.a_lease(node, now), limits, now).await.unwrap()
}

/// Everything there is room for, in order.
async fn claim_all(given: &Given, limits: &SyncLimits) -> Vec<Claim> {
    let mut claims = Vec::new();
    while let Some(claim) = claim(given, 1, limits).await {
        claims.push(claim);
    }
    claims
}

fn ids(claims: &[Claim]) -> Vec<SyncId> {
    claims.iter().map(|claim| claim.sync.id).collect()
}

async fn end(given: &Given, claim: &Claim) {
    given.catalog.sync_finish(&given.a_run(claim, Outcome::Succeeded)).await.unwrap();
}

async fn stored_connector_of_kind(given: &Given, collection: &Collection, kind: &str) -> Connector {
    let connector = Connector { kind: kind.to_owned(), ..given.a_connector(collection) };
    assert_eq!(given.catalog.connector_create(connector.clone(), None).await.unwrap(), Effect::Done);
    connector
}

/// So many syncs of a space run at once, on all nodes together; the others wait until one has ended, and hold up no other space.
pub async fn no_more_syncs_of_a_space_run_than_may(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let limits = per_space(2);
    let (one, other) = (given.stored_collection().await, given.stored_collection().await);
    let mut many = Vec::new();
    for _ in 0..5 {
        many.push(given.queued_sync(&given.stored_connector_in(&one).await).await.id);
    }
    let single = given.queued_sync(&given.stored_connector_in(&other).await).await.id;
    let running = claim_all(&given, &limits).await;
    assert_eq!(ids(&running), [many[0], single, many[1]]);
    assert_eq!(claim(&given, 2, &limits).await, None, "the nodes share the limit");
    end(&given, &running[1]).await;
    assert_eq!(claim(&given, 1, &limits).await, None, "the other space's end is no room for this one");
    end(&given, &running[0]).await;
    assert_eq!(ids(&claim_all(&given, &limits).await), [many[2]]);
}

/// So many syncs of a type of connector run at once, of whatever space; other types have their own limits, or none.
pub async fn no_more_syncs_of_a_type_run_than_may(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let limits = per_kind([("postgres", 1), ("http", 2), ("absent", 1)]);
    for kind in ["postgres", "http", "files"] {
        for _ in 0..3 {
            let collection = given.stored_collection().await;
            given.queued_sync(&stored_connector_of_kind(&given, &collection, kind).await).await;
        }
    }
    let running = claim_all(&given, &limits).await;
    let kinds: Vec<&str> =
        running.iter().map(|claim| claim.connector.as_ref().unwrap().kind.as_str()).collect();
    assert_eq!(kinds, ["postgres", "http", "http", "files", "files", "files"]);
    end(&given, &running[0]).await;
    let next = claim_all(&given, &limits).await;
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].connector.as_ref().unwrap().kind, "postgres");
}

/// Both limits hold at once.
pub async fn a_sync_needs_room_in_its_space_and_for_its_type(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let limits = SyncLimits { per_space: NonZeroU32::new(2), ..per_kind([("postgres", 1)]) };
    let collection = given.stored_collection().await;
    for kind in ["postgres", "postgres", "files", "files"] {
        given.queued_sync(&stored_connector_of_kind(&given, &collection, kind).await).await;
    }
    let running = claim_all(&given, &limits).await;
    let kinds: Vec<&str> =
        running.iter().map(|claim| claim.connector.as_ref().unwrap().kind.as_str()).collect();
    assert_eq!(kinds, ["postgres", "files"]);
}

/// A sync that waited gave its room away: it goes on when there is some again.
pub async fn a_sync_that_waited_needs_room_to_go_on(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let limits = per_space(1);
    let collection = given.stored_collection().await;
    let connector = given.stored_connector_in(&collection).await;
    let waiting = given.waiting_sync(&connector, Duration::from_secs(10)).await;
    let queued = given.queued_sync(&given.stored_connector_in(&collection).await).await;
    let running = claim(&given, 1, &limits).await.unwrap();
    assert_eq!(running.sync.id, queued.id, "one that waits takes no room");
    given.let_pass(Duration::from_secs(20));
    assert_eq!(claim(&given, 1, &limits).await, None);
    end(&given, &running).await;
    let resumed = claim(&given, 1, &limits).await.unwrap();
    assert_eq!((resumed.sync.id, resumed.kind), (waiting.id, ClaimKind::Resumed));
}

/// A sync of a lost node has its room: it is taken over, whatever else runs.
pub async fn a_sync_of_a_lost_node_needs_no_more_room(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let limits = per_space(1);
    let lost = given.running_sync(&given.stored_connector().await).await;
    given.let_pass(Duration::from_secs(1_000));
    let taken = claim(&given, 2, &limits).await.unwrap();
    assert_eq!((taken.sync.id, taken.kind), (lost.sync.id, ClaimKind::TakenOver));
}

/// However many nodes claim at once, the limits hold.
pub async fn parallel_claims_stay_within_the_limits(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    for _ in 0..12 {
        given.queued_sync(&given.stored_connector_in(&collection).await).await;
    }
    let mut claims = JoinSet::new();
    for node in 1..=30 {
        let (catalog, now) = (Arc::clone(&given.catalog), given.now());
        let lease = given.a_lease(node, now);
        claims.spawn(async move { catalog.sync_claim(lease, &per_space(3), now).await.unwrap() });
    }
    let claimed = claims.join_all().await.into_iter().flatten().count();
    assert_eq!(claimed, 3);
}
