//! How far a file has been read: what is stored between reads, and what follows from it.

use inlet_model::sync::SyncMode;
use inlet_model::{HashSeed, RecordHash, ScopeState};
use inlet_source::StreamRequest;
use inlet_source::formats::Place;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::Config;
use super::format::{Compression, Format};
use crate::roots::Fingerprint;

/// A scope's cursor: the file as it was when it was last read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) file: Fingerprint,
    /// Whether the file had been at rest when reading began, so that a later write cannot bear the same time.
    pub(super) settled: bool,
    /// The settings it was read with, as a digest: other settings give other records.
    pub(super) settings: String,
}

/// A position within an open listing: everything before it has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    #[serde(flatten)]
    pub(super) seen: Seen,
    #[serde(flatten)]
    pub(super) place: Place,
}

/// What to do with a scope.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Nothing: it holds what it held.
    Skip,
    /// Go on with the open listing.
    Resume(Position),
    /// Begin a new listing.
    List,
}

/// What to do with a file that is `now` so. A full refresh of this `generation` may have been begun before, and have
/// listed the file then.
pub(super) fn plan(state: Option<&ScopeState>, mode: SyncMode, generation: u64, now: &Seen) -> Plan {
    let Some(state) = state else { return Plan::List };
    if let Some(listing) = &state.listing {
        let position =
            listing.position.clone().and_then(|value| serde_json::from_value::<Position>(value).ok());
        return match position {
            Some(position) if position.seen.is_still(now) => Plan::Resume(position),
            _ => Plan::List,
        };
    }
    let cursor = state.cursor.clone().and_then(|value| serde_json::from_value::<Seen>(value).ok());
    let may_skip = mode == SyncMode::Incremental || state.listed_by == Some(generation);
    match cursor {
        Some(seen) if may_skip && seen.settled && seen.is_still(now) => Plan::Skip,
        _ => Plan::List,
    }
}

impl Seen {
    fn is_still(&self, now: &Self) -> bool {
        self.file == now.file && self.settings == now.settings
    }

    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("strings, numbers and booleans are JSON")
    }
}

impl Position {
    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("strings, numbers and booleans are JSON")
    }
}

/// A digest of everything but the file that decides which records are read from it.
pub(super) fn settings(config: &Config, stream: &StreamRequest) -> String {
    /// Raised when the same file and settings come to give other records.
    const READER: u32 = 1;
    let format = config.format.map(|format| match format {
        Format::Csv => "csv",
        Format::JsonLines => "jsonl",
        Format::Json => "json",
    });
    let compression = config.compression.map(|compression| match compression {
        Compression::None => "none",
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    });
    let all = json!([READER, format, compression, config.csv, stream.primary_key, stream.fields]);
    let digest = RecordHash::of(HashSeed(0), all.to_string().as_bytes());
    digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
