//! The inbox: records pushed to connectors, durable before the push is answered, waiting for a sync.

use async_trait::async_trait;
use inlet_model::mask::Masking;
use inlet_model::{ConnectorId, StreamName, Timestamp};

use crate::StoreResult;
use crate::catalog::{Idempotent, StoredAnswer};

/// One push.
#[derive(Debug, Clone)]
pub struct Push {
    /// The connector pushed to.
    pub connector_id: ConnectorId,
    /// The stream.
    pub stream: StreamName,
    /// The fields that make the key, if the push states them.
    pub key_fields: Vec<String>,
    /// What has been masked in them.
    pub masking: Masking,
    /// The records: lines as the source contract's inbox describes them.
    pub lines: Vec<u8>,
    /// How many.
    pub count: u64,
    /// The time.
    pub now: Timestamp,
    /// Refuse the push if the connector's pending bytes would exceed this.
    pub max_pending_bytes: u64,
    /// Stored in the same transaction, if the caller gave an idempotency key.
    pub idempotent: Option<Idempotent>,
}

/// What came of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEffect {
    /// Durable, at this place.
    Stored {
        /// Strictly increasing, in the order of acknowledgement.
        seq: u64,
    },
    /// More would be pending than allowed; nothing was stored.
    Full {
        /// What is pending now, in bytes.
        pending_bytes: u64,
    },
    /// The same request was done before; this was its answer.
    Replayed(StoredAnswer),
    /// The idempotency key was used for another request; nothing was stored.
    Mismatch,
}

/// One stored push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxItem {
    /// Its place.
    pub seq: u64,
    /// The fields that make the key; empty where the push did not state them.
    pub key_fields: Vec<String>,
    /// What has been masked in them.
    pub masking: Masking,
    /// The records.
    pub lines: Vec<u8>,
}

/// The inbox of a collection's connectors.
#[async_trait]
pub trait Inbox {
    /// Stores a push. [`Fenced`](crate::StoreErrorKind::Fenced) if the connector was closed.
    async fn push(&self, push: Push) -> StoreResult<PushEffect>;

    /// The streams that have pushes waiting, in order of name.
    async fn inbox_streams(&self, connector_id: ConnectorId) -> StoreResult<Vec<StreamName>>;

    /// Pushes to a stream behind `after`, in order, of about `max_bytes` together but at least one if there is one.
    async fn inbox_after(
        &self,
        connector_id: ConnectorId,
        stream: &StreamName,
        after: u64,
        max_bytes: usize,
    ) -> StoreResult<Vec<InboxItem>>;
}
