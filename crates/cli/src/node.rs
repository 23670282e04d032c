//! The wiring of one process: catalog, stores, engine, API. Besides the place, nothing else names a backend or a connector.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use inlet_api::{App, Auth, Limits, Metrics, router};
use inlet_model::secret::Vault;
use inlet_model::{Clock, Entropy, NodeRole, NodeRoles, SystemEntropy};
use inlet_source::{Egress, Environment, Registry};
use inlet_store::catalog::{ApiKey, KeyHash, SyncLimits};
use inlet_store::sqlite::{DataDir, LockError, Server};
use inlet_store::{Catalog, CollectionStores, StoreError};
use inlet_sync::{Engine, EngineMetrics, EngineOptions, EngineParts, RetryOptions};
use inlet_webhooks::{Courier, CourierOptions, CourierParts, SystemNames, WebhookMetrics};
use prometheus_client::registry::Registry as MetricRegistry;

use crate::args::EncryptionArgs;
use crate::client::{Client, Transport};
use crate::encryption;
use crate::errors::{CommandError, Complaint};
use crate::place::{Found, Place};
use crate::traces;

/// The connector type that reads local files.
pub(crate) const FILES: &str = "files";
/// The connector type that reads SQLite databases.
pub(crate) const SQLITE: &str = "sqlite";
/// The connector type for PostgreSQL databases.
pub(crate) const POSTGRES: &str = "postgres";

/// Running syncs get this long to commit what they have in hand.
pub(crate) const GRACE: Duration = Duration::from_secs(8);

/// The connector types of this program.
pub(crate) fn registry() -> Registry {
    inlet_connectors::registry()
}

/// What a node may do.
#[derive(Debug, Clone)]
pub(crate) struct NodeOptions {
    /// The directories under which connectors may read files.
    pub(crate) files_roots: Vec<PathBuf>,
    /// Where connectors may connect to.
    pub(crate) egress: Egress,
    /// How long the collections keep their history; `None`: whatever is there stays. A command that runs for a moment does not
    /// know what the server was told.
    pub(crate) history: Option<Duration>,
    /// For how long after its end a sync can be undone; `None`: as long as its history is there.
    pub(crate) undo_for: Option<Duration>,
    /// How long a source may say nothing; `None` for as long as usual.
    pub(crate) stall_limit: Option<Duration>,
    /// What it is for. Only a scheduler lets connectors sync by themselves.
    pub(crate) roles: NodeRoles,
    /// Syncs that it runs at the same time; `None` for as many as usual.
    pub(crate) max_syncs: Option<usize>,
    /// Syncs that all who share its database run at the same time.
    pub(crate) limits: SyncLimits,
    /// How long it may be silent before others take its syncs over; `None` for as long as usual.
    pub(crate) lease: Option<Duration>,
    /// Whether it runs syncs and sends what webhooks are told, and takes over those that an earlier process left.
    pub(crate) runs_syncs: bool,
    /// Whether it stays: then syncs wait for sources that are out of reach. A person at a terminal would rather know at once.
    pub(crate) is_server: bool,
}

impl NodeOptions {
    /// What they mean for the engine and for the courier.
    fn bounds(&self) -> (EngineOptions, CourierOptions) {
        let undo_time = self.undo_for.unwrap_or(Duration::MAX);
        let name = host_name();
        let mut engine = EngineOptions { name, history: self.history, undo_time, ..EngineOptions::default() };
        engine.stall_limit = self.stall_limit.unwrap_or(engine.stall_limit);
        let mut courier = CourierOptions::default();
        engine.roles = self.roles;
        if !self.is_server {
            engine.retry = RetryOptions::none();
        }
        engine.lease = self.lease.unwrap_or(engine.lease);
        engine.running_syncs = self.max_syncs.unwrap_or(engine.running_syncs);
        engine.limits = self.limits.clone();
        if !self.runs_syncs {
            engine.running_syncs = 0;
        }
        // A command that runs a sync tells of it before it ends: nobody else may be there to do it.
        let sends = if self.is_server { self.roles.contains(NodeRole::Scheduler) } else { self.runs_syncs };
        if !sends {
            courier.sends = 0;
        }
        (engine, courier)
    }
}

/// All parts of Inlet in this process, over what is kept in one place.
#[derive(Debug)]
pub(crate) struct Node {
    /// What exists.
    pub(crate) catalog: Arc<dyn Catalog>,
    /// The data.
    pub(crate) stores: Arc<dyn CollectionStores>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Randomness.
    pub(crate) entropy: Arc<dyn Entropy>,
    engine: Engine,
    webhooks: Courier,
    /// One for everything in this process: what it counts, it counts together.
    registry: Registry,
    environment: Environment,
    vault: Vault,
    metrics: Metrics,
    roles: NodeRoles,
    // Given back last.
    place: Place,
}

