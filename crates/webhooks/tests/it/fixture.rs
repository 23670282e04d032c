//! A courier over a catalog of its own, whose time stands still until it is moved.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inlet_model::secret::{Vault, VaultKey};
use inlet_model::sync::Outcome;
use inlet_model::{Clock, Entropy, ManualClock, SeededEntropy, SystemEntropy, Timestamp, WebhookId};
use inlet_source::Egress;
use inlet_store::Catalog;
use inlet_store::catalog::{
    Connector, Delivery, DeliveryState, Effect, Order, PageQuery, Webhook, WebhookSecret, WebhookSecrets,
};
use inlet_store::conformance::catalog::given::Given;
use inlet_store::sqlite::open_catalog;
use inlet_webhooks::{Courier, CourierOptions, CourierParts, Names, SigningSecret, WebhookMetrics};
use prometheus_client::registry::Registry;
use tempfile::TempDir;

/// Names that lead where the test wants.
#[derive(Debug, Default, Clone)]
pub(crate) struct FixedNames(pub(crate) HashMap<&'static str, Vec<&'static str>>);

#[async_trait]
impl Names for FixedNames {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.0.get(host).ok_or_else(|| io::Error::other("no such name"))?;
        Ok(found.iter().map(|address| address.parse().unwrap()).collect())
    }
}

/// How a test wants its courier.
pub(crate) struct Setup {
    pub(crate) egress: Egress,
    pub(crate) names: FixedNames,
    pub(crate) options: CourierOptions,
}

impl Default for Setup {
    fn default() -> Self {
        Self { egress: Egress::Any, names: FixedNames::default(), options: CourierOptions::default() }
    }
}

pub(crate) struct Fixture {
    pub(crate) given: Given,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) courier: Courier,
    pub(crate) connector: Connector,
    pub(crate) metrics: Registry,
    pub(crate) vault: Vault,
    folder: TempDir,
}

/// A vault that is the same for all tests.
pub(crate) fn vault() -> Vault {
    Vault::new(VaultKey::generate(&SeededEntropy::new(1)), [])
}

pub(crate) fn catalog(path: &Path) -> Arc<dyn Catalog> {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    Arc::new(open_catalog(path, &clock, &SystemEntropy).unwrap())
}

/// Starts a courier.
pub(crate) fn courier(
    catalog: &Arc<dyn Catalog>,
    clock: Arc<ManualClock>,
    setup: Setup,
    registry: &mut Registry,
) -> Courier {
    let parts = CourierParts {
        catalog: Arc::clone(catalog),
        vault: vault(),
        egress: setup.egress,
        names: Arc::new(setup.names),
        clock,
        entropy: Arc::new(SystemEntropy),
        metrics: WebhookMetrics::register(registry),
    };
    Courier::start(parts, setup.options)
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = catalog(&folder.path().join("catalog.db"));
        let given = Given::new(Arc::clone(&catalog));
        // The same time as that of the deliveries which `given` lets be queued.
        let clock = Arc::new(ManualClock::new(given.now()));
        let mut metrics = Registry::default();
        let courier = courier(&catalog, Arc::clone(&clock), setup, &mut metrics);
        let connector = given.stored_connector().await;
        Self { given, catalog, clock, courier, connector, metrics, vault: vault(), folder }
    }

    /// A catalog with one webhook that has one delivery to be sent; closed.
    pub(crate) async fn closed_over(url: &str) -> (WebhookId, TempDir) {
        let options = CourierOptions { sends: 0, ..CourierOptions::default() };
        let fixture = Self::with(Setup { options, ..Setup::default() }).await;
        let (webhook, _) = fixture.webhook(url).await;
        fixture.event().await;
        (webhook.id, fixture.folder)
    }

    /// A webhook that is told of everything, with its secret.
    pub(crate) async fn webhook(&self, url: &str) -> (Webhook, SigningSecret) {
        let secret = SigningSecret::generate(&SystemEntropy);
        let webhook = self.given.a_webhook(&self.connector.space_id);
        let current = self.sealed(&webhook, &secret);
        let secrets = WebhookSecrets { current, previous: None };
        let webhook = Webhook { url: url.to_owned(), secrets, ..webhook };
        assert_eq!(self.catalog.webhook_create(webhook.clone(), None).await.unwrap(), Effect::Done);
        (webhook, secret)
    }

    /// A secret, sealed at a place of its own.
    pub(crate) fn sealed(&self, webhook: &Webhook, secret: &SigningSecret) -> WebhookSecret {
        let [number] = (&SystemEntropy as &dyn Entropy).bytes();
        let pointer = format!("/secret/{number}");
        let sealed = self.vault.seal(&SystemEntropy, webhook.id, &pointer, &secret.text().into());
        WebhookSecret { pointer, sealed }
    }

    /// A sync is queued and cancelled: one event.
    pub(crate) async fn event(&self) {
        self.given.queued_sync(&self.connector).await;
        self.catalog.sync_cancel(self.connector.id, None, self.given.now()).await.unwrap();
        self.catch_up();
    }

    /// A sync runs and ends: two events.
    pub(crate) async fn sync(&self, outcome: Outcome) {
        self.given.finished_sync(&self.connector, outcome).await;
        self.catch_up();
    }

    /// The courier's time goes on to where events are queued.
    fn catch_up(&self) {
        let behind = self.given.now().as_micros() - self.clock.now().as_micros();
        self.clock.advance(behind.max(0));
        self.courier.wake();
    }

    /// Lets time pass, for the courier.
    pub(crate) fn let_pass(&self, duration: Duration) {
        self.clock.advance(i64::try_from(duration.as_micros()).unwrap());
        self.courier.wake();
    }

    pub(crate) async fn deliveries(&self, webhook: &Webhook) -> Vec<Delivery> {
        let query = PageQuery { after: None, limit: 100, order: Order::OldestFirst };
        self.catalog.delivery_list(webhook.id, None, query).await.unwrap().items
    }

    /// Waits until all of a webhook's deliveries, at least one, are as wanted.
    pub(crate) async fn until(&self, webhook: &Webhook, wanted: impl Fn(&Delivery) -> bool) -> Vec<Delivery> {
        let asking = async {
            loop {
                let found = self.deliveries(webhook).await;
                if !found.is_empty() && found.iter().all(&wanted) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(30), asking).await;
        match found {
            Ok(found) => found,
            Err(_) => panic!("it comes to pass within 30 s: {:#?}", self.deliveries(webhook).await),
        }
    }

    pub(crate) async fn until_state(&self, webhook: &Webhook, state: DeliveryState) -> Vec<Delivery> {
        self.until(webhook, |delivery| delivery.progress.state() == state).await
    }

    /// Waits until the first attempt of each has ended without success.
    pub(crate) async fn until_failed(&self, webhook: &Webhook, attempts: u32) -> Vec<Delivery> {
        let now = self.clock.now();
        self.until(webhook, |delivery| {
            delivery.attempts == attempts
                && delivery.last_answer.as_ref().is_some_and(|answer| answer.at >= now)
        })
        .await
    }

    /// The line of a metric.
    pub(crate) fn metric(&self, line: &str) -> bool {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics).unwrap();
        text.lines().any(|found| found == line)
    }
}
