//! The sealed secrets of the whole catalog, for whoever changes the key they are sealed under.

use async_trait::async_trait;
use inlet_model::mask::MaskingKey;
use inlet_model::secret::{Sealed, SecretOwner, Secrets, Unreadable, UnreadableSecret, Vault};
use inlet_model::{ConnectorId, Entropy, SyncId, WebhookId};
use serde_json::Value;

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
    /// A connector, to be triggered by.
    Trigger(ConnectorId),
    /// The server itself: its masking key.
    Server,
}

/// The place of the masking key among the server's secrets.
pub(crate) const MASKING_KEY: &str = "/masking_key";

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
    /// Those who have secrets, connectors before syncs before webhooks before triggers and each by id, the server last: at most `limit` of them
    /// behind `after`.
    async fn secret_list(&self, after: Option<SecretHolder>, limit: usize) -> StoreResult<Vec<HeldSecrets>>;
    /// Gives each holder that still has the secrets of the first part those of the second. Nothing else about it changes,
    /// its version included. Says how many were given theirs.
    async fn secret_replace(&self, changes: Vec<(HeldSecrets, Secrets)>) -> StoreResult<usize>;
    /// The server's masking key, sealed; `None` until one is kept.
    async fn masking_key(&self) -> StoreResult<Option<Sealed>>;
    /// Keeps `proposed` as the server's masking key unless there is one, and gives the one that is kept now.
    async fn masking_key_keep(&self, proposed: Sealed) -> StoreResult<Sealed>;
}

/// What the server hashes masked values under; drawn when it is first asked for. It does not change with the keys of the
/// vault: they only seal it.
pub async fn masking_key(
    catalog: &dyn Catalog,
    vault: &Vault,
    entropy: &dyn Entropy,
) -> StoreResult<Result<MaskingKey, UnreadableSecret>> {
    let sealed = match catalog.masking_key().await? {
        Some(sealed) => sealed,
        None => {
            let drawn: [u8; 32] = entropy.bytes();
            let text: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
            let proposed = vault.seal(entropy, SecretOwner::Server, MASKING_KEY, &Value::String(text));
            catalog.masking_key_keep(proposed).await?
        }
    };
    let opened = vault.open(SecretOwner::Server, MASKING_KEY, &sealed).and_then(|text| opened_key(&text));
    Ok(opened.map_err(|reason| UnreadableSecret { pointer: MASKING_KEY.to_owned(), reason }))
}

fn opened_key(text: &Value) -> Result<MaskingKey, Unreadable> {
    let digits = text.as_str().unwrap_or_default().as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = digits.as_chunks::<2>().0.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    let bytes: Option<Vec<u8>> = bytes.collect();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.map(MaskingKey::new).ok_or(Unreadable::Damaged)
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