impl Node {
    /// Starts everything over what is kept there.
    pub(crate) async fn start(
        place: Place,
        options: NodeOptions,
        encryption: &EncryptionArgs,
    ) -> Result<Self, CommandError> {
        let (mut engine_options, mut courier_options) = options.bounds();
        engine_options.is_alone = place.is_ours_alone();
        courier_options.is_alone = place.is_ours_alone();
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let Found { catalog, stores, vault, clock, signals } = place.open(encryption, &entropy).await?;
        let failed = |error: StoreError| place.unusable(error);
        if options.is_server {
            place.reached(|| encryption::warn_of_lost_keys(&*catalog, &vault)).await?;
        }
        let environment = Environment {
            files_roots: options.files_roots,
            egress: options.egress,
            ..Environment::default()
        };
        let registry = registry();
        let mut metrics = MetricRegistry::default();
        let parts = EngineParts {
            catalog: Arc::clone(&catalog),
            stores: Arc::clone(&stores),
            signals,
            registry: registry.clone(),
            environment: environment.clone(),
            vault: vault.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            metrics: EngineMetrics::register(&mut metrics, &registry),
        };
        let courier = CourierParts {
            catalog: Arc::clone(&catalog),
            vault: vault.clone(),
            egress: environment.egress,
            names: Arc::new(SystemNames),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            metrics: WebhookMetrics::register(&mut metrics),
        };
        let metrics = Metrics::new(metrics, &*clock);
        let engine = Engine::start(parts, engine_options).await.map_err(failed)?;
        let webhooks = Courier::start(courier, courier_options);
        Ok(Self {
            catalog,
            stores,
            clock,
            entropy,
            engine,
            webhooks,
            registry,
            environment,
            vault,
            metrics,
            roles: options.roles,
            place,
        })
    }

    /// The API over this node, for these callers.
    pub(crate) fn app(&self, auth: Auth) -> App {
        App {
            catalog: Arc::clone(&self.catalog),
            stores: Arc::clone(&self.stores),
            engine: self.engine.clone(),
            webhooks: self.webhooks.clone(),
            registry: self.registry.clone(),
            environment: self.environment.clone(),
            vault: self.vault.clone(),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            auth,
            limits: Limits::default(),
            metrics: self.metrics.clone(),
            traces: traces::of_callers(),
        }
    }

    /// Whether nobody else works where everything is kept.
    pub(crate) fn is_alone(&self) -> bool {
        self.place.is_ours_alone()
    }

    /// Whether it answers the calls of the API.
    pub(crate) fn answers_calls(&self) -> bool {
        self.roles.contains(NodeRole::Api)
    }

    /// A client for the commands of this process, who need no key.
    pub(crate) fn local_client(&self) -> Client {
        let transport = Transport::in_process(router(self.app(Auth::OwnProcess)), HeaderMap::new());
        Client::new(transport, Arc::clone(&self.entropy))
    }

    /// Stores this key if there is none at all yet; whether it did.
    pub(crate) async fn make_first_key(&self, key: &ApiKey, hash: KeyHash) -> Result<bool, CommandError> {
        let make = || async {
            let is_made = self.catalog.key_create_first(key.clone(), hash).await?;
            // Or it was when this was tried before, and the answer was lost.
            Ok(is_made || self.catalog.key_by_hash(hash).await?.is_some())
        };
        self.place.reached(make).await
    }

    /// Tells other commands of this user where this process's server is, if it has a directory where they look.
    pub(crate) fn announce(&self, address: &str, token: &str) -> Result<(), CommandError> {
        let Place::Directory(dir) = &self.place else { return Ok(()) };
        dir.announce(address, token).map_err(|error| {
            CommandError::failure("data_dir.unusable", "the lock file could not be written")
                .because(error)
                .into()
        })
    }

    /// Stops the syncs, each after the commit it has in hand, and lets what is being sent arrive. All go on at the next start.
    pub(crate) async fn stop(&self) {
        tokio::join!(self.engine.stop(GRACE), self.webhooks.stop(GRACE));
    }
}

/// What this machine is called.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whose a data directory is.
#[derive(Debug)]
pub(crate) enum Ownership {
    /// Ours now.
    Ours(DataDir),
    /// A server's.
    Server(Server),
    /// A process's that is no server, or not yet.
    Somebody,
}

/// Takes the data directory, or finds out who has it.
pub(crate) fn take(path: &Path) -> Result<Ownership, CommandError> {
    match DataDir::lock(path) {
        Ok(dir) => Ok(Ownership::Ours(dir)),
        Err(LockError::Held { announced: Some(server) }) => Ok(Ownership::Server(server)),
        Err(LockError::Held { announced: None }) => Ok(Ownership::Somebody),
        Err(LockError::NotADirectory { path }) => {
            let message = format!("`{}` is not a directory", path.display());
            Err(CommandError::input("input.data_dir", message).into())
        }
        Err(LockError::Unusable { path, source }) => {
            let message = format!("the data directory `{}` cannot be used", path.display());
            Err(CommandError::failure("data_dir.unusable", message).because(source).into())
        }
    }
}

/// Whether an Inlet has ever worked in this directory.
pub(crate) fn is_data_dir(path: &Path) -> bool {
    path.join("catalog.db").exists()
}

/// Another process that is no server has the directory.
pub(crate) fn in_use(path: &Path) -> Complaint {
    let message = format!("another command is using the data directory `{}`", path.display());
    CommandError::failure("data_dir.in_use", message)
}
