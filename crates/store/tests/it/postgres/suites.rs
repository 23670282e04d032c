//! A suite over one server: each behaviour has a schema of its own.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::pooler::Pooler;
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
    failing_at(Places::Schemas(PrivatePostgres::start()), behaviours, run).await
}

/// Where behaviours have an empty schema.
pub(super) enum Places {
    /// In one database of this server.
    Schemas(PrivatePostgres),
    /// In databases of their own, through a pooler: it takes no settings of a connection.
    Databases(PrivatePostgres, Pooler),
}

impl Places {
    fn server(&self) -> &PrivatePostgres {
        match self {
            Self::Schemas(server) | Self::Databases(server, _) => server,
        }
    }

    /// The statement that makes the place of that number, and its URL.
    fn make(&self, number: usize) -> (String, String) {
        let name = format!("behaviour_{number}");
        match self {
            Self::Schemas(server) => {
                let url = format!("{}?options=-csearch_path%3D{name}", server.url("postgres"));
                (format!("CREATE SCHEMA {name}"), url)
            }
            Self::Databases(_, pooler) => (format!("CREATE DATABASE {name}"), pooler.url(&name)),
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
    let admin = Arc::new(places.server().connect("postgres").await);
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
