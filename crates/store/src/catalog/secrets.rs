//! The sealed secrets of the whole catalog, for whoever changes the key they are sealed under.

use async_trait::async_trait;
use inlet_model::secret::Secrets;
use inlet_model::{ConnectorId, SyncId};

use crate::StoreResult;

/// Who has secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretHolder {
    /// A connector, in its config.
    Connector(ConnectorId),
    /// A begun sync, in the settings that it keeps.
    Sync(SyncId),
}

/// Secrets, and whose they are.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldSecrets {
    /// Who has them.
    pub holder: SecretHolder,
    /// The connector that they were sealed for.
    pub connector_id: ConnectorId,
    /// The secrets.
    pub secrets: Secrets,
}

/// The sealed secrets of the catalog.
#[async_trait]
pub trait SealedSecrets {
    /// Those who have secrets, connectors before syncs and each by id, at most `limit` of them behind `after`.
    async fn secret_list(&self, after: Option<SecretHolder>, limit: usize) -> StoreResult<Vec<HeldSecrets>>;
    /// Gives each holder that still has the secrets of the first part those of the second. Nothing else about it changes,
    /// its version included. Says how many were given theirs.
    async fn secret_replace(&self, changes: Vec<(HeldSecrets, Secrets)>) -> StoreResult<usize>;
}
