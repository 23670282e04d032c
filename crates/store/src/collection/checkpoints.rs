//! Checkpoints, as people look at them and change them: how far each scope of each stream of a connector has been read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use inlet_model::{ConnectorId, Scope, StreamName, SyncId};
use serde_json::Value;

use crate::StoreResult;

/// How far one scope of a stream has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The stream.
    pub stream: StreamName,
    /// The scope.
    pub scope: Scope,
    /// Records of it that are there.
    pub records: u64,
    /// Where incremental reading goes on.
    pub cursor: Option<Value>,
    /// The generation of the last listing that was complete.
    pub listed_by: Option<u64>,
    /// The listing it is in.
    pub listing: Option<ScopeListing>,
}

/// The listing that a scope is in.
#[derive(Debug, Clone, PartialEq)]
pub enum ScopeListing {
    /// It has begun and is not complete; the next sync goes on with it.
    Open {
        /// Its number.
        generation: u64,
        /// Where it goes on; `None`: from its beginning.
        position: Option<Value>,
        /// Records that it has seen.
        seen: u64,
    },
    /// It is complete, and what it did not see waits to be deleted by the next sync.
    Complete,
    /// The scope is not there any more, and what it holds waits to be deleted by the next sync.
    Gone,
}

/// The cursors that a stream is to have.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamCursors {
    /// The stream.
    pub stream: StreamName,
    /// The cursor of each scope; a scope without one is listed.
    pub cursors: BTreeMap<Scope, Option<Value>>,
}

/// What came of changing checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointEffect {
    /// They are changed.
    Changed,
    /// The run of this sync holds the connector and has not ended; nothing was changed.
    Held(SyncId),
}

/// The checkpoints of a collection's connectors.
///
/// A change and the beginning of a run follow each other: a run that begins later starts from what was set, and while one
/// is under way nothing is changed behind its back.
#[async_trait]
pub trait Checkpoints {
    /// The connector's checkpoints, or those of one stream, by stream and then by scope: those behind `after`, at most `limit`.
    async fn checkpoints(
        &self,
        connector_id: ConnectorId,
        stream: Option<&StreamName>,
        after: Option<(StreamName, Scope)>,
        limit: usize,
    ) -> StoreResult<Vec<Checkpoint>>;

    /// Gives each stream exactly these cursors: a scope that is not named has none, and is listed. Listings that are open are
    /// dropped; what waits for a sweep goes on waiting, except in a scope that was gone and is named. Records are left as
    /// they are. A stream that was never read is made, and takes the shape of the first run that reads it.
    async fn set_cursors(
        &self,
        connector_id: ConnectorId,
        streams: Vec<StreamCursors>,
    ) -> StoreResult<CheckpointEffect>;

    /// Forgets how far the connector's streams, or one of them, were read: cursors, open listings, what waits for a
    /// sweep, and the schema, which is learned anew. The next run lists them again; nothing is deleted before that listing is complete.
    async fn reset_checkpoints(
        &self,
        connector_id: ConnectorId,
        stream: Option<StreamName>,
    ) -> StoreResult<CheckpointEffect>;
}
