//! A suite over one server: each behaviour has a schema of its own.
//!
//! `INLET_TEST_SERVER_URL` names a server that is there, in place of one of the test's own: some other that speaks PostgreSQL's protocol. In
//! each schema, once its tables are made, the statements of the file `INLET_TEST_SERVER_TABLES` are run, which may distribute them.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::pooler::Pooler;
use crate::private_postgres::{PrivatePostgres, connect};

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
    let places = match std::env::var("INLET_TEST_SERVER_URL") {
        Ok(url) => Places::Elsewhere(url),
        Err(_) => Places::Schemas(PrivatePostgres::start()),
    };
    failing_at(places, behaviours, run).await
}

/// Where behaviours have an empty schema.
pub(super) enum Places {
    /// In one database of this server.
    Schemas(PrivatePostgres),
    /// In databases of their own, through a pooler: it takes no settings of a connection.
    Databases(PrivatePostgres, Pooler),
    /// In the database of that URL.
    Elsewhere(String),
}

impl Places {
    async fn admin(&self) -> Client {
        match self {
            Self::Schemas(server) | Self::Databases(server, _) => server.connect("postgres").await,
            Self::Elsewhere(url) => connect(url).await,
        }
    }

    /// The statements that make the place of that number, and its URL.
    fn make(&self, number: usize) -> (String, String) {
        let name = format!("behaviour_{number}");
        let in_schema = |url: &str| format!("{url}?options=-csearch_path%3D{name}");
        match self {
            Self::Schemas(server) => (format!("CREATE SCHEMA {name}"), in_schema(&server.url("postgres"))),
            Self::Databases(_, pooler) => (format!("CREATE DATABASE {name}"), pooler.url(&name)),
            Self::Elsewhere(url) => {
                // One that an earlier run has left.
                let making = format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}");
                (making, in_schema(url))
            }
        }
    }
}

/// The same, at these places.
pub(super) async fn failing_at<B, F>(
    places: Places,
    behaviours: Vec<(&'static str, B)>,
    run: fn(String, B) -> F,
) -> Vec<&'static str>
where
    B: Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let places = Arc::new(places);
    let admin = Arc::new(places.admin().await);
    let only = std::env::var("INLET_TEST_BEHAVIOUR").unwrap_or_default();
    let (turns, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for (number, (name, behaviour)) in behaviours.into_iter().enumerate() {
        if !name.contains(&only) {
            continue;
        }
        let (places, admin, turns) = (Arc::clone(&places), Arc::clone(&admin), Arc::clone(&turns));
        running.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let (making, url) = places.make(number);
            admin.batch_execute(&making).await.unwrap();
            // On a thread of its own, as not every behaviour could move between threads.
            let runtime = Handle::current();
            let outcome = tokio::task::spawn_blocking(move || runtime.block_on(run(url, behaviour)));
            outcome.await.is_err().then_some(name)
        });
    }
    running.join_all().await.into_iter().flatten().collect()
}

/// Distributes the tables that were made in a schema, where somebody has said how.
pub(super) async fn distribute(url: &str) {
    if let Some(file) = std::env::var_os("INLET_TEST_SERVER_TABLES") {
        let statements = std::fs::read_to_string(file).unwrap();
        connect(url).await.batch_execute(&statements).await.unwrap();
    }
}
