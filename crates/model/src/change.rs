//! What a collection holds, and how it came to hold it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ConnectorId, StreamName, SyncId, Timestamp};

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOp {
    /// It was not there before.
    Created,
    /// Its content became another.
    Updated,
    /// It is gone.
    Deleted,
}

/// One entry of a collection's change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Strictly increasing within the collection, never used twice, in commit order.
    pub change: u64,
    /// What happened.
    pub op: ChangeOp,
    /// The connector the record belongs to.
    pub connector_id: ConnectorId,
    /// Its stream.
    pub stream: StreamName,
    /// Its key, encoded (see [`crate::key`]).
    pub key: Vec<u8>,
    /// Its canonical JSON; `None` when it was deleted.
    pub data: Option<Vec<u8>>,
    /// The sync that brought the change; `None` where the record was removed on request.
    pub sync_id: Option<SyncId>,
    /// When the change was committed.
    pub at: Timestamp,
    /// The change this one superseded; 0 for none.
    pub previous: u64,
}

/// A record as the collection holds it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The connector it belongs to.
    pub connector_id: ConnectorId,
    /// Its stream.
    pub stream: StreamName,
    /// Its key, encoded (see [`crate::key`]).
    pub key: Vec<u8>,
    /// Its canonical JSON.
    pub data: Vec<u8>,
    /// The change that made it what it is.
    pub change: u64,
    /// The sync that brought it.
    pub sync_id: SyncId,
    /// When it first appeared.
    pub created_at: Timestamp,
    /// When its content last changed.
    pub updated_at: Timestamp,
}
