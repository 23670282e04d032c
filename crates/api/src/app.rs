//! What the API works with, and its bounds.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::MatchedPath;
use inlet_model::secret::Vault;
use inlet_model::{Clock, Entropy};
use inlet_source::{Environment, Registry};
use inlet_store::{Catalog, CollectionStores};
use inlet_sync::Engine;
use inlet_webhooks::Courier;
use tokio::sync::Semaphore;

use crate::answer_cache::AnswerCache;
use crate::auth::{Auth, Keyring};
use crate::documents::Documents;
use crate::idempotency::Ledger;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::operation::Operation;
use crate::pages::Signer;
use crate::rate_limit::{RateLimit, Rates};
use crate::spans::Traces;
use crate::syncs::events::Hub;

/// What the API works with.
#[derive(Debug, Clone)]
pub struct App {
    /// What exists and what is wanted.
    pub catalog: Arc<dyn Catalog>,
    /// The data.
    pub stores: Arc<dyn CollectionStores>,
    /// What runs the syncs.
    pub engine: Engine,
    /// What carries deliveries to webhooks.
    pub webhooks: Courier,
    /// The connector types there are.
    pub registry: Registry,
    /// What sources may touch.
    pub environment: Environment,
    /// What seals the secrets of connectors, and opens them.
    pub vault: Vault,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids.
    pub entropy: Arc<dyn Entropy>,
    /// Who may call.
    pub auth: Auth,
    /// The bounds.
    pub limits: Limits,
    /// What is counted.
    pub metrics: Metrics,
    /// Where traces go, if they go anywhere.
    pub traces: Option<Arc<dyn Traces>>,
}

/// Bounds of the API, with defaults that keep a small machine safe.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of an ordinary request body.
    pub body_bytes: usize,
    /// Bytes of a push.
    pub push_bytes: usize,
    /// How deep the JSON of a request may nest.
    pub json_depth: u16,
    /// Bytes of all request bodies and pages of records that are in memory at the same time.
    pub memory_bytes: usize,
    /// A body that has not arrived after this long is refused.
    pub body_time: Duration,
    /// A request that is not answered after this long gets an error.
    pub request_time: Duration,
    /// Requests that are answered at the same time.
    pub requests: usize,
    /// Requests that wait for the end of a sync at the same time. They are not counted among `requests`, but each has a
    /// connection.
    pub waits: usize,
    /// Callers that listen to the events of syncs at the same time. They are not counted among `requests`, but each has a
    /// connection.
    pub listeners: usize,
    /// How many requests a caller may make; `None`: as many as they like.
    pub rate: Option<RateLimit>,
    /// Bytes of record data on one page.
    pub page_bytes: usize,
    /// Bytes that may be pushed to one connector and wait for a sync.
    pub inbox_bytes: u64,
    /// A source that has not answered a check or a discovery after this long is given up. Shorter than `request_time`.
    pub source_time: Duration,
    /// Checks and discoveries that run at the same time.
    pub source_calls: usize,
    /// Connections that are open at the same time.
    pub connections: usize,
    /// A request whose head has not arrived after this long ends its connection.
    pub head_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            push_bytes: 16 << 20,
            json_depth: 64,
            memory_bytes: 128 << 20,
            body_time: Duration::from_secs(30),
            request_time: Duration::from_secs(60),
            requests: 1024,
            waits: 512,
            listeners: 1024,
            rate: Some(RateLimit::default()),
            page_bytes: 8 << 20,
            inbox_bytes: 1 << 30,
            source_time: Duration::from_secs(30),
            source_calls: 16,
            connections: 2560,
            head_time: Duration::from_secs(30),
        }
    }
}

/// The [`App`], and what the API keeps beside it while it runs. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api(Arc<State>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) app: App,
    pub(crate) signer: Signer,
    pub(crate) ledger: Ledger,
    pub(crate) keyring: Keyring,
    pub(crate) memory: Memory,
    /// Answers that stay true until the catalog changes.
    pub(crate) answers: AnswerCache,
    /// What describes the API.
    pub(crate) documents: Documents,
    /// One permit a request of [`Limits::requests`].
    pub(crate) requests: Arc<Semaphore>,
    /// One permit a check or a discovery of [`Limits::source_calls`].
    pub(crate) source_calls: Arc<Semaphore>,
    /// The paths of the operations: what may stand for a request in metrics and traces.
    routes: HashSet<&'static str>,
    /// One permit a request of [`Limits::waits`].
    pub(crate) waits: Arc<Semaphore>,
    /// One permit a listener of [`Limits::listeners`].
    pub(crate) listeners: Arc<Semaphore>,
    /// What those who listen to syncs are told.
    pub(crate) hub: Hub,
    /// How many requests each caller has made of late.
    pub(crate) rates: Rates,
}

impl Api {
    pub(crate) fn new(app: App, operations: Vec<Operation>) -> Self {
        let secret = app.catalog.secret();
        Self(Arc::new(State {
            signer: Signer::new(secret),
            ledger: Ledger::new(secret, &app.vault),
            keyring: Keyring::default(),
            answers: AnswerCache::default(),
            routes: operations.iter().map(|operation| operation.path).collect(),
            documents: Documents::of(operations),
            memory: Memory::new(app.limits.memory_bytes),
            requests: permits(app.limits.requests),
            source_calls: permits(app.limits.source_calls),
            waits: permits(app.limits.waits),
            listeners: permits(app.limits.listeners),
            hub: Hub::default(),
            rates: Rates::new(app.limits.rate),
            app,
        }))
    }

    /// The operation's path that a request has matched; `-` for all that match none.
    pub(crate) fn route(&self, matched: Option<&MatchedPath>) -> &'static str {
        matched.and_then(|path| self.routes.get(path.as_str())).copied().unwrap_or("-")
    }
}

fn permits(count: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)))
}

impl Deref for Api {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl Deref for State {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}
