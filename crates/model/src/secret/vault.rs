//! Seals secrets and opens them: XChaCha20-Poly1305 under a ring of keys.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{PlainConfig, SealedConfig, Secrets};
use crate::{ConnectorId, Entropy, WebhookId};

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;
/// The way of sealing, should there ever be another.
const VERSION: &str = "x1";
/// Plain texts are filled up to a multiple of this, so that what is sealed does not tell how long a password is.
const PADDING: usize = 64;

/// Names a key without telling it: the start of a hash of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultKeyId([u8; 4]);

impl fmt::Display for VaultKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for VaultKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that seals secrets: 256 bits, written as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultKey([u8; KEY_LEN]);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an encryption key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them")]
pub struct VaultKeyError;

impl VaultKey {
    /// A new key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// Reads keys that stand in lines or with commas between them, the one in use first: at least one. A line that begins with
    /// `#` is a comment.
    pub fn parse_ring(text: &str) -> Result<Vec<Self>, VaultKeyError> {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words = lines.flat_map(|line| line.split(|letter: char| letter == ',' || letter.is_whitespace()));
        let keys: Vec<Self> =
            words.filter(|word| !word.is_empty()).map(str::parse).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(VaultKeyError) } else { Ok(keys) }
    }

    /// The key's name.
    #[must_use]
    pub fn id(&self) -> VaultKeyId {
        let hash = blake3::derive_key("inlet 2026 id of an encryption key", &self.0);
        VaultKeyId([hash[0], hash[1], hash[2], hash[3]])
    }

    /// The key as it is written down. A secret.
    #[must_use]
    pub fn to_text(&self) -> String {
        hex(&self.0)
    }
}

impl FromStr for VaultKey {
    type Err = VaultKeyError;

    fn from_str(text: &str) -> Result<Self, VaultKeyError> {
        unhex(text).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(VaultKeyError)
    }
}

/// Only the key's name.
impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultKey({})", self.id())
    }
}

/// Whose a secret is: it opens as nobody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretOwner {
    /// A connector's.
    Connector(ConnectorId),
    /// A webhook's.
    Webhook(WebhookId),
    /// The server's own.
    Server,
}

impl From<ConnectorId> for SecretOwner {
    fn from(id: ConnectorId) -> Self {
        Self::Connector(id)
    }
}

impl From<WebhookId> for SecretOwner {
    fn from(id: WebhookId) -> Self {
        Self::Webhook(id)
    }
}

/// The id, which also tells what kind of thing it is; the server has none.
impl fmt::Display for SecretOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connector(id) => id.fmt(f),
            Self::Webhook(id) => id.fmt(f),
            Self::Server => f.write_str("server"),
        }
    }
}

/// A secret that only the holder of its key can read. As text `x1.<key>.<nonce and cipher text>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    key: VaultKeyId,
    bytes: Vec<u8>,
}

impl Sealed {
    /// The key that opens it.
    #[must_use]
    pub fn key(&self) -> VaultKeyId {
        self.key
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}.{}.{}", self.key, hex(&self.bytes))
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.key)
    }
}

/// A text that is no sealed secret of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sealed secret")]
pub struct SealedError;

impl FromStr for Sealed {
    type Err = SealedError;

    fn from_str(text: &str) -> Result<Self, SealedError> {
        let rest = text.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('.')).ok_or(SealedError)?;
        let (key, bytes) = rest.split_once('.').ok_or(SealedError)?;
        let key = unhex(key).and_then(|key| key.try_into().ok()).ok_or(SealedError)?;
        Ok(Self { key: VaultKeyId(key), bytes: unhex(bytes).ok_or(SealedError)? })
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a secret cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It was sealed under a key that is not here.
    #[error("its encryption key {0} is not here")]
    NoKey(VaultKeyId),
    /// It was changed, or moved to another field or owner.
    #[error("it is damaged")]
    Damaged,
}

/// A secret of a config that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret `{pointer}` cannot be read")]
pub struct UnreadableSecret {
    /// Where it stands in the config.
    pub pointer: String,
    /// Why.
    #[source]
    pub reason: Unreadable,
}

/// A ring of keys: one that seals, and all that open. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault {
    ring: Arc<[VaultKey]>,
}

impl Vault {
    /// A vault that seals with `current`, and opens with the `others` too.
    #[must_use]
    pub fn new(current: VaultKey, others: impl IntoIterator<Item = VaultKey>) -> Self {
        Self { ring: std::iter::once(current).chain(others).collect() }
    }

    /// The key that seals.
    #[must_use]
    pub fn current(&self) -> &VaultKey {
        &self.ring[0]
    }

