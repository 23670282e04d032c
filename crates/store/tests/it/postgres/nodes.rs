//! Several processes over one database.

use std::collections::HashSet;
use std::sync::Arc;

use inlet_store::catalog::{Nodes, SyncLimits};
use inlet_store::conformance::catalog::given::{Given, first};
use inlet_store::{Catalog, StoreErrorKind};
use tokio::task::JoinSet;

use super::try_open;
use crate::private_postgres::PrivatePostgres;

/// Processes, each with connections of its own.
const NODES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_make_one_catalog() {
    let server = PrivatePostgres::start();
    let mut starting = JoinSet::new();
    for _ in 0..NODES {
        let url = server.url("postgres");
        starting.spawn(async move { *try_open(&url).await.unwrap().secret() });
    }
    let secrets: HashSet<[u8; 32]> = starting.join_all().await.into_iter().collect();
    assert_eq!(secrets.len(), 1);
    let spaces = server.connect("postgres").await.query("SELECT id FROM spaces", &[]).await.unwrap();
    assert_eq!(spaces.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_claim_at_once_share_out_each_sync_once() {
    let server = PrivatePostgres::start();
    let mut nodes: Vec<Arc<dyn Catalog>> = Vec::new();
    for _ in 0..NODES {
        nodes.push(Arc::new(try_open(&server.url("postgres")).await.unwrap()));
    }
    let given = Arc::new(Given::new(Arc::clone(&nodes[0])));
    let mut queued = HashSet::new();
    for _ in 0..60 {
        let connector = given.stored_connector().await;
        queued.insert(given.queued_sync(&connector).await.id);
    }
    let mut claiming = JoinSet::new();
    for (number, node) in (1..).zip(nodes) {
        let given = Arc::clone(&given);
        claiming.spawn(async move {
            let mut claimed = Vec::new();
            let now = given.now();
            while let Some(claim) =
                node.sync_claim(given.a_lease(number, now), &SyncLimits::default(), now).await.unwrap()
            {
                claimed.push(claim.sync.id);
            }
            claimed
        });
    }
    let claimed: Vec<_> = claiming.join_all().await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), queued.len(), "none twice");
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), queued);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_a_newer_format_is_left_alone() {
    let server = PrivatePostgres::start();
    let url = server.url("postgres");
    drop(try_open(&url).await.unwrap());
    let admin = server.connect("postgres").await;
    // One that this program can still work with: machines are upgraded one after the other.
    admin.batch_execute("UPDATE format SET version = version + 1").await.unwrap();
    drop(try_open(&url).await.unwrap());
    let version = admin.query_one("SELECT version FROM format", &[]).await.unwrap();
    assert_eq!(version.get::<_, i64>(0), 2, "it stays what it is");
    admin.batch_execute("UPDATE format SET works_from = version").await.unwrap();
    assert_eq!(try_open(&url).await.unwrap_err().kind(), StoreErrorKind::NewerFormat);
    drop((admin, server));
    assert_eq!(try_open(&url).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

/// Each renewal also looks for nodes to forget, so that those of one moment meet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_renew_their_leases_at_once_all_stay_known() {
    let server = PrivatePostgres::start();
    let mut renewing = JoinSet::new();
    for number in 1..=NODES as u128 {
        let catalog = Arc::new(try_open(&server.url("postgres")).await.unwrap());
        renewing.spawn(async move {
            let given = Given::new(catalog);
            let node = given.a_node(number);
            for _ in 0..50 {
                assert_eq!(given.renewed(&node).await, []);
            }
        });
    }
    renewing.join_all().await;
    let catalog = try_open(&server.url("postgres")).await.unwrap();
    assert_eq!(catalog.node_list(first(9)).await.unwrap().items.len(), NODES);
}
