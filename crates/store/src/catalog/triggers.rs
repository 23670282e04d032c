//! Triggers from outside: connectors that sync when a signed message comes.

use async_trait::async_trait;
use inlet_model::{ConnectorId, Timestamp};

use super::{Connector, Effect, Idempotent, WebhookSecret, WebhookSecrets};
use crate::StoreResult;

/// A connector that is triggered by signed messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// The connector.
    pub connector: Connector,
    /// What messages may be signed with.
    pub secrets: WebhookSecrets,
}

/// The triggers of the catalog: at most one of each connector. A connector that is deleted takes its own along.
#[async_trait]
pub trait Triggers {
    /// The trigger of the connector, if it is there and has one.
    async fn trigger_get(&self, connector_id: ConnectorId) -> StoreResult<Option<Trigger>>;
    /// Gives the connector a trigger, or its trigger a new secret: the one before counts until `old_ends_at`, and one before that
    /// ends. The conflict is that the very connector is not there.
    async fn trigger_set(
        &self,
        connector: &Connector,
        secret: WebhookSecret,
        old_ends_at: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<()>>;
    /// Takes the connector's trigger away; whether it had one.
    async fn trigger_delete(&self, connector: &Connector) -> StoreResult<bool>;
}
