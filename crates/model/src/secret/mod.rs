//! Secrets of connectors and webhooks: sealed wherever they are kept, opened only where a source is built or a delivery signed.
//!
//! A config is kept as a [`SealedConfig`]: what anybody may see, and beside it each secret field, sealed on its own by a
//! [`Vault`]. What the vault opens is a [`PlainConfig`], which no `Debug` shows.

mod config;
mod vault;

pub use config::{MASK, PlainConfig, SealedConfig, Secrets};
pub use vault::{
    Sealed, SealedError, SecretOwner, Unreadable, UnreadableSecret, Vault, VaultKey, VaultKeyError,
    VaultKeyId,
};
