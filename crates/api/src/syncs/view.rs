//! A sync, as the API shows it.

use inlet_model::approval::LargeDelete;
use inlet_model::preview::Preview;
use inlet_model::sync::{Failure, StateMove, SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{ConnectorId, Counts, StreamName, SyncId, Timestamp};
use inlet_store::catalog::Sync;
use inlet_store::collection::StreamProgress;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::app::Api;
use crate::codes::Code;
use crate::problem::Problem;

/// A sync: moves data from a connector's source into its collection.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sync")]
pub(crate) struct SyncView {
    /// Its id.
    id: SyncId,
    /// Its connector.
    connector_id: ConnectorId,
    /// Where it stands.
    status: SyncStatus,
    /// What asked for it.
    trigger: SyncTrigger,
    /// How it reads.
    mode: SyncMode,
    /// Whether it only finds out what it would do: its counts are then what they would be.
    dry_run: bool,
    /// The streams it was asked to read; `null`: all of the connector's.
    only_streams: Option<Vec<StreamName>>,
    /// The sync of which it reads again what was refused.
    replays: Option<SyncId>,
    /// The sync that it undoes. It reads nothing then: its counts say what it did to the records of the collection.
    reverts: Option<SyncId>,
    /// How many times it was begun; 0 while it is queued.
    attempt: u32,
    /// When it was asked for.
    created_at: Timestamp,
    /// When it was first begun.
    started_at: Option<Timestamp>,
    /// When it last committed records or changes.
    last_progress_at: Option<Timestamp>,
    /// When it goes on, while it waits.
    resume_at: Option<Timestamp>,
    /// What it waits for the end of, while it waits.
    waiting_for: Option<Failure>,
    /// What it asks to delete, while it needs approval.
    pending_deletes: Option<LargeDelete>,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// What it has done so far.
    counts: Counts,
    /// Its streams, each with its part.
    streams: Vec<StreamProgress>,
    /// Why it failed.
    error: Option<Failure>,
}

/// A sync with its history.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SyncWithMoves {
    #[serde(flatten)]
    sync: SyncView,
    /// How it came to stand where it stands: each move with its cause, oldest first. Of one that moved more than two
    /// hundred times the middle is left out.
    moves: Vec<StateMove>,
    /// What a dry run has found that a sync would do, once it has ended.
    #[schemars(with = "Option<Preview>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Box<RawValue>>,
}

impl SyncWithMoves {
    /// One for the documents.
    pub(super) fn example() -> Value {
        let mut example = SyncView::example();
        let one = |seq: u64, at: &str, from: Value, to: &str, cause: &str, attempt: u32| json!({"seq": seq, "at": at, "from": from, "to": to, "cause": cause, "code": null, "attempt": attempt});
        example["moves"] = json!([
            one(1, "2026-01-01T07:00:00.000Z", json!(null), "queued", "triggered", 0),
            one(2, "2026-01-01T07:00:00.001Z", json!("queued"), "running", "claimed", 1),
            one(3, "2026-01-01T07:00:00.021Z", json!("running"), "succeeded", "ended", 1),
        ]);
        example
    }

    /// A sync with its present numbers and its history.
    pub(super) async fn read(api: &Api, sync: Sync) -> Result<Self, Problem> {
        let moves = api.catalog.sync_moves(sync.id, 0).await?;
        let preview = if sync.dry_run { api.catalog.sync_preview(sync.id).await? } else { None };
        let preview = preview.map(RawValue::from_string).transpose();
        let unreadable = "What the dry run has found cannot be read. Run it again.";
        let preview =
            preview.map_err(|error| Problem::new(Code::DataUnreadable, unreadable).because(error))?;
        Ok(Self { sync: SyncView::read(api, sync).await?, moves, preview })
    }
}

impl From<Sync> for SyncView {
    fn from(sync: Sync) -> Self {
        let pending_deletes = sync.pending_deletes().cloned();
        Self {
            id: sync.id,
            connector_id: sync.connector_id,
            status: sync.status,
            trigger: sync.trigger,
            mode: sync.mode,
            dry_run: sync.dry_run,
            only_streams: sync.only_streams,
            replays: sync.replays,
            reverts: sync.reverts,
            attempt: sync.attempt,
            created_at: sync.created_at,
            started_at: sync.started_at,
            last_progress_at: sync.last_progress_at,
            resume_at: sync.resume_at,
            waiting_for: sync.waits_for,
            pending_deletes,
            finished_at: sync.finished_at,
            counts: sync.counts,
            streams: sync.streams,
            error: sync.failure,
        }
    }
}

impl SyncView {
    /// One for the documents.
    pub(super) fn example() -> Value {
        let counts = json!({
            "read": 16, "created": 16, "updated": 0, "unchanged": 0, "deleted": 0, "rejected": 0, "bytes": 725,
        });
        json!({
            "id": "syn_01h455vb4pex5vsknk084sn02q", "connector_id": "con_01h455vb4pex5vsknk084sn02q",
            "status": "succeeded", "trigger": "api", "mode": "incremental",
            "dry_run": false, "only_streams": null, "replays": null, "reverts": null, "attempt": 1,
            "created_at": "2026-01-01T07:00:00.000Z", "started_at": "2026-01-01T07:00:00.001Z",
            "last_progress_at": "2026-01-01T07:00:00.020Z",
            "resume_at": null, "waiting_for": null, "pending_deletes": null,
            "finished_at": "2026-01-01T07:00:00.021Z",
            "counts": counts,
            "streams": [{"name": "airlines", "status": "succeeded", "counts": counts, "error": null}],
            "error": null,
        })
    }

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
