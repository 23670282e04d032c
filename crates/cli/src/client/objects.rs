//! The API's objects, as far as commands look into them.

use inlet_model::approval::LargeDelete;
use inlet_model::stream::StreamSettings;
use inlet_model::sync::{Failure, SyncStatus};
use inlet_model::{Counts, StreamName, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A page of a list. `T` may be a [`RawValue`] for items that are only passed on.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) data: Vec<T>,
    /// Where to go on; `None` at the end.
    pub(crate) next_cursor: Option<String>,
}

/// A connector.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Connector {
    /// Its id.
    pub(crate) id: String,
    /// Its connector type.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Its config.
    pub(crate) config: Value,
    /// The streams it reads; `None`: all.
    pub(crate) streams: Option<Vec<StreamSettings>>,
}

/// A sync.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Sync {
    /// Its id.
    pub(crate) id: String,
    /// Where it stands.
    pub(crate) status: SyncStatus,
    /// Whether it only found out what it would do.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// When it was first begun.
    pub(crate) started_at: Option<Timestamp>,
    /// What it asks to delete, while it needs approval.
    #[serde(default)]
    pub(crate) pending_deletes: Option<LargeDelete>,
    /// When it ended.
    pub(crate) finished_at: Option<Timestamp>,
    /// Its counters.
    pub(crate) counts: Counts,
    /// Its streams.
    pub(crate) streams: Vec<SyncStream>,
    /// Why it failed.
    pub(crate) error: Option<Failure>,
}

/// One stream of a sync.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SyncStream {
    /// Its name.
    pub(crate) name: StreamName,
    /// How it stands.
    pub(crate) status: String,
    /// Its counters.
    #[serde(default)]
    pub(crate) counts: Counts,
    /// Why it failed.
    #[serde(default)]
    pub(crate) error: Option<Failure>,
}

impl Sync {
    /// How long it took, once it has ended.
    pub(crate) fn duration(&self) -> Option<std::time::Duration> {
        let micros = self.finished_at?.as_micros().saturating_sub(self.started_at?.as_micros());
        // A clock that was set back shows no time at all.
        Some(std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
    }
}

/// A record.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Record {
    /// The connector it belongs to.
    pub(crate) connector_id: String,
    /// Its stream.
    pub(crate) stream: StreamName,
    /// Its key.
    pub(crate) key: Box<RawValue>,
    /// What it holds, in the order in which the server gives it.
    pub(crate) data: Box<RawValue>,
}

/// An entry of the change feed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Change {
    /// Its number.
    pub(crate) change: u64,
    /// What happened.
    pub(crate) op: String,
    /// The record's stream.
    pub(crate) stream: StreamName,
    /// The record's key.
    pub(crate) key: Box<RawValue>,
    /// What the record holds now.
    pub(crate) data: Option<Box<RawValue>>,
}
