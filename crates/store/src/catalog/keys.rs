//! API keys. Only a hash of each is stored.

use async_trait::async_trait;
use inlet_model::{KeyId, Timestamp};

use crate::StoreResult;

/// The hash of an API key. The key has 256 random bits, so that a fast hash is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// Its name, for people.
    pub name: String,
    /// The hash of the secret.
    pub hash: KeyHash,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The API keys of the catalog.
#[async_trait]
pub trait Keys {
    /// The key with that hash.
    async fn key_by_hash(&self, hash: KeyHash) -> StoreResult<Option<ApiKey>>;
    /// Stores a key if there is none at all yet; whether it did. Two first starts make one key.
    async fn key_create_first(&self, key: ApiKey) -> StoreResult<bool>;
}
