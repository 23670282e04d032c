//! The engine's numbers since the process began, as Prometheus reads them. What each means stands in `docs/metrics.md`.
//!
//! Every label has few values, known from the start: the types of the registry, and words of this file. No number of a
//! single sync, stream or connector is kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::Counts;
use inlet_model::sync::SyncStatus;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The type of a sync whose connector was deleted before the process could learn it.
const UNKNOWN_TYPE: &str = "unknown";

/// Seconds of a commit: a healthy disk takes milliseconds, a full commit some tenths.
const COMMIT_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndedLabels {
    status: &'static str,
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RecordLabels {
    op: &'static str,
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabels {
    r#type: &'static str,
}

/// The engine's numbers. Cheap to clone; all clones count into the same ones.
#[derive(Debug, Clone)]
pub struct EngineMetrics(Arc<State>);

#[derive(Debug)]
struct State {
    commit_seconds: Histogram,
    types: HashMap<&'static str, TypeMetrics>,
    unknown: TypeMetrics,
}

/// The numbers of one connector type.
#[derive(Debug, Clone)]
pub(crate) struct TypeMetrics {
    succeeded: Counter,
    failed: Counter,
    cancelled: Counter,
    created: Counter,
    updated: Counter,
    unchanged: Counter,
    deleted: Counter,
    rejected: Counter,
    bytes: Counter,
}

impl EngineMetrics {
    /// Numbers that `registry` shows, for these connector types. All begin at zero, and all are shown from the start: a
    /// rate over a number that appears with its first event would miss that event.
    #[must_use]
    pub fn register(registry: &mut Registry, types: &inlet_source::Registry) -> Self {
        let ended = Family::<EndedLabels, Counter>::default();
        let records = Family::<RecordLabels, Counter>::default();
        let bytes = Family::<TypeLabels, Counter>::default();
        let commit_seconds = Histogram::new(COMMIT_BUCKETS);
        let of = |kind| TypeMetrics::of(kind, &ended, &records, &bytes);
        let metrics = Self(Arc::new(State {
            commit_seconds: commit_seconds.clone(),
            types: types.iter().map(|each| (each.name(), of(each.name()))).collect(),
            unknown: of(UNKNOWN_TYPE),
        }));
        registry.register("inlet_syncs_ended", "Syncs that had begun and have ended", ended);
        registry.register("inlet_sync_records", "Records and deletes that syncs have committed", records);
        registry.register_with_unit(
            "inlet_sync",
            "Record data that syncs have read and committed",
            Unit::Bytes,
            bytes,
        );
        registry.register_with_unit(
            "inlet_commit",
            "How long a commit of a sync took",
            Unit::Seconds,
            commit_seconds,
        );
        metrics
    }

    /// The numbers of a connector type.
    pub(crate) fn of_type(&self, kind: Option<&str>) -> &TypeMetrics {
        kind.and_then(|kind| self.0.types.get(kind)).unwrap_or(&self.0.unknown)
    }

    /// A commit is durable, and took so long.
    pub(crate) fn committed(&self, took: Duration) {
        self.0.commit_seconds.observe(took.as_secs_f64());
    }
}

/// Numbers that nothing shows.
impl Default for EngineMetrics {
    fn default() -> Self {
        Self::register(&mut Registry::default(), &inlet_source::Registry::new([]))
    }
}

impl TypeMetrics {
    fn of(
        kind: &'static str,
        ended: &Family<EndedLabels, Counter>,
        records: &Family<RecordLabels, Counter>,
        bytes: &Family<TypeLabels, Counter>,
    ) -> Self {
        let ended = |status: SyncStatus| {
            ended.get_or_create_owned(&EndedLabels { status: status.as_str(), r#type: kind })
        };
        let records = |op| records.get_or_create_owned(&RecordLabels { op, r#type: kind });
        Self {
            succeeded: ended(SyncStatus::Succeeded),
            failed: ended(SyncStatus::Failed),
            cancelled: ended(SyncStatus::Cancelled),
            created: records("created"),
            updated: records("updated"),
            unchanged: records("unchanged"),
            deleted: records("deleted"),
            rejected: records("rejected"),
            bytes: bytes.get_or_create_owned(&TypeLabels { r#type: kind }),
        }
    }

    /// The counters of a run went from `before` to `after`.
    pub(crate) fn went_on(&self, before: Counts, after: Counts) {
        self.created.inc_by(after.created.saturating_sub(before.created));
        self.updated.inc_by(after.updated.saturating_sub(before.updated));
        self.unchanged.inc_by(after.unchanged.saturating_sub(before.unchanged));
        self.deleted.inc_by(after.deleted.saturating_sub(before.deleted));
        self.rejected.inc_by(after.rejected.saturating_sub(before.rejected));
        self.bytes.inc_by(after.bytes.saturating_sub(before.bytes));
    }

    /// A delete phase took so many records away.
    pub(crate) fn swept(&self, deleted: u64) {
        self.deleted.inc_by(deleted);
    }

    /// A sync has ended so.
    pub(crate) fn ended(&self, status: SyncStatus) {
        match status {
            SyncStatus::Succeeded => self.succeeded.inc(),
            SyncStatus::Failed => self.failed.inc(),
            SyncStatus::Cancelled => self.cancelled.inc(),
            _ => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_nobody_knows_has_a_name_all_the_same() {
        let mut registry = Registry::default();
        let metrics = EngineMetrics::register(&mut registry, &inlet_source::Registry::new([]));
        metrics.of_type(None).ended(SyncStatus::Cancelled);
        metrics.of_type(Some("long_gone")).ended(SyncStatus::Cancelled);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let line = "inlet_syncs_ended_total{status=\"cancelled\",type=\"unknown\"} 2\n";
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("long_gone"));
    }

    #[test]
    fn only_what_was_added_is_counted() {
        let metrics = EngineMetrics::default();
        let numbers = metrics.of_type(None);
        let before = Counts { read: 3, created: 3, bytes: 30, ..Counts::default() };
        let after = Counts { read: 5, created: 4, rejected: 1, bytes: 50, ..Counts::default() };
        numbers.went_on(before, after);
        assert_eq!((numbers.created.get(), numbers.rejected.get(), numbers.bytes.get()), (1, 1, 20));
        assert_eq!(numbers.unchanged.get(), 0);
    }
}
