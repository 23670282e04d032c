//! The catalog: what exists, and what is wanted. What a backend must do.
//!
//! Each method is one transaction: durable when it returns `Ok`, without trace when it returns `Err`. Lists are in keyset
//! order, newest first unless asked otherwise, so that nothing is skipped or repeated when things are added between pages.

mod approvals;
mod audit;
mod collections;
mod connectors;
mod deliveries;
mod idempotency;
mod keys;
mod nodes;
mod page;
mod payload;
mod purges;
mod reverts;
mod schedules;
pub(crate) mod secrets;
mod spaces;
mod syncs;
mod tasks;
mod triggers;
mod webhooks;

pub use approvals::{Approvals, Discard};
pub use audit::{
    AUDIT_KEPT, AUDIT_MAX, Action, Actor, Audit, AuditEntry, AuditQuery, Cause, Target, UnknownAction,
};
pub use collections::{Collection, Collections};
pub use connectors::{
    Connector, ConnectorDeleteEffect, ConnectorStatus, Connectors, DeletedConnector, ExpectedVersion, Notice,
    Remains, UpdateEffect,
};
pub use deliveries::{
    ClaimedDelivery, DELIVERIES_KEPT, DELIVERIES_WAITING_MAX, Deliveries, Delivery, DeliveryAnswer,
    DeliveryClaim, DeliveryError, DeliveryNote, DeliveryProgress, DeliveryState, GiveUpReason, Reply,
    RetryConflict, UnknownName, Verdict,
};
pub use idempotency::{Effect, Idempotent, StoredAnswer};
pub use keys::{
    ApiKey, KEY_SECRETS_MAX, KeyChange, KeyHash, KeyMatch, Keys, Role, RotateConflict, UnknownRole,
};
pub use nodes::{KnownNode, NODE_SYNCS_MAX, NODES_KEPT, Node, NodeStatus, NodeSync, Nodes};
pub use page::{ConnectorFilter, Created, NameFilter, Order, Page, PageCursor, PageQuery, SyncFilter};
pub use payload::payload;
pub use purges::{Purge, PurgeEffect, PurgeId, Purges};
pub use reverts::{RevertConflict, Reverts};
pub use schedules::Schedules;
pub use secrets::{HeldSecrets, Renewal, SealedSecrets, SecretHolder, masking_key, renew_secrets};
pub use spaces::{DeleteEffect, Space, Spaces};
pub use syncs::{
    CancelEffect, Claim, ClaimKind, Lease, OnConflict, Sync, SyncLimits, SyncTally, Syncs, Wait,
};
pub use tasks::{Task, TaskId, TaskKind, Tasks};
pub use triggers::{Trigger, Triggers};
pub use webhooks::{
    UnknownEvent, WEBHOOKS_MAX, Webhook, WebhookChange, WebhookConflict, WebhookEvent, WebhookSecret,
    WebhookSecrets, WebhookStatus, WebhookUpdate, Webhooks,
};

/// The whole catalog.
pub trait Catalog:
    Spaces
    + Collections
    + Connectors
    + SealedSecrets
    + Syncs
    + Nodes
    + Keys
    + Webhooks
    + Deliveries
    + Audit
    + Approvals
    + Reverts
    + Triggers
    + Tasks
    + Purges
    + Schedules
    + Send
    + std::marker::Sync
    + std::fmt::Debug
{
    /// A secret drawn when the catalog was made, by which request fingerprints are keyed and cursors signed.
    fn secret(&self) -> &[u8; 32];

    /// A number that grows with every change of the catalog, before the change is answered; so what was read while it stood
    /// still is still true. `None` where others may change the catalog unseen.
    fn revision(&self) -> Option<u64>;

    /// Gives up the space that the backend keeps back so that the end of a sync can be written down on a full device. It
    /// is kept back again at the next start.
    fn release_reserve(&self);
}
