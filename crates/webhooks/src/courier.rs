//! The courier's handle: what the API and the command line see of it.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::secret::Vault;
use inlet_model::{Clock, DeliveryId, Entropy, Timestamp};
use inlet_source::Egress;
use inlet_store::Catalog;
use inlet_store::catalog::{DeliveryAnswer, DeliveryError, Reply, Webhook};
use serde_json::json;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::metrics::WebhookMetrics;
use crate::names::Names;
use crate::send::{Message, Sender};
use crate::sign::SigningSecret;
use crate::work;

/// What the courier works with.
#[derive(Debug, Clone)]
pub struct CourierParts {
    /// The outbox.
    pub catalog: Arc<dyn Catalog>,
    /// What opens the secrets of webhooks.
    pub vault: Vault,
    /// Where connections may go.
    pub egress: Egress,
    /// What resolves the names of hosts.
    pub names: Arc<dyn Names>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids and for spreading retries.
    pub entropy: Arc<dyn Entropy>,
    /// What is counted.
    pub metrics: WebhookMetrics,
}

/// Bounds of the courier, with defaults that keep a small machine safe.
#[derive(Debug, Clone)]
pub struct CourierOptions {
    /// Deliveries that are sent at the same time. With none the courier only sends tests.
    pub sends: usize,
    /// Deliveries of one webhook that are sent at the same time.
    pub per_webhook: u32,
    /// Tests that are sent at the same time.
    pub tests: usize,
    /// An attempt that is not answered after this long has failed.
    pub timeout: Duration,
    /// How often the courier looks for what it was not told of.
    pub period: Duration,
    /// Whether no other process sends: then what is claimed when it starts was claimed by one that has ended, and is due at once.
    pub is_alone: bool,
}

impl Default for CourierOptions {
    fn default() -> Self {
        Self {
            sends: 32,
            per_webhook: 4,
            tests: 16,
            timeout: Duration::from_secs(15),
            period: Duration::from_secs(5),
            is_alone: true,
        }
    }
}

/// As many tests are being sent as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("as many tests are being sent as may be")]
pub struct TooManyTests;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) parts: CourierParts,
    pub(crate) options: CourierOptions,
    pub(crate) sender: Sender,
    /// Wakes the work.
    pub(crate) wake: Notify,
    pub(crate) stop: watch::Sender<bool>,
    tests: Semaphore,
}

/// Carries deliveries to their targets. Cheap to clone; all clones are one courier.
#[derive(Debug, Clone)]
pub struct Courier {
    shared: Arc<Shared>,
    work: Arc<tokio::sync::Mutex<Option<JoinHandle<()>>>>,
}

impl Courier {
    /// Begins to send what is queued, what an earlier process was sending included.
    #[must_use]
    pub fn start(parts: CourierParts, options: CourierOptions) -> Self {
        let shared = Arc::new(Shared {
            sender: Sender::new(parts.egress, Arc::clone(&parts.names), options.timeout),
            wake: Notify::new(),
            stop: watch::Sender::new(false),
            tests: Semaphore::new(options.tests),
            parts,
            options,
        });
        let work = (shared.options.sends > 0).then(|| tokio::spawn(work::work(Arc::clone(&shared))));
        Self { shared, work: Arc::new(tokio::sync::Mutex::new(work)) }
    }

    /// Says that something may have become due. Without it the courier notices within its period.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// Sends a `webhook.test` to the webhook's target, enabled or not, and gives what came of it.
    pub async fn test(&self, webhook: &Webhook) -> Result<DeliveryAnswer, TooManyTests> {
        let _permit = self.shared.tests.try_acquire().map_err(|_| TooManyTests)?;
        let parts = &self.shared.parts;
        let now = parts.clock.now();
        let data = json!({"webhook_id": webhook.id, "space_id": webhook.space_id});
        let body = json!({"type": "webhook.test", "timestamp": now, "data": data}).to_string();
        let id = DeliveryId::new(now, &*parts.entropy);
        Ok(self.shared.attempt(webhook, id, &body, now).await.0)
    }

    /// Takes no more deliveries, lets those that are being sent end, and returns when all have or `grace` is over. What does
    /// not end is sent again after the next start.
    pub async fn stop(&self, grace: Duration) {
        self.shared.stop.send_replace(true);
        if let Some(work) = self.work.lock().await.take()
            && tokio::time::timeout(grace, work).await.is_err()
        {
            tracing::warn!("deliveries were being sent when the grace period ended; they are sent again");
        }
    }
}

impl Shared {
    /// Sends `body` to a webhook once. Gives what came of it, and what the target asked for by `Retry-After`.
    pub(crate) async fn attempt(
        &self,
        webhook: &Webhook,
        id: DeliveryId,
        body: &str,
        now: Timestamp,
    ) -> (DeliveryAnswer, Option<u64>) {
        let answer = |reply, duration_ms| DeliveryAnswer { at: self.parts.clock.now(), duration_ms, reply };
        let Some(secrets) = self.secrets(webhook, now) else {
            return (answer(Reply::Failed(DeliveryError::SecretUnreadable), 0), None);
        };
        let message = Message { id, url: &webhook.url, body, secrets: &secrets, now };
        let attempt = self.sender.send(message).await;
        (answer(attempt.reply, attempt.duration_ms), attempt.retry_after)
    }

    /// All that sign for a webhook at `now`. One from before a rotation that cannot be read is left out; without the newest
    /// there are none.
    fn secrets(&self, webhook: &Webhook, now: Timestamp) -> Option<Vec<SigningSecret>> {
        let mut opened = Vec::new();
        for secret in webhook.secrets.valid_at(now) {
            let value = self.parts.vault.open(webhook.id, &secret.pointer, &secret.sealed);
            match value.ok().as_ref().and_then(|value| value.as_str()?.parse().ok()) {
                Some(secret) => opened.push(secret),
                None if opened.is_empty() => {
                    tracing::error!(webhook_id = %webhook.id, "the secret of a webhook cannot be read: rotate it");
                    return None;
                }
                None => {}
            }
        }
        Some(opened)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the courier is being stopped.
    pub(crate) async fn stopping(&self) {
        // An error would mean that the handle is gone: as good a reason to stop.
        let _stopping = self.stop.subscribe().wait_for(|stop| *stop).await.map(|_| ());
    }
}
