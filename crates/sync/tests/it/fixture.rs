//! An engine over a temporary data directory, and a source that follows a script.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use inlet_model::fields::{FieldError, FieldErrors};
use inlet_model::policy::{ConnectorPolicy, DeleteLimit};
use inlet_model::schedule::Schedule;
use inlet_model::secret::{Vault, VaultKey};
use inlet_model::stream::StreamSettings;
use inlet_model::sync::{SyncMode, SyncTrigger};
use inlet_model::{
    Batch, Clock, ConnectorId, Scope, SeededEntropy, StreamName, SyncId, SystemClock, SystemEntropy, key,
};
use inlet_source::{
    Capabilities, ConnectorType, Environment, Message, Outlet, ReadRequest, Registry, Source, SourceError,
    StreamRequest, StreamSpec,
};
use inlet_store::catalog::{Connector, ConnectorStatus, Effect, OnConflict, Sync, UpdateEffect};
use inlet_store::collection::RecordQuery;
use inlet_store::sqlite::{CollectionOptions, SqliteCollections, open_catalog};
use inlet_store::{Catalog, CollectionStore, CollectionStores};
use inlet_sync::{Engine, EngineMetrics, EngineOptions, EngineParts, RetryOptions};
use serde_json::Value;
use tempfile::TempDir;

type Reading = Pin<Box<dyn Future<Output = Result<(), SourceError>> + Send>>;
type Script = Arc<dyn Fn(ReadRequest, Outlet) -> Reading + Send + std::marker::Sync>;

/// What the source says when it is asked for records by their keys: those that are still there.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<BTreeSet<Vec<u8>>, SourceError>> + Send>>;
type Answer = Arc<dyn Fn(Vec<Vec<u8>>) -> Answering + Send + std::marker::Sync>;

/// The connector type `scripted`: reads as the test's current script says.
#[derive(Clone)]
pub(crate) struct Scripted(Arc<Mutex<Script>>, Arc<Mutex<Answer>>, Arc<Mutex<Build>>, Arc<AtomicBool>);

/// What becomes of an attempt to build the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    Succeeds,
    Fails,
    Panics,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl ConnectorType for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn summary(&self) -> &'static str {
        "Reads what a test says."
    }

    fn config_schema(&self) -> Value {
        serde_json::json!({"type": "object"})
    }

    fn docs(&self) -> &'static str {
        ""
    }

    fn build(&self, _config: Value, _environment: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        let build = *self.2.lock().unwrap();
        match build {
            Build::Succeeds => Ok(Box::new(self.clone())),
            Build::Fails => {
                let (pointer, detail) = ("/path".to_owned(), "`path` is missing".to_owned());
                Err(FieldErrors(vec![FieldError { pointer, code: "field.required", detail }]))
            }
            Build::Panics => panic!("a bug in a connector type"),
        }
    }
}

#[async_trait]
impl Source for Scripted {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            resumable_listing: true,
            incremental: true,
            tells_unchanged: true,
            certified_listing: true,
            verify_absent: self.3.load(Ordering::SeqCst),
        }
    }

    async fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError> {
        Ok(Vec::new())
    }

    async fn read(&self, request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
        let script = Arc::clone(&*self.0.lock().unwrap());
        script(request, out).await
    }

    async fn verify_absent(
        &self,
        _stream: &StreamRequest,
        keys: Vec<Vec<u8>>,
    ) -> Result<BTreeSet<Vec<u8>>, SourceError> {
        let answer = Arc::clone(&*self.1.lock().unwrap());
        answer(keys).await
    }
}

