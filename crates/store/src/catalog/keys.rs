//! API keys. Only a hash of each secret is stored.
//!
//! A key lives longer than its secrets: one that is rotated gets a new secret and keeps its id, role and name, while the
//! secret before it may go on for a while.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use inlet_model::{KeyId, SpaceId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, Effect, Idempotent, Page, PageQuery};
use crate::StoreResult;

/// The most secrets of one key that are valid at the same time.
pub const KEY_SECRETS_MAX: u32 = 10;

/// The hash of an API key's secret. A secret has 256 random bits, so that a fast hash is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

/// What a key may do. Each role may do all that a lesser one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look at everything but keys and the audit log.
    Read,
    /// Change data and settings, and run syncs.
    Write,
    /// Everything: also keys, and the audit log.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// An API key, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// Its name, for people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The one space it is for; `None`: all of them.
    pub space_id: Option<SpaceId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it; `None`: the server, at its first start.
    pub created_by: Option<Actor>,
    /// From then on it is refused; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to a minute or so.
    pub last_used_at: Option<Timestamp>,
}

/// A key that was found by the hash of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMatch {
    /// The key.
    pub key: ApiKey,
    /// From then on this secret is refused, because the key was rotated; `None` for the newest secret.
    pub secret_ends_at: Option<Timestamp>,
}

/// What may change of a key. What is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyChange {
    /// Another name.
    pub name: Option<String>,
    /// Another end, or with `Some(None)` none any more.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Why a key was not rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotateConflict {
    /// It is not there.
    Absent,
    /// It would have more than [`KEY_SECRETS_MAX`] secrets that are still valid.
    TooManySecrets,
}

/// The API keys of the catalog.
///
/// Deleting a space deletes the keys that are bound to it, so that a space made again under its id is not open to them.
#[async_trait]
pub trait Keys {
    /// The key that has a secret with that hash, whether or not either has expired.
    async fn key_by_hash(&self, hash: KeyHash) -> StoreResult<Option<KeyMatch>>;
    /// A number that is another one after this process has changed what [`key_by_hash`](Self::key_by_hash) finds. As long as it stays,
    /// only another process can have changed that.
    fn key_epoch(&self) -> u64;
    /// A page of the keys: all, or those bound to a space.
    async fn key_list(&self, space_id: Option<&SpaceId>, query: PageQuery) -> StoreResult<Page<ApiKey>>;
    /// The key of that id.
    async fn key_get(&self, id: KeyId) -> StoreResult<Option<ApiKey>>;
    /// Stores a key if there is none at all yet; whether it did. Two first starts make one key.
    async fn key_create_first(&self, key: ApiKey, hash: KeyHash) -> StoreResult<bool>;
    /// Makes a key with one secret; the conflict is that the space it is bound to is not there.
    async fn key_create(
        &self,
        key: ApiKey,
        hash: KeyHash,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<()>>;
    /// Changes a key; how it stands now, or `None` if it is not there.
    async fn key_update(&self, id: KeyId, change: KeyChange) -> StoreResult<Option<ApiKey>>;
    /// Gives a key a new secret. Each earlier one ends at `old_end_at`, unless it ends before; those that have ended at `now`
    /// are forgotten, so that with `old_end_at <= now` only the new one is left.
    async fn key_rotate(
        &self,
        id: KeyId,
        hash: KeyHash,
        old_end_at: Timestamp,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<RotateConflict>>;
    /// Deletes a key with its secrets; whether it was there.
    async fn key_delete(&self, id: KeyId) -> StoreResult<bool>;
    /// Notes when keys were used, unless a later use is known. A key that is not there is passed over.
    async fn key_used(&self, uses: &[(KeyId, Timestamp)]) -> StoreResult<()>;
}
