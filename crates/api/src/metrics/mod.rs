//! What the process counts, and how it is shown. What each number means stands in `docs/metrics.md`.
//!
//! Labels have few values, all known from the start: a route is that of an operation, never a path; a method that HTTP
//! does not know is `_OTHER`. No id, name or text of a caller becomes a label.

pub(crate) mod get;
mod process;
mod text;

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use inlet_model::sync::SyncStatus;
use inlet_model::{Clock, SystemClock, Timestamp};
use inlet_store::catalog::SyncTally;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use self::process::Process;

/// Seconds of an answer: from a list that is read from memory to a request that runs into its time limit.
const REQUEST_BUCKETS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SyncLabels {
    status: &'static str,
    r#type: String,
}

/// What a process counts. Cheap to clone; all clones count into the same numbers.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<State>);

#[derive(Debug)]
struct State {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// The API's own numbers, shown together with what others have registered in `registry`. The process began now.
    #[must_use]
    pub fn new(mut registry: Registry, clock: &dyn Clock) -> Self {
        let requests = Family::default();
        let request_seconds = Family::new_with_constructor((|| Histogram::new(REQUEST_BUCKETS)) as fn() -> _);
        registry.register("inlet_http_requests", "Requests that were answered", Family::clone(&requests));
        registry.register_with_unit(
            "inlet_http_request",
            "How long the answer to a request took",
            Unit::Seconds,
            Family::clone(&request_seconds),
        );
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("inlet_build", "The program that runs", Info::new(version));
        registry.register_collector(Box::new(Process::began(clock.now())));
        Self(Arc::new(State { registry, requests, request_seconds }))
    }

    /// A request was answered.
    pub(crate) fn answered(&self, method: &Method, route: &'static str, status: StatusCode, took: Duration) {
        let labels = RequestLabels { method: method_name(method), route, status: status.as_u16() };
        self.0.requests.get_or_create(&labels).inc();
        self.0.request_seconds.get_or_create(&RouteLabels { route }).observe(took.as_secs_f64());
    }

    /// All numbers as OpenMetrics text; among them the syncs that have not ended, which the catalog has counted.
    pub(crate) fn text(&self, tally: &[SyncTally], types: &inlet_source::Registry, now: Timestamp) -> String {
        let mut text = String::new();
        encode_registry(&mut text, &self.0.registry)
            .and_then(|()| encode_registry(&mut text, &of_catalog(tally, types, now)))
            .and_then(|()| encode_eof(&mut text))
            .expect("a String takes whatever is written into it");
        text
    }
}

/// Numbers of the API alone.
impl Default for Metrics {
    fn default() -> Self {
        Self::new(Registry::default(), &SystemClock)
    }
}

/// The name of a method, for metrics and traces: those of HTTP, and one for all others.
pub(crate) fn method_name(method: &Method) -> &'static str {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::PUT,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    const NAMES: [&str; 9] = ["GET", "POST", "PATCH", "DELETE", "HEAD", "PUT", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.iter().zip(NAMES).find(|(known, _)| *known == method).map_or("_OTHER", |(_, name)| name)
}

/// What the catalog says at this moment. Every type that could be there has a number, if only 0: what comes and goes
/// cannot be told from what is not measured.
fn of_catalog(tally: &[SyncTally], types: &inlet_source::Registry, now: Timestamp) -> Registry {
    let syncs = Family::<SyncLabels, Gauge>::default();
    let of = |status: SyncStatus, kind: &str| {
        syncs.get_or_create_owned(&SyncLabels { status: status.as_str(), r#type: kind.to_owned() })
    };
    for status in SyncStatus::ALL.into_iter().filter(|status| !status.is_final()) {
        for each in types.iter() {
            of(status, each.name());
        }
    }
    for row in tally {
        of(row.status, &row.kind).set(i64::try_from(row.syncs).unwrap_or(i64::MAX));
    }
    let queued = tally.iter().filter(|row| row.status == SyncStatus::Queued);
    let oldest = queued.map(|row| row.oldest_created_at).min();
    let age = oldest.map_or(0, |at| now.as_micros().saturating_sub(at.as_micros()).max(0));

    let mut registry = Registry::default();
    registry.register("inlet_syncs", "Syncs that have not ended", syncs);
    registry.register_with_unit(
        "inlet_sync_queue_age",
        "How long the oldest queued sync has waited",
        Unit::Seconds,
        ConstGauge::new(seconds(age)),
    );
    registry
}

/// Microseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "a metric is a float; microseconds are exact for 285 years")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_of_a_strangers_choice_is_no_label() {
        assert_eq!(method_name(&Method::PATCH), "PATCH");
        assert_eq!(method_name(&Method::from_bytes(b"MKCOL").unwrap()), "_OTHER");
    }

    #[test]
    fn the_queue_is_as_old_as_its_oldest_sync_whatever_its_type() {
        let row = |status, kind: &str, created_at| SyncTally {
            status,
            kind: kind.to_owned(),
            syncs: 2,
            oldest_created_at: Timestamp::from_millis(created_at),
        };
        let tally = [
            row(SyncStatus::Running, "a", 1_000),
            row(SyncStatus::Queued, "a", 5_500),
            row(SyncStatus::Queued, "b", 4_000),
        ];
        let text = |tally: &[SyncTally], now| {
            Metrics::default().text(tally, &inlet_source::Registry::new([]), Timestamp::from_millis(now))
        };
        assert!(text(&tally, 9_250).contains("\ninlet_sync_queue_age_seconds 5.25\n"));
        assert!(text(&tally, 9_250).contains("\ninlet_syncs{status=\"queued\",type=\"b\"} 2\n"));
        // A clock that was set back.
        assert!(text(&tally, 1_000).contains("\ninlet_sync_queue_age_seconds 0.0\n"));
        assert!(text(&[], 9_250).contains("\ninlet_sync_queue_age_seconds 0.0\n"));
    }
}
