//! What a webhook is told: the body of a delivery.

use inlet_model::approval::LargeDelete;
use inlet_model::sync::{Failure, SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{CollectionId, ConnectorId, Counts, SpaceId, StreamName, SyncId, Timestamp};
use serde::Serialize;

use super::{Sync, WebhookEvent};
use crate::collection::StreamProgress;

/// A body of more bytes goes without the sync's streams.
const PAYLOAD_MAX: usize = 256 << 10;

#[derive(Serialize)]
struct Payload<'a> {
    r#type: WebhookEvent,
    timestamp: Timestamp,
    data: SyncData<'a>,
}

/// The sync as the API shows it, and where it belongs.
#[derive(Serialize)]
struct SyncData<'a> {
    id: SyncId,
    space_id: &'a SpaceId,
    collection_id: &'a CollectionId,
    connector_id: ConnectorId,
    status: SyncStatus,
    trigger: SyncTrigger,
    mode: SyncMode,
    dry_run: bool,
    only_streams: Option<&'a [StreamName]>,
    replays: Option<SyncId>,
    reverts: Option<SyncId>,
    attempt: u32,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    last_progress_at: Option<Timestamp>,
    resume_at: Option<Timestamp>,
    waiting_for: Option<&'a Failure>,
    pending_deletes: Option<&'a LargeDelete>,
    finished_at: Option<Timestamp>,
    counts: Counts,
    streams: Option<&'a [StreamProgress]>,
    error: Option<&'a Failure>,
}

/// The body that tells `event` of a sync as it stands. One that would be too long has `null` for the streams.
#[must_use]
pub fn payload(sync: &Sync, event: WebhookEvent, now: Timestamp) -> String {
    let whole = written(sync, event, now, Some(&sync.streams));
    if whole.len() <= PAYLOAD_MAX { whole } else { written(sync, event, now, None) }
}

fn written(
    sync: &Sync,
    event: WebhookEvent,
    timestamp: Timestamp,
    streams: Option<&[StreamProgress]>,
) -> String {
    let data = SyncData {
        id: sync.id,
        space_id: &sync.space_id,
        collection_id: &sync.collection_id,
        connector_id: sync.connector_id,
        status: sync.status,
        trigger: sync.trigger,
        mode: sync.mode,
        dry_run: sync.dry_run,
        only_streams: sync.only_streams.as_deref(),
        replays: sync.replays,
        reverts: sync.reverts,
        attempt: sync.attempt,
        created_at: sync.created_at,
        started_at: sync.started_at,
        last_progress_at: sync.last_progress_at,
        resume_at: sync.resume_at,
        waiting_for: sync.waits_for.as_ref(),
        // They name streams too, and go with them where they are too many.
        pending_deletes: sync.pending_deletes().filter(|_| streams.is_some()),
        finished_at: sync.finished_at,
        counts: sync.counts,
        streams,
        error: sync.failure.as_ref(),
    };
    serde_json::to_string(&Payload { r#type: event, timestamp, data })
        .expect("its keys are text, and nothing in it refuses to be written")
}
