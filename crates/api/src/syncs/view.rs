//! A sync, as the API shows it.

use inlet_model::sync::{Failure, SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{ConnectorId, Counts, SyncId, Timestamp};
use inlet_store::catalog::Sync;
use inlet_store::collection::StreamProgress;
use serde::Serialize;

use crate::app::Api;
use crate::problem::Problem;

/// A sync.
#[derive(Debug, Serialize)]
pub(crate) struct SyncView {
    id: SyncId,
    connector_id: ConnectorId,
    status: SyncStatus,
    trigger: SyncTrigger,
    mode: SyncMode,
    attempt: u32,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    last_progress_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    counts: Counts,
    streams: Vec<StreamProgress>,
    error: Option<Failure>,
}

impl From<Sync> for SyncView {
    fn from(sync: Sync) -> Self {
        Self {
            id: sync.id,
            connector_id: sync.connector_id,
            status: sync.status,
            trigger: sync.trigger,
            mode: sync.mode,
            attempt: sync.attempt,
            created_at: sync.created_at,
            started_at: sync.started_at,
            last_progress_at: sync.last_progress_at,
            finished_at: sync.finished_at,
            counts: sync.counts,
            streams: sync.streams,
            error: sync.failure,
        }
    }
}

impl SyncView {
    /// A sync with its present numbers: while it is active, they are those of its run.
    pub(crate) async fn read(api: &Api, sync: Sync) -> Result<Self, Problem> {
        let (id, store_id, is_active) = (sync.id, sync.store_id, sync.status.is_active());
        let mut view = Self::from(sync);
        if !is_active {
            return Ok(view);
        }
        if let Some(run) = api.stores.open(store_id).await?.run(id).await? {
            view.counts = run.counts;
            view.streams = run.streams;
            view.last_progress_at = Some(run.last_progress_at);
        }
        Ok(view)
    }
}
