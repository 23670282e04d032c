//! What is counted of deliveries since the process began. What each number means stands in `docs/metrics.md`.

use inlet_store::catalog::Verdict;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// The numbers. Cheap to clone; all clones count into the same ones.
#[derive(Debug, Clone)]
pub struct WebhookMetrics {
    delivered: Counter,
    failed: Counter,
    given_up: Counter,
}

impl WebhookMetrics {
    /// Numbers that `registry` shows, all from the start.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let attempts = Family::<OutcomeLabels, Counter>::default();
        let of = |outcome| attempts.get_or_create_owned(&OutcomeLabels { outcome });
        let metrics = Self { delivered: of("delivered"), failed: of("failed"), given_up: of("given_up") };
        registry.register(
            "inlet_webhook_attempts",
            "Attempts at deliveries of webhooks that have ended",
            attempts,
        );
        metrics
    }

    /// An attempt has ended so.
    pub(crate) fn ended(&self, verdict: Verdict) {
        match verdict {
            Verdict::Delivered => self.delivered.inc(),
            Verdict::RetryAt(_) => self.failed.inc(),
            Verdict::Expired | Verdict::TargetGone => self.given_up.inc(),
        };
    }
}

/// Numbers that nothing shows.
impl Default for WebhookMetrics {
    fn default() -> Self {
        Self::register(&mut Registry::default())
    }
}
