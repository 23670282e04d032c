//! Schemas of streams, each version of them that there was.

use async_trait::async_trait;
use inlet_model::schema::Schema;
use inlet_model::{ConnectorId, StreamName, SyncId, Timestamp};

use crate::StoreResult;

/// The schema of a stream, as a run finds it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownSchema {
    /// The number of its last version; 0 of a stream that never had one. It goes on when the schema is learned anew.
    pub version: u64,
    /// What is known of it.
    pub schema: Schema,
    /// Whether a run has read the stream to its end since it began to be learned. Only then can anything be new to it.
    pub is_learned: bool,
}

/// A version of a stream's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The stream.
    pub stream: StreamName,
    /// Its number, from 1.
    pub version: u64,
    /// The sync whose records made it so.
    pub sync_id: SyncId,
    /// When they were committed.
    pub at: Timestamp,
    /// The fields.
    pub schema: Schema,
}

/// Which versions are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemasQuery {
    /// The connector.
    pub connector_id: ConnectorId,
    /// All versions that are kept of this stream, the newest first; `None`: the newest of each stream.
    pub stream: Option<StreamName>,
    /// Those behind this one: by name, and then the newest first.
    pub after: Option<(StreamName, u64)>,
    /// At most so many.
    pub limit: usize,
}

/// The schemas of a collection's streams. They are written by [`Item::Schema`](super::Item::Schema).
#[async_trait]
pub trait Schemas {
    /// Versions of schemas. Of a stream the last hundred are kept.
    async fn schemas(&self, query: SchemasQuery) -> StoreResult<Vec<SchemaVersion>>;
}
