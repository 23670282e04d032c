//! The paths of the API, written out.

pub(crate) const KEYS: &str = "/v1/keys";
pub(crate) const KEY: &str = "/v1/keys/{key_id}";
pub(crate) const KEY_ROTATE: &str = "/v1/keys/{key_id}/rotate";
pub(crate) const AUDIT: &str = "/v1/audit";
pub(crate) const NODES: &str = "/v1/nodes";
pub(crate) const SPACES: &str = "/v1/spaces";
pub(crate) const SPACE: &str = "/v1/spaces/{space_id}";
pub(crate) const WEBHOOKS: &str = "/v1/spaces/{space_id}/webhooks";
pub(crate) const WEBHOOK: &str = "/v1/spaces/{space_id}/webhooks/{webhook_id}";
pub(crate) const WEBHOOK_TEST: &str = "/v1/spaces/{space_id}/webhooks/{webhook_id}/test";
pub(crate) const WEBHOOK_ROTATE: &str = "/v1/spaces/{space_id}/webhooks/{webhook_id}/rotate-secret";
pub(crate) const DELIVERIES: &str = "/v1/spaces/{space_id}/webhooks/{webhook_id}/deliveries";
pub(crate) const DELIVERY_RETRY: &str =
    "/v1/spaces/{space_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/retry";
pub(crate) const COLLECTIONS: &str = "/v1/spaces/{space_id}/collections";
pub(crate) const COLLECTION: &str = "/v1/spaces/{space_id}/collections/{collection_id}";
pub(crate) const RECORDS: &str = "/v1/spaces/{space_id}/collections/{collection_id}/records";
pub(crate) const RECORD: &str = "/v1/spaces/{space_id}/collections/{collection_id}/records/{stream}/{key}";
pub(crate) const CHANGES: &str = "/v1/spaces/{space_id}/collections/{collection_id}/changes";
pub(crate) const CONNECTORS: &str = "/v1/spaces/{space_id}/collections/{collection_id}/connectors";
pub(crate) const CONNECTOR: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}";
pub(crate) const CONNECTOR_RECORDS: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/records";
pub(crate) const STATE: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/state";
pub(crate) const CHECK: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/check";
pub(crate) const TRIGGER_SECRET: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/trigger-secret";
pub(crate) const HOOK: &str = "/v1/hooks/{connector_id}";
pub(crate) const STREAMS: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/streams";
pub(crate) const SCHEMAS: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/schemas";
pub(crate) const SYNCS: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync";
pub(crate) const SYNCS_CANCEL: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/cancel";
pub(crate) const SYNC: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}";
pub(crate) const SYNC_CANCEL: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/cancel";
pub(crate) const SYNC_DELETES: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/deletes";
pub(crate) const SYNC_APPROVE: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/approve";
pub(crate) const SYNC_DISCARD: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/discard";
pub(crate) const SYNC_REVERT: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/revert";
pub(crate) const SYNC_EVENTS: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/events";
pub(crate) const SYNC_LOGS: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/logs";
pub(crate) const SYNC_REJECTED: &str =
    "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/rejected";
pub(crate) const SYNC_REPLAY: &str = "/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/{sync_id}/rejected/replay";
pub(crate) const CONNECTOR_TYPES: &str = "/v1/connector-types";
pub(crate) const CONNECTOR_TYPE: &str = "/v1/connector-types/{type}";
