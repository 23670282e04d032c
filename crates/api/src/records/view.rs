//! Records and changes, as the API shows them. Keys and data are passed through as JSON text: no number is ever parsed.

use inlet_model::{Change, ChangeOp, ConnectorId, Record, SyncId, Timestamp, key};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::codes::Code;
use crate::problem::Problem;

/// A record: one row or document of a source.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Record")]
pub(crate) struct RecordView<'a> {
    /// The connector it belongs to.
    connector_id: ConnectorId,
    /// Its stream.
    stream: &'a str,
    /// Its key: a scalar, or an array where the key has several fields.
    #[schemars(with = "Value")]
    key: Box<RawValue>,
    /// What it holds.
    #[schemars(with = "serde_json::Map<String, Value>")]
    data: &'a RawValue,
    /// The number of the change that made it what it is.
    change: u64,
    /// The sync that brought it.
    sync_id: SyncId,
    /// When it first appeared.
    created_at: Timestamp,
    /// When its content last changed.
    updated_at: Timestamp,
}

impl<'a> RecordView<'a> {
    /// One for the documents.
    pub(crate) fn example() -> Value {
        json!({
            "connector_id": "con_01h455vb4pex5vsknk084sn02q", "stream": "airlines", "key": "AA",
            "data": {"carrier": "AA", "name": "American Airlines Inc."}, "change": 2,
            "sync_id": "syn_01h455vb4pex5vsknk084sn02q",
            "created_at": "2026-01-01T07:00:00.000Z", "updated_at": "2026-01-01T07:00:00.000Z",
        })
    }

    /// Shows a record.
    pub(crate) fn new(record: &'a Record) -> Result<Self, Problem> {
        Ok(Self {
            connector_id: record.connector_id,
            stream: record.stream.as_str(),
            key: key_json(&record.key)?,
            data: raw(&record.data)?,
            change: record.change,
            sync_id: record.sync_id,
            created_at: record.created_at,
            updated_at: record.updated_at,
        })
    }
}

/// A change: how a record came to be what it is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Change")]
pub(crate) struct ChangeView<'a> {
    /// Strictly increasing, and never used twice.
    change: u64,
    /// What happened.
    op: ChangeOp,
    /// The connector the record belongs to.
    connector_id: ConnectorId,
    /// Its stream.
    stream: &'a str,
    /// Its key.
    #[schemars(with = "Value")]
    key: Box<RawValue>,
    /// What it holds now; `null` if it was deleted.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    data: Option<&'a RawValue>,
    /// The sync that brought the change; `null` where the record was removed on request.
    sync_id: Option<SyncId>,
    /// When it was committed.
    at: Timestamp,
}

impl<'a> ChangeView<'a> {
    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({
            "change": 2, "op": "created", "connector_id": "con_01h455vb4pex5vsknk084sn02q", "stream": "airlines",
            "key": "AA", "data": {"carrier": "AA", "name": "American Airlines Inc."},
            "sync_id": "syn_01h455vb4pex5vsknk084sn02q", "at": "2026-01-01T07:00:00.000Z",
        })
    }

    /// Shows a change.
    pub(crate) fn new(change: &'a Change) -> Result<Self, Problem> {
        Ok(Self {
            change: change.change,
            op: change.op,
            connector_id: change.connector_id,
            stream: change.stream.as_str(),
            key: key_json(&change.key)?,
            data: change.data.as_deref().map(raw).transpose()?,
            sync_id: change.sync_id,
            at: change.at,
        })
    }
}

fn key_json(encoded: &[u8]) -> Result<Box<RawValue>, Problem> {
    let mut json = Vec::new();
    key::to_json(encoded, &mut json).map_err(|error| unreadable(error.into()))?;
    serde_json::from_slice(&json).map_err(|error| unreadable(error.into()))
}

fn raw(json: &[u8]) -> Result<&RawValue, Problem> {
    serde_json::from_slice(json).map_err(|error| unreadable(error.into()))
}

fn unreadable(cause: Box<dyn std::error::Error + Send + Sync>) -> Problem {
    let detail = "A stored record cannot be read. Restore the collection from a backup, or sync it anew.";
    Problem::new(Code::DataUnreadable, detail).because(cause)
}