    /// Whether the key is in the ring.
    #[must_use]
    pub fn has(&self, key: VaultKeyId) -> bool {
        self.ring.iter().any(|known| known.id() == key)
    }

    /// 32 bytes that only the holder of the key in use can derive; others for each `context`.
    #[must_use]
    pub fn derive(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, &self.current().0)
    }

    /// Seals the value of a field. It can be opened only as that field of that owner.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        owner: impl Into<SecretOwner>,
        pointer: &str,
        value: &Value,
    ) -> Sealed {
        let mut plain = value.to_string();
        let padded = plain.len().next_multiple_of(PADDING);
        plain.extend(std::iter::repeat_n(' ', padded - plain.len()));
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        let place = place(owner.into(), pointer);
        let payload = Payload { msg: plain.as_bytes(), aad: &place };
        let cipher = XChaCha20Poly1305::new(&self.current().0.into());
        let text = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a config is shorter than the 256 GiB that one nonce can seal");
        Sealed { key: self.current().id(), bytes: [&nonce[..], &text].concat() }
    }

    /// Opens what was sealed as this field of this owner.
    pub fn open(
        &self,
        owner: impl Into<SecretOwner>,
        pointer: &str,
        sealed: &Sealed,
    ) -> Result<Value, Unreadable> {
        let place = place(owner.into(), pointer);
        let (nonce, text) = sealed.bytes.split_first_chunk::<NONCE_LEN>().ok_or(Unreadable::Damaged)?;
        let mut keys = self.ring.iter().filter(|key| key.id() == sealed.key).peekable();
        if keys.peek().is_none() {
            return Err(Unreadable::NoKey(sealed.key));
        }
        // Two keys may share a name by chance, as it is short.
        let opened = keys.find_map(|key| {
            let payload = Payload { msg: text, aad: &place };
            XChaCha20Poly1305::new(&key.0.into()).decrypt(&XNonce::from(*nonce), payload).ok()
        });
        let plain = opened.ok_or(Unreadable::Damaged)?;
        serde_json::from_slice(&plain).map_err(|_| Unreadable::Damaged)
    }

    /// Seals the secrets of a config. One that `before` has with the same value stays sealed as it is, so that equal
    /// configs are equal when they are sealed too.
    #[must_use]
    pub fn seal_config(
        &self,
        entropy: &dyn Entropy,
        owner: ConnectorId,
        config: &PlainConfig,
        before: Option<&SealedConfig>,
    ) -> SealedConfig {
        let mut secrets = Secrets::new();
        for pointer in config.secrets() {
            let Some(value) = config.value().pointer(pointer) else { continue };
            let kept = before.and_then(|before| before.secrets().get(pointer));
            let kept = kept.filter(|kept| self.open(owner, pointer, kept).as_ref() == Ok(value));
            let sealed = kept.cloned().unwrap_or_else(|| self.seal(entropy, owner, pointer, value));
            secrets.insert(pointer.clone(), sealed);
        }
        SealedConfig::new(config.value().clone(), secrets)
    }

    /// Opens a config.
    pub fn open_config(
        &self,
        owner: ConnectorId,
        config: &SealedConfig,
    ) -> Result<PlainConfig, UnreadableSecret> {
        let mut plain = PlainConfig::new(config.open().clone(), Vec::new());
        for (pointer, sealed) in config.secrets() {
            let value = self
                .open(owner, pointer, sealed)
                .map_err(|reason| UnreadableSecret { pointer: pointer.clone(), reason })?;
            plain.put(pointer.clone(), value);
        }
        Ok(plain)
    }

    /// The secrets, each sealed under the key in use; `None` if all were.
    pub fn renewed(
        &self,
        entropy: &dyn Entropy,
        owner: impl Into<SecretOwner>,
        secrets: &Secrets,
    ) -> Result<Option<Secrets>, UnreadableSecret> {
        let (owner, current) = (owner.into(), self.current().id());
        if secrets.values().all(|sealed| sealed.key == current) {
            return Ok(None);
        }
        let renew = |(pointer, sealed): (&String, &Sealed)| {
            let value = self
                .open(owner, pointer, sealed)
                .map_err(|reason| UnreadableSecret { pointer: pointer.clone(), reason })?;
            Ok((pointer.clone(), self.seal(entropy, owner, pointer, &value)))
        };
        secrets.iter().map(renew).collect::<Result<_, _>>().map(Some)
    }
}

/// What a sealed secret is bound to: neither part runs into the other, as no owner has a space in its name.
fn place(owner: SecretOwner, pointer: &str) -> Vec<u8> {
    format!("{VERSION} {owner} {pointer}").into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests;
