//! Records: what the collection holds now.

use async_trait::async_trait;
use inlet_model::{ConnectorId, Record, StreamName};

use crate::StoreResult;

/// Which records to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Only of this connector.
    pub connector_id: Option<ConnectorId>,
    /// Only of streams of this name.
    pub stream: Option<StreamName>,
    /// Only behind this place.
    pub after: Option<RecordCursor>,
    /// At most this many.
    pub limit: usize,
    /// Stop once the page holds this many bytes of data; a page holds at least one record if there is one.
    pub max_bytes: usize,
}

/// A place in the order of records: by stream, then by key. It stays valid whatever is written meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordCursor(pub Vec<u8>);

/// Some records, and where the next begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// The records, by stream and then by key.
    pub records: Vec<Record>,
    /// Where to go on; `None` at the end.
    pub next: Option<RecordCursor>,
}

/// A collection in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Live records.
    pub records: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The last change number; 0 before the first.
    pub last_change: u64,
}

/// A stream of a connector, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStats {
    /// Its connector, which may be deleted.
    pub connector_id: ConnectorId,
    /// Its name.
    pub stream: StreamName,
    /// Live records.
    pub records: u64,
}

/// The records of a collection.
#[async_trait]
pub trait Records {
    /// A page of records. Nothing that is there throughout is skipped or repeated, whatever is written between pages.
    async fn records(&self, query: RecordQuery) -> StoreResult<RecordPage>;

    /// The records with this stream and encoded key: one for each connector that holds it, or that of `connector_id`.
    async fn record(
        &self,
        connector_id: Option<ConnectorId>,
        stream: &StreamName,
        key: &[u8],
    ) -> StoreResult<Vec<Record>>;

    /// The streams that fit, by name and then by connector: every one that ever was read, whether or not it has records.
    async fn streams(
        &self,
        connector_id: Option<ConnectorId>,
        stream: Option<&StreamName>,
    ) -> StoreResult<Vec<StreamStats>>;

    /// The collection in numbers.
    async fn stats(&self) -> StoreResult<Stats>;
}
