//! The sealed secrets of the whole catalog, for whoever changes the key they are sealed under.

use async_trait::async_trait;
use inlet_model::secret::{SecretOwner, Secrets, UnreadableSecret, Vault};
use inlet_model::{ConnectorId, Entropy, SyncId, WebhookId};

use super::Catalog;
use crate::{StoreResult, fault};

/// Who has secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretHolder {
    /// A connector, in its config.
    Connector(ConnectorId),
    /// A begun sync, in the settings that it keeps.
    Sync(SyncId),
    /// A webhook, to sign with.
    Webhook(WebhookId),
}

/// Secrets, and whose they are.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldSecrets {
    /// Who has them.
    pub holder: SecretHolder,
    /// Whom they were sealed for.
    pub owner: SecretOwner,
    /// The secrets.
    pub secrets: Secrets,
}

/// The sealed secrets of the catalog.
#[async_trait]
pub trait SealedSecrets {
    /// Those who have secrets, connectors before syncs before webhooks and each by id, at most `limit` of them behind `after`.
    async fn secret_list(&self, after: Option<SecretHolder>, limit: usize) -> StoreResult<Vec<HeldSecrets>>;
    /// Gives each holder that still has the secrets of the first part those of the second. Nothing else about it changes,
    /// its version included. Says how many were given theirs.
    async fn secret_replace(&self, changes: Vec<(HeldSecrets, Secrets)>) -> StoreResult<usize>;
}

/// Holders that one transaction renews the secrets of.
const AT_ONCE: usize = 100;

/// What came of a renewal.
#[derive(Debug, Default)]
pub struct Renewal {
    /// How many holders had their secrets renewed.
    pub renewed: usize,
    /// How many holders' secrets are under the vault's present key now.
    pub current: usize,
    /// Those that cannot be read, one secret each; they stay as they are.
    pub unreadable: Vec<(SecretOwner, UnreadableSecret)>,
}

/// Seals every secret under the present key of the vault, in bounded transactions. It may be broken off and begun again: what
/// is sealed under either key is good as long as the vault has both. When it returns, only what it calls unreadable is left
/// under another key.
pub async fn renew_secrets(
    catalog: &dyn Catalog,
    vault: &Vault,
    entropy: &dyn Entropy,
) -> StoreResult<Renewal> {
    let mut renewed = 0;
    loop {
        let mut pass = Renewal::default();
        let mut after = None;
        loop {
            let page = catalog.secret_list(after, AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.holder);
            let mut changes = Vec::new();
            for held in page {
                match vault.renewed(entropy, held.owner, &held.secrets) {
                    Ok(None) => pass.current += 1,
                    Ok(Some(secrets)) => changes.push((held, secrets)),
                    Err(error) => pass.unreadable.push((held.owner, error)),
                }
            }
            if !changes.is_empty() {
                pass.renewed += changes.len();
                renewed += catalog.secret_replace(changes).await?;
                fault::point("secrets.renewed");
            }
        }
        // What somebody changed in between is looked at once more.
        if pass.renewed == 0 {
            return Ok(Renewal { renewed, ..pass });
        }
    }
}
