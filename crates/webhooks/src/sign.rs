//! Signing: HMAC-SHA256 over `id.timestamp.body`, as the Standard Webhooks specification has it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inlet_model::{DeliveryId, Entropy};
use ring::hmac;

/// How a secret begins.
const PREFIX: &str = "whsec_";
/// Bytes of a secret that is drawn here.
const DRAWN: usize = 32;
/// Bytes that the specification allows a secret to have.
const ALLOWED: std::ops::RangeInclusive<usize> = 24..=64;

/// What a webhook's deliveries are signed with. No `Debug` shows it.
#[derive(Clone)]
pub struct SigningSecret {
    text: String,
    key: hmac::Key,
}

/// A text that is no signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is `whsec_` and base64")]
pub struct NoSecret;

impl SigningSecret {
    /// A new secret: 256 random bits.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let bytes = entropy.bytes::<DRAWN>();
        Self { text: format!("{PREFIX}{}", STANDARD.encode(bytes)), key: key(&bytes) }
    }

    /// The secret as its holders write it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for SigningSecret {
    type Err = NoSecret;

    fn from_str(text: &str) -> Result<Self, NoSecret> {
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
        let bytes = bytes.filter(|bytes| ALLOWED.contains(&bytes.len())).ok_or(NoSecret)?;
        Ok(Self { text: text.to_owned(), key: key(&bytes) })
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

fn key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

/// The header `webhook-signature`: a signature of each secret, the first one's first. `timestamp` is in seconds since 1970.
#[must_use]
pub fn signature(secrets: &[SigningSecret], id: DeliveryId, timestamp: i64, body: &[u8]) -> String {
    let content = content(&id.to_string(), timestamp, body);
    secrets.iter().map(|secret| signed(secret, &content)).collect::<Vec<_>>().join(" ")
}

fn content(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{timestamp}.").as_bytes(), body].concat()
}

fn signed(secret: &SigningSecret, content: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(hmac::sign(&secret.key, content)))
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;

    use super::*;

    /// The vector that the specification's libraries are tested with.
    #[test]
    fn the_published_vector_is_signed_as_published() {
        let secret: SigningSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let body = br#"{"test": 2432232314}"#;
        let content = content("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed(&secret, &content), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_drawn_secret_is_read_as_it_is_written() {
        let secret = SigningSecret::generate(&SeededEntropy::new(1));
        assert_eq!(secret.text().len(), "whsec_".len() + 44);
        let again: SigningSecret = secret.text().parse().unwrap();
        let id = DeliveryId::from_u128(7);
        let both = signature(&[secret, again], id, 1, b"{}");
        let (one, other) = both.split_once(' ').unwrap();
        assert_eq!(one, other);
        assert!(one.starts_with("v1,"));
        for bad in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_ü"] {
            assert!(bad.parse::<SigningSecret>().is_err(), "{bad}");
        }
    }
}
