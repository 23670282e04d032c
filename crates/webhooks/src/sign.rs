//! Signing, and verifying what others have signed: HMAC-SHA256 over `id.timestamp.body`, as the Standard Webhooks specification has it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inlet_model::{DeliveryId, Entropy, Timestamp};
use ring::hmac;

/// How a secret begins.
const PREFIX: &str = "whsec_";
/// Bytes of a secret that is drawn here.
const DRAWN: usize = 32;
/// Bytes that the specification allows a secret to have.
const ALLOWED: std::ops::RangeInclusive<usize> = 24..=64;

/// A message whose timestamp is further away is not taken.
const TOLERANCE_SECONDS: u64 = 5 * 60;
/// So many signatures of a message are looked at.
const SIGNATURES: usize = 8;

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

/// Whether one of the secrets has signed this, and not longer than five minutes from `now`, before or after. `id`, `timestamp` and
/// `signatures` are the headers as they came. How long it takes depends on the number of secrets and of signatures, and on how
/// long the body is, and on nothing else.
#[must_use]
pub fn is_signed(
    secrets: &[SigningSecret],
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> bool {
    let seconds: i64 = timestamp.parse().unwrap_or(0);
    let away = (now.as_micros() / 1_000_000).abs_diff(seconds);
    // As it came: what was signed may have been written in another way.
    let content = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let matches = secrets.iter().map(|secret| has_signed(secret, &content, signatures));
    // Every secret has its turn, whichever matches.
    matches.fold(false, |any, one| any | one) & (away <= TOLERANCE_SECONDS)
}

/// Whether one of the signatures is the secret's. Of other versions none is; of very many, only the first are looked at.
fn has_signed(secret: &SigningSecret, content: &[u8], signatures: &str) -> bool {
    let tag = hmac::sign(&secret.key, content);
    let of_version = signatures.split(' ').take(SIGNATURES).filter_map(|each| each.strip_prefix("v1,"));
    let candidates = of_version.filter_map(|text| STANDARD.decode(text).ok());
    // The tags of two texts are compared in constant time, and are equal only if the texts are.
    let is_same = |candidate: Vec<u8>| {
        let of_candidate = hmac::sign(&secret.key, &candidate);
        hmac::verify(&secret.key, tag.as_ref(), of_candidate.as_ref()).is_ok()
    };
    candidates.map(is_same).fold(false, |any, one| any | one)
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

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn published() -> SigningSecret {
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn verified(signatures: &str, now: i64) -> bool {
        is_signed(&[published()], ID, "1614265330", signatures, BODY, at(now))
    }

    #[test]
    fn the_published_vector_is_verified() {
        assert!(verified(SIGNATURE, 1_614_265_330));
        let other = SigningSecret::generate(&SeededEntropy::new(1));
        let both = [other.clone(), published()];
        assert!(is_signed(&both, ID, "1614265330", SIGNATURE, BODY, at(1_614_265_330)));
        assert!(!is_signed(&[other], ID, "1614265330", SIGNATURE, BODY, at(1_614_265_330)));
        assert!(!is_signed(&[], ID, "1614265330", SIGNATURE, BODY, at(1_614_265_330)));
    }

    #[test]
    fn one_good_signature_among_several_is_enough() {
        for signatures in [
            format!("v1,AAAA {SIGNATURE}"),
            format!(
                "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== {SIGNATURE}"
            ),
            format!("{SIGNATURE} v1,not base64"),
        ] {
            assert!(verified(&signatures, 1_614_265_330), "{signatures}");
        }
        for signatures in ["", "v1,", "v1", &SIGNATURE["v1,".len()..], &SIGNATURE.replace("v1", "v2")] {
            assert!(!verified(signatures, 1_614_265_330), "{signatures}");
        }
        let too_many = format!("{}{SIGNATURE}", "v1,AAAA ".repeat(SIGNATURES));
        assert!(!verified(&too_many, 1_614_265_330));
    }

    #[test]
    fn a_message_is_good_for_five_minutes_on_either_side() {
        for (now, is_good) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
            assert_eq!(verified(SIGNATURE, 1_614_265_330 + now), is_good, "{now}");
        }
    }

    #[test]
    fn nothing_that_was_signed_can_be_changed() {
        let now = at(1_614_265_330);
        let is_good = |id: &str, timestamp: &str, body: &[u8]| {
            is_signed(&[published()], id, timestamp, SIGNATURE, body, now)
        };
        assert!(is_good(ID, "1614265330", BODY));
        assert!(!is_good("msg_other", "1614265330", BODY));
        assert!(!is_good(ID, "1614265331", BODY));
        assert!(!is_good(ID, "1614265330", b"{}"));
        for timestamp in ["", "now", "1614265330.0", "9999999999999999999999"] {
            assert!(!is_good(ID, timestamp, BODY), "{timestamp}");
        }
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
