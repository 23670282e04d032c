//! The data of events, and how they are written.

use axum::body::Bytes;
use inlet_model::sync::{Failure, SyncStatus};
use inlet_model::{Counts, SyncId, Timestamp};
use inlet_store::catalog::Sync;
use inlet_store::collection::{StreamProgress, StreamStatus};
use serde::Serialize;

use crate::answer;

/// Of a sync with more streams only so many are shown, those first of which there is most to say.
const STREAMS: usize = 100;

/// How far a sync has come.
#[derive(Debug, Serialize)]
pub(super) struct ProgressView<'a> {
    id: SyncId,
    status: SyncStatus,
    attempt: u32,
    resume_at: Option<Timestamp>,
    waiting_for: Option<&'a Failure>,
    counts: Counts,
    records_per_second: Option<u64>,
    bytes_per_second: Option<u64>,
    stream_count: usize,
    streams: Vec<&'a StreamProgress>,
}

/// Records and bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

impl<'a> ProgressView<'a> {
    pub(super) fn new(
        sync: &'a Sync,
        counts: Counts,
        streams: &'a [StreamProgress],
        rate: Option<Rate>,
    ) -> Self {
        let mut shown: Vec<&StreamProgress> = streams.iter().collect();
        if shown.len() > STREAMS {
            shown.sort_by_key(|stream| interest(stream.status));
            shown.truncate(STREAMS);
        }
        Self {
            id: sync.id,
            status: sync.status,
            attempt: sync.attempt,
            resume_at: sync.resume_at,
            waiting_for: sync.waits_for.as_ref(),
            counts,
            records_per_second: rate.map(|rate| rate.records),
            bytes_per_second: rate.map(|rate| rate.bytes),
            stream_count: streams.len(),
            streams: shown,
        }
    }
}

/// What is of most interest comes first.
fn interest(status: StreamStatus) -> u8 {
    match status {
        StreamStatus::Running => 0,
        StreamStatus::Failed => 1,
        StreamStatus::Succeeded => 2,
        StreamStatus::Cancelled => 3,
        StreamStatus::Pending => 4,
    }
}

/// An event without its id: `event` and `data`. JSON has no line ends, so that one line of data holds it.
pub(super) fn event(name: &str, data: &impl Serialize) -> Bytes {
    let mut text = format!("event: {name}\ndata: ").into_bytes();
    text.extend(answer::json(data));
    text.extend_from_slice(b"\n\n");
    text.into()
}
