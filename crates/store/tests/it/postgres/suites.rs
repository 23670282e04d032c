//! A suite over one server: each behaviour has a schema of its own.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::private_postgres::PrivatePostgres;

/// Behaviours at the same time.
const AT_ONCE: usize = 4;

/// Runs behaviours, each with the URL of an empty schema, and names those that failed. `INLET_TEST_BEHAVIOUR` picks out those whose name
/// contains it.
pub(super) async fn failing<B, F>(
    behaviours: Vec<(&'static str, B)>,
    run: fn(String, B) -> F,
) -> Vec<&'static str>
where
    B: Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let server = Arc::new(PrivatePostgres::start());
    let admin = Arc::new(server.connect("postgres").await);
    let only = std::env::var("INLET_TEST_BEHAVIOUR").unwrap_or_default();
    let (turns, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for (number, (name, behaviour)) in behaviours.into_iter().enumerate() {
        if !name.contains(&only) {
            continue;
        }
        let (server, admin, turns) = (Arc::clone(&server), Arc::clone(&admin), Arc::clone(&turns));
        running.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let schema = format!("behaviour_{number}");
            admin.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
            let url = format!("{}?options=-csearch_path%3D{schema}", server.url("postgres"));
            // On a thread of its own, as not every behaviour could move between threads.
            let runtime = Handle::current();
            let outcome = tokio::task::spawn_blocking(move || runtime.block_on(run(url, behaviour)));
            outcome.await.is_err().then_some(name)
        });
    }
    running.join_all().await.into_iter().flatten().collect()
}