/// Everything a test needs.
pub(crate) struct Fixture {
    /// The data directory.
    pub(crate) folder: TempDir,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) stores: Arc<dyn CollectionStores>,
    pub(crate) connector: Connector,
    scripted: Scripted,
    /// What all engines of this fixture count, as one process would.
    metrics: EngineMetrics,
    shown: prometheus_client::registry::Registry,
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// A batch of the records `ids`, each with this value.
pub(crate) fn batch(request: &ReadRequest, name: &str, ids: std::ops::Range<i64>, value: &str) -> Batch {
    let mut batch = Batch::new(stream(name), Scope::whole(), request.seed);
    for id in ids {
        let mut encoded = Vec::new();
        key::encode_json_scalar(id.to_string().as_bytes(), &mut encoded).unwrap();
        let data = format!(r#"{{"id":{id},"value":"{value}"}}"#);
        batch.upsert(u64::try_from(id).unwrap(), &encoded, data.as_bytes());
    }
    batch
}

pub(crate) fn listing(name: &str) -> Message {
    Message::Listing { stream: stream(name), scope: Scope::whole() }
}

pub(crate) fn complete(name: &str, certified: bool) -> Message {
    Message::Complete { stream: stream(name), scope: Scope::whole(), cursor: None, certified }
}

pub(crate) fn end(name: &str) -> Message {
    Message::StreamEnd { stream: stream(name) }
}

/// Lists three records of the stream `s`, and then neither goes on nor ends.
pub(crate) async fn list_three_and_hang(request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
    out.send(listing("s")).await.unwrap();
    let batch = batch(&request, "s", 0..3, "a");
    out.send(Message::Batch { batch, checkpoint: Some(3.into()) }).await.unwrap();
    std::future::pending().await
}

/// Says that record 1 of the stream `s` is gone.
pub(crate) async fn delete_1(request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
    let mut batch = Batch::new(stream("s"), Scope::whole(), request.seed);
    let mut key = Vec::new();
    inlet_model::key::encode_json_scalar(b"1", &mut key).unwrap();
    batch.delete(1, &key);
    out.send(Message::Batch { batch, checkpoint: None }).await.unwrap();
    out.send(end("s")).await.unwrap();
    Ok(())
}

/// Goes on with that listing, which must still be open, by two more records, and completes it.
pub(crate) async fn list_the_rest(request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
    let open = request.streams[0].scopes.values().next().and_then(|scope| scope.listing.clone());
    assert_eq!(open.and_then(|listing| listing.position), Some(3.into()), "the listing is still open");
    let batch = batch(&request, "s", 3..5, "a");
    out.send(Message::Batch { batch, checkpoint: Some(5.into()) }).await.unwrap();
    out.send(complete("s", true)).await.unwrap();
    out.send(end("s")).await.unwrap();
    Ok(())
}

impl Fixture {
    /// A connector of type `scripted` with these streams, in the collection `default`.
    pub(crate) async fn new(streams: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let catalog = open_catalog(&folder.path().join("catalog.db"), &SystemClock, &SystemEntropy).unwrap();
        let stores = SqliteCollections::new(
            &folder.path().join("collections"),
            Arc::new(SystemEntropy),
            CollectionOptions::default(),
        )
        .unwrap();
        let catalog: Arc<dyn Catalog> = Arc::new(catalog);
        let connector = connector(&*catalog, streams).await;
        let created = catalog.connector_create(connector.clone(), None).await.unwrap();
        assert_eq!(created, Effect::Done);
        let idle: Script = Arc::new(|_, _| Box::pin(async { Ok(()) }));
        let all: Answer = Arc::new(|keys| Box::pin(async { Ok(keys.into_iter().collect()) }));
        let build = Arc::new(Mutex::new(Build::Succeeds));
        let scripted = Scripted(
            Arc::new(Mutex::new(idle)),
            Arc::new(Mutex::new(all)),
            build,
            Arc::new(AtomicBool::new(true)),
        );
        let types: Arc<dyn ConnectorType> = Arc::new(scripted.clone());
        let mut shown = prometheus_client::registry::Registry::default();
        let metrics = EngineMetrics::register(&mut shown, &Registry::new([types]));
        Self { folder, catalog, stores: Arc::new(stores), connector, scripted, metrics, shown }
    }

    /// A connector of type `scripted` with a stream `s`, of which `set` says how it is read.
    pub(crate) async fn set(set: impl FnOnce(&mut StreamSettings)) -> Self {
        let mut fixture = Self::new(&["s"]).await;
        fixture.change(set).await;
        fixture.connector = fixture.stored_connector().await;
        fixture
    }

    /// Changes how the stream `s` is read from the next sync on.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut StreamSettings)) {
        let mut wanted = self.stored_connector().await;
        change(&mut wanted.streams.as_mut().unwrap()[0]);
        let effect = self.catalog.connector_update(wanted).await.unwrap();
        assert!(matches!(effect, UpdateEffect::Updated(_)));
    }

    async fn stored_connector(&self) -> Connector {
        let Connector { space_id, collection_id, id, .. } = &self.connector;
        self.catalog.connector_get(space_id, collection_id, *id).await.unwrap().expect("it is there")
    }

    /// What the source does from now on.
    pub(crate) fn script<F>(
        &self,
        script: impl Fn(ReadRequest, Outlet) -> F + Send + std::marker::Sync + 'static,
    ) where
        F: Future<Output = Result<(), SourceError>> + Send + 'static,
    {
        *self.scripted.0.lock().unwrap() = Arc::new(move |request, out| Box::pin(script(request, out)));
    }

    /// What the source answers from now on when it is asked for records by their keys.
    pub(crate) fn answer(
        &self,
        answer: impl Fn(Vec<Vec<u8>>) -> Answering + Send + std::marker::Sync + 'static,
    ) {
        *self.scripted.1.lock().unwrap() = Arc::new(answer);
    }

    /// What becomes of attempts to build the source from now on.
    pub(crate) fn build(&self, build: Build) {
        *self.scripted.2.lock().unwrap() = build;
    }

    /// From now on the source cannot be asked for records by their keys.
    pub(crate) fn cannot_be_asked(&self) {
        self.scripted.3.store(false, Ordering::SeqCst);
    }

    pub(crate) async fn engine(&self) -> Engine {
        self.engine_with(options()).await
    }

    pub(crate) async fn engine_with(&self, options: EngineOptions) -> Engine {
        let scripted: Arc<dyn ConnectorType> = Arc::new(self.scripted.clone());
        let parts = EngineParts {
            catalog: Arc::clone(&self.catalog),
            stores: Arc::clone(&self.stores),
            signals: Arc::new(inlet_store::NoSignals),
            registry: Registry::new([scripted]),
            environment: Environment::default(),
            vault: vault(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            metrics: self.metrics.clone(),
        };
        Engine::start(parts, options).await.unwrap()
    }

    /// Queues a sync and wakes the engine.
    pub(crate) async fn trigger(&self, engine: &Engine, mode: SyncMode) -> SyncId {
        let now = SystemClock.now();
        let sync =
            Sync::queued(SyncId::new(now, &SystemEntropy), &self.connector, SyncTrigger::Api, mode, now);
        let id = sync.id;
        assert_eq!(self.catalog.sync_trigger(sync, OnConflict::Reject, None).await.unwrap(), Effect::Done);
        engine.wake();
        id
    }

    /// A queued sync of another connector that is like this one.
    pub(crate) async fn queued_beside(&self) -> Sync {
        let now = SystemClock.now();
        let connector = Connector { id: ConnectorId::new(now, &SystemEntropy), ..self.connector.clone() };
        assert_eq!(self.catalog.connector_create(connector.clone(), None).await.unwrap(), Effect::Done);
        let id = SyncId::new(now, &SystemEntropy);
        let sync = Sync::queued(id, &connector, SyncTrigger::Api, SyncMode::Incremental, now);
        let queued = self.catalog.sync_trigger(sync.clone(), OnConflict::Reject, None).await.unwrap();
        assert_eq!(queued, Effect::Done);
        sync
    }

    /// Sets how many records a sync of the connector may reject.
    pub(crate) async fn allow_rejected(&self, max_rejected: u64) {
        self.allow(ConnectorPolicy { max_rejected, ..ConnectorPolicy::default() }).await;
    }

    /// Lets syncs of the connector delete without asking.
    pub(crate) async fn allow_all_deletes(&self) {
        let approve_deletes_over = DeleteLimit { percent: 100, records: 0 };
        self.allow(ConnectorPolicy { approve_deletes_over, ..ConnectorPolicy::default() }).await;
    }

    /// Sets what syncs of the connector may do.
    pub(crate) async fn allow(&self, policy: ConnectorPolicy) {
        let connector = Connector { policy, ..self.stored_connector().await };
        let updated = self.catalog.connector_update(connector).await.unwrap();
        assert!(matches!(updated, UpdateEffect::Updated(_)));
    }

    /// A number that the engines have counted, by its name and labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.shown).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().unwrap()
    }

    pub(crate) async fn sync(&self, id: SyncId) -> Sync {
        self.catalog.sync_get(self.connector.id, id).await.unwrap().expect("the sync is there")
    }

    /// Waits for the end of a sync of whichever connector, at most two minutes.
    pub(crate) async fn ended(&self, sync: &Sync) -> Sync {
        let ended = async {
            loop {
                let found = self.catalog.sync_get(sync.connector_id, sync.id).await.unwrap();
                if let Some(sync) = found.filter(|sync| sync.status.is_final()) {
                    return sync;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), ended).await.expect("the sync ends in time")
    }

    /// Triggers a sync and waits for its end.
    pub(crate) async fn sync_to_the_end(&self, engine: &Engine) -> Sync {
        let id = self.trigger(engine, SyncMode::Incremental).await;
        self.wait(id, |sync| sync.status.is_final()).await
    }

    /// Waits until the sync is as wanted; fails after ten seconds.
    pub(crate) async fn wait(&self, id: SyncId, wanted: impl Fn(&Sync) -> bool) -> Sync {
        let waiting = async {
            loop {
                let sync = self.sync(id).await;
                if wanted(&sync) {
                    return sync;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .expect("the sync gets there within ten seconds")
    }

    pub(crate) async fn store(&self) -> Arc<dyn CollectionStore> {
        self.stores.open(self.connector.store_id).await.unwrap()
    }

    /// The collection's records: key → data.
    pub(crate) async fn records(&self) -> BTreeMap<String, String> {
        let query = RecordQuery { limit: 1000, max_bytes: 1 << 20, ..RecordQuery::default() };
        let page = self.store().await.records(query).await.unwrap();
        assert_eq!(page.next, None, "tests here hold fewer records than a page");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        page.records
            .into_iter()
            .map(|record| {
                let mut json = Vec::new();
                key::to_json(&record.key, &mut json).unwrap();
                (text(json), text(record.data))
            })
            .collect()
    }

    /// Waits until the collection holds this many records.
    pub(crate) async fn wait_for_records(&self, count: usize) {
        let waiting = async {
            while self.records().await.len() != count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .expect("the records land within ten seconds");
    }
}

/// An engine that waits for no source, so that what fails is seen to fail.
pub(crate) fn options() -> EngineOptions {
    EngineOptions { retry: RetryOptions::none(), ..EngineOptions::default() }
}

/// The vault of every engine here.
pub(crate) fn vault() -> Vault {
    Vault::new(VaultKey::generate(&SeededEntropy::new(1)), [])
}

async fn connector(catalog: &dyn Catalog, streams: &[&str]) -> Connector {
    let (space_id, collection_id) = ("default".parse().unwrap(), "default".parse().unwrap());
    let collection =
        catalog.collection_get(&space_id, &collection_id).await.unwrap().expect("made at first start");
    let now = SystemClock.now();
    let settings = |name: &&str| StreamSettings {
        name: stream(name),
        mode: SyncMode::Incremental,
        write_mode: inlet_model::stream::WriteMode::Upsert,
        primary_key: vec!["id".to_owned()],
        cursor_field: None,
        fields: None,
        masking: Default::default(),
    };
    Connector {
        id: ConnectorId::new(now, &SystemEntropy),
        space_id,
        collection_id,
        store_id: collection.store_id,
        name: "scripted".to_owned(),
        kind: "scripted".to_owned(),
        config: serde_json::json!({}).into(),
        streams: Some(streams.iter().map(settings).collect()),
        schedule: Schedule::Manual,
        policy: Default::default(),
        status: ConnectorStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
        next_sync_at: None,
        failures: 0,
        notice: None,
    }
}
