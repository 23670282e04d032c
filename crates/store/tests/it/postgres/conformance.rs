//! The suite that every catalog passes, over one server: each behaviour has a schema of its own.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::try_open;
use crate::private_postgres::PrivatePostgres;

/// Behaviours at the same time.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_passes_the_suite() {
    let server = Arc::new(PrivatePostgres::start());
    let admin = Arc::new(server.connect("postgres").await);
    let only = std::env::var("INLET_TEST_BEHAVIOUR").unwrap_or_default();
    let (turns, mut behaviours) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for (number, (name, behaviour)) in inlet_store::catalog_tests!(@list).into_iter().enumerate() {
        if !name.contains(&only) {
            continue;
        }
        let (server, admin, turns) = (Arc::clone(&server), Arc::clone(&admin), Arc::clone(&turns));
        behaviours.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let schema = format!("behaviour_{number}");
            admin.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
            let url = format!("{}?options=-csearch_path%3D{schema}", server.url("postgres"));
            let catalog = Arc::new(try_open(&url).await.unwrap());
            let outcome = tokio::spawn(behaviour(catalog)).await;
            outcome.is_err().then_some(name)
        });
    }
    let failed: Vec<&str> = behaviours.join_all().await.into_iter().flatten().collect();
    assert_eq!(failed, [""; 0]);
}
