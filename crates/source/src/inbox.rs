//! Records that were pushed to a connector and wait for a sync.

use async_trait::async_trait;
use inlet_model::StreamName;
use inlet_model::mask::Masking;

/// One push, as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEntry {
    /// Its place: strictly increasing, in the order in which pushes were acknowledged.
    pub seq: u64,
    /// The fields that make the key, as the push stated them; empty where it did not.
    pub key_fields: Vec<String>,
    /// What has been masked in it.
    pub masked: Masking,
    /// What was pushed: canonical JSON lines, one `{"op": "upsert" | "delete", "key"?: …, "data"?: {…}}` each.
    pub lines: Vec<u8>,
}

/// The inbox could not be read; the cause says why.
#[derive(Debug, thiserror::Error)]
#[error("the inbox could not be read")]
pub struct InboxError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The pushes that wait for one connector, oldest first. What a sync has committed is removed in the commit itself.
#[async_trait]
pub trait Inbox: Send + Sync + std::fmt::Debug {
    /// Pushes to `stream` with a `seq` greater than `after`, in order, of at most about `max_bytes` together but at
    /// least one if any is there.
    async fn after(
        &self,
        stream: &StreamName,
        after: u64,
        max_bytes: usize,
    ) -> Result<Vec<InboxEntry>, InboxError>;
}
