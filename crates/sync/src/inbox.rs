//! The inbox of a connector, as its source reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::mask::{Masking, MaskingKey};
use inlet_model::{ConnectorId, StreamName};
use inlet_source::{Inbox, InboxEntry, InboxError, mask_pushed};
use inlet_store::CollectionStore;
use inlet_store::collection::InboxItem;

/// The pushes of one connector, as its source sees them.
#[derive(Debug)]
pub(crate) struct StoreInbox {
    pub(crate) store: Arc<dyn CollectionStore>,
    pub(crate) connector_id: ConnectorId,
    /// What is to be masked in pushes to each stream that masks anything, and the fields of its key. They were masked when
    /// they came, but perhaps by other settings.
    pub(crate) masking: BTreeMap<StreamName, (Masking, Vec<String>)>,
    /// What masked values are hashed under; there if anything is to be masked.
    pub(crate) masking_key: Option<MaskingKey>,
}

impl StoreInbox {
    /// Masks in a push what was not when it came.
    fn masked(&self, stream: &StreamName, item: InboxItem) -> Result<InboxItem, InboxError> {
        let (Some((wanted, key_fields)), Some(key)) = (self.masking.get(stream), &self.masking_key) else {
            return Ok(item);
        };
        let rest = wanted.beyond(&item.masking);
        if rest.is_empty() {
            return Ok(item);
        }
        let key_fields = if item.key_fields.is_empty() { key_fields } else { &item.key_fields };
        let lines = mask_pushed(&item.lines, &rest, key_fields, key.clone());
        let (lines, masking) = (lines.map_err(|error| InboxError(error.into()))?, item.masking.and(&rest));
        Ok(InboxItem { lines, masking, ..item })
    }
}

#[async_trait]
impl Inbox for StoreInbox {
    async fn after(
        &self,
        stream: &StreamName,
        after: u64,
        max_bytes: usize,
    ) -> Result<Vec<InboxEntry>, InboxError> {
        let items = self
            .store
            .inbox_after(self.connector_id, stream, after, max_bytes)
            .await
            .map_err(|error| InboxError(error.into()))?;
        let entry = |item| {
            let InboxItem { seq, key_fields, masking, lines } = self.masked(stream, item)?;
            Ok(InboxEntry { seq, key_fields, masked: masking, lines })
        };
        items.into_iter().map(entry).collect()
    }
}
