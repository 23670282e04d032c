//! What a trace says of a sync: its own span, which [`run`](crate::run) opens, and one for each commit below it.
//!
//! The spans of commits are of the level `debug`, so that a log at `info` neither shows nor pays for them; a trace
//! takes them all the same. Names of streams, keys and records stand in none.

use inlet_model::Counts;
use inlet_model::sync::SyncStatus;
use tracing::Span;
use tracing::field::Empty;

/// The span of one commit. Its fields are known when it has ended.
pub(crate) fn commit(items: usize) -> Span {
    tracing::debug_span!("commit", items, code = Empty, otel.status_code = Empty)
}

/// A commit, whose span is the present one, has failed.
pub(crate) fn commit_failed(code: &str) {
    let span = Span::current();
    span.record("code", code);
    span.record("otel.status_code", "ERROR");
}

/// The sync whose span is the present one has ended.
pub(crate) fn sync_ended(status: SyncStatus, counts: Counts, code: Option<&str>) {
    let span = Span::current();
    span.record("status", status.as_str());
    span.record("read", counts.read);
    span.record("created", counts.created);
    span.record("updated", counts.updated);
    span.record("unchanged", counts.unchanged);
    span.record("deleted", counts.deleted);
    span.record("rejected", counts.rejected);
    span.record("bytes", counts.bytes);
    if let Some(code) = code {
        span.record("code", code);
    }
    if status == SyncStatus::Failed {
        span.record("otel.status_code", "ERROR");
    }
}
