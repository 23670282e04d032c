//! Records and changes, as the API shows them. Keys and data are passed through as JSON text: no number is ever parsed.

use inlet_model::{Change, ChangeOp, ConnectorId, Record, SyncId, Timestamp, key};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::codes::Code;
use crate::problem::Problem;

/// A record.
#[derive(Debug, Serialize)]
pub(crate) struct RecordView<'a> {
    connector_id: ConnectorId,
    stream: &'a str,
    key: Box<RawValue>,
    data: &'a RawValue,
    change: u64,
    sync_id: SyncId,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> RecordView<'a> {
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

/// A change.
#[derive(Debug, Serialize)]
pub(crate) struct ChangeView<'a> {
    change: u64,
    op: ChangeOp,
    connector_id: ConnectorId,
    stream: &'a str,
    key: Box<RawValue>,
    data: Option<&'a RawValue>,
    /// `null` where the record was removed on request.
    sync_id: Option<SyncId>,
    at: Timestamp,
}

impl<'a> ChangeView<'a> {
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
