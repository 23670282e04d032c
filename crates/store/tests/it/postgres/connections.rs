//! The connections of one process: how many there are, who gets one, and what happens to those that break.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use inlet_model::{ConnectorId, ManualClock, SeededEntropy, StoreId, Timestamp};
use inlet_store::conformance::catalog::given::{Given, first};
use inlet_store::postgres::{Postgres, PostgresCollections, PostgresOptions};
use inlet_store::{Catalog, CollectionStore, CollectionStores, StoreErrorKind, StoreResult};
use tokio::task::JoinSet;

use crate::fault_proxy::{Fault, FaultProxy};
use crate::private_postgres::{PrivatePostgres, Setup};

/// What a process has of a database to which it may have so many connections.
struct Process {
    catalog: Arc<dyn Catalog>,
    collections: PostgresCollections,
}

impl Process {
    async fn start(server: &PrivatePostgres, connections: u16) -> Self {
        Self::at(server.port(), connections).await
    }

    async fn at(port: u16, connections: u16) -> Self {
        Self::of(&format!("postgres://postgres@127.0.0.1:{port}/postgres"), connections).await
    }

    async fn of(url: &str, connections: u16) -> Self {
        let database =
            Postgres::with_options(url, PostgresOptions { connections, ..Default::default() }).unwrap();
        let (clock, entropy) =
            (ManualClock::new(Timestamp::from_millis(1_700_000_000_000)), SeededEntropy::new(1));
        let catalog = Arc::new(database.catalog(&clock, &entropy).await.unwrap());
        Self { catalog, collections: PostgresCollections::new(&database, Arc::new(SeededEntropy::new(1))) }
    }

    async fn stores(&self, count: u128) -> Vec<Arc<dyn CollectionStore>> {
        let mut stores = Vec::new();
        for id in 1..=count {
            stores.push(self.collections.open(StoreId::from_u128(id)).await.unwrap());
        }
        stores
    }
}

impl Process {
    /// Asks the catalog for something, so many times at once.
    async fn calls(&self, count: usize) -> Vec<StoreResult<usize>> {
        let mut calls = JoinSet::new();
        for _ in 0..count {
            let catalog = Arc::clone(&self.catalog);
            calls.spawn(async move { catalog.node_list(first(9)).await.map(|nodes| nodes.items.len()) });
        }
        calls.join_all().await
    }
}

/// Connections of processes of ours.
async fn connections(admin: &tokio_postgres::Client) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'inlet'";
    admin.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_take_all_connections_they_may_keep_no_node_from_renewing_its_leases() {
    let server = PrivatePostgres::start();
    let mut admin = server.connect("postgres").await;
    let watching = server.connect("postgres").await;
    for allowed in [4, 16] {
        let process = Process::start(&server, allowed).await;
        let given = Given::new(Arc::clone(&process.catalog));
        let stores = process.stores(20).await;
        // Somebody else writes all of them, and does not come to an end.
        let elsewhere = admin.transaction().await.unwrap();
        elsewhere.batch_execute("UPDATE store_meta SET writes = writes + 1").await.unwrap();
        let mut commits = JoinSet::new();
        for store in stores {
            commits.spawn(async move { store.close_connector(ConnectorId::from_u128(1)).await });
        }
        let begun = Instant::now();
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'inlet' AND wait_event_type = 'Lock'";
        let of_commits = if allowed == 4 { 1 } else { 10 };
        while watching.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) < of_commits {
            assert!(begun.elapsed() < Duration::from_secs(10), "{of_commits} commits are under way");
        }
        for _ in 0..20 {
            let begun = Instant::now();
            given.renewed(&given.a_node(1)).await;
            assert_eq!(process.catalog.node_list(first(9)).await.unwrap().items.len(), 1);
            assert!(begun.elapsed() < Duration::from_secs(1), "renewed after {:?}", begun.elapsed());
        }
        assert!(connections(&watching).await <= allowed.into());
        elsewhere.rollback().await.unwrap();
        assert!(commits.join_all().await.iter().all(Result::is_ok));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_broke_while_nobody_used_them_fail_no_call() {
    let server = PrivatePostgres::start();
    let admin = server.connect("postgres").await;
    let process = Process::start(&server, 16).await;
    let store = process.stores(1).await.remove(0);
    for _ in 0..5 {
        for listed in process.calls(8).await {
            assert_eq!(listed.unwrap(), 0);
        }
        store.close_connector(ConnectorId::from_u128(1)).await.unwrap();
        assert!(connections(&admin).await > 0);
        let sql =
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'inlet'";
        admin.query(sql, &[]).await.unwrap();
    }
    store.close_connector(ConnectorId::from_u128(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_more_connections_is_asked_again_later() {
    let setup =
        Setup { settings: &["max_connections=6", "superuser_reserved_connections=0"], ..Setup::default() };
    let server = PrivatePostgres::start_with(&setup);
    let process = Process::start(&server, 16).await;
    let mut others = Vec::new();
    for _ in 0..5 {
        others.push(server.connect("postgres").await);
    }
    let calls = process.calls(12).await;
    let kinds: Vec<_> =
        calls.iter().filter_map(|call| call.as_ref().err()).map(|error| error.kind()).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == StoreErrorKind::Unavailable), "{kinds:?}");
    drop(others);
    let begun = Instant::now();
    while process.calls(3).await.iter().any(Result::is_err) {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

/// A bound for every call, though nothing tells it that nobody is there any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_holds_no_call_for_long_and_is_found_again() {
    let server = PrivatePostgres::start();
    let proxy = FaultProxy::start((Ipv4Addr::LOCALHOST, server.port()).into()).await;
    let process = Process::at(proxy.port(), 16).await;
    let store = process.stores(1).await.remove(0);
    proxy.set(Fault::Stall);
    for longest in [20, 6, 6].map(Duration::from_secs) {
        let begun = Instant::now();
        let closing = store.close_connector(ConnectorId::from_u128(1));
        let (closed, calls) = tokio::join!(closing, process.calls(30));
        let errors = calls.iter().filter_map(|call| call.as_ref().err());
        assert!(errors.clone().all(|error| error.kind() == StoreErrorKind::Unavailable && error.is_told()));
        assert_eq!(errors.count(), 30);
        assert!(closed.unwrap_err().is_told());
        assert!(begun.elapsed() < longest, "{:?}", begun.elapsed());
    }
    proxy.set(Fault::Healthy);
    let begun = Instant::now();
    while process.calls(3).await.iter().any(Result::is_err) {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    store.close_connector(ConnectorId::from_u128(1)).await.unwrap();
}

/// As where a machine has failed, and as a standby that hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_says_nothing_keeps_nobody_from_the_others() {
    let server = PrivatePostgres::start();
    let proxy = FaultProxy::start((Ipv4Addr::LOCALHOST, server.port()).into()).await;
    proxy.set(Fault::Stall);
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", proxy.port(), server.port());
    let url = format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write");
    let begun = Instant::now();
    super::try_open(&url).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Only the first connection looked for the right one.
    let process = Process::of(&url, 16).await;
    let begun = Instant::now();
    assert!(process.calls(8).await.iter().all(Result::is_ok));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}
