//! Identifiers: type-prefixed and sortable by time, after the TypeID specification, or chosen by the caller.
//!
//! A TypeID is a prefix, `_`, and a UUIDv7 in 26 characters of lower-case Crockford base 32
//! (<https://github.com/jetify-com/typeid>, version 0.3).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Entropy, Timestamp};

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix names another kind of thing, or is missing.
    #[error("the id does not start with its prefix")]
    Prefix,
    /// Not 26 characters of the alphabet, or beyond 128 bits.
    #[error("the id's suffix is not 26 characters of base 32")]
    Suffix,
    /// A chosen id has other characters or another length than allowed.
    #[error(
        "an id has 1 to 63 characters: a lower-case letter or digit first, then also underscores and hyphens"
    )]
    Chosen,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LEN: usize = 26;

/// A UUIDv7 (RFC 9562 section 5.7) of the given time.
fn uuid_v7(now: Timestamp, entropy: &dyn Entropy) -> u128 {
    let millis = u128::try_from(now.as_millis()).unwrap_or(0) & 0xffff_ffff_ffff;
    let random = u128::from_be_bytes(entropy.bytes::<16>());
    let rand_a = (random >> 64) & 0x0fff;
    let rand_b = random & 0x3fff_ffff_ffff_ffff;
    (millis << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b
}

/// What stands in place of chance in an id that is derived.
#[derive(Debug)]
struct Derived<'a>(&'a [u128]);

impl Entropy for Derived<'_> {
    fn fill(&self, buffer: &mut [u8]) {
        let parts: Vec<u8> = self.0.iter().flat_map(|part| part.to_be_bytes()).collect();
        let bytes = xxhash_rust::xxh3::xxh3_128(&parts).to_be_bytes();
        buffer.iter_mut().zip(bytes.into_iter().cycle()).for_each(|(place, byte)| *place = byte);
    }
}

fn encode(prefix: &str, uuid: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0; SUFFIX_LEN];
    for (place, byte) in text.iter_mut().rev().enumerate() {
        let digit = (uuid >> (5 * place)) & 31;
        *byte = ALPHABET[usize::try_from(digit).expect("five bits fit")];
    }
    let suffix = std::str::from_utf8(&text).expect("the alphabet is ASCII");
    write!(f, "{prefix}_{suffix}")
}

fn decode(prefix: &str, text: &str) -> Result<u128, IdError> {
    let suffix = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(IdError::Prefix)?;
    // 26 digits of five bits are 130: the first may use only three of its own.
    if suffix.len() != SUFFIX_LEN || suffix.as_bytes()[0] > b'7' {
        return Err(IdError::Suffix);
    }
    let mut uuid = 0;
    for byte in suffix.bytes() {
        let digit = ALPHABET.iter().position(|&letter| letter == byte).ok_or(IdError::Suffix)?;
        uuid = (uuid << 5) | digit as u128;
    }
    Ok(uuid)
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, sortable by `now`.
            #[must_use]
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(uuid_v7(now, entropy))
            }

            /// The id that follows from `now` and these parts: the same from the same, and none that was drawn.
            #[must_use]
            pub fn derived(now: Timestamp, parts: &[u128]) -> Self {
                Self(uuid_v7(now, &Derived(parts)))
            }

            /// The id's 128 bits.
            #[must_use]
            pub const fn as_u128(self) -> u128 {
                self.0
            }

            /// The id with these 128 bits.
            #[must_use]
            pub const fn from_u128(bits: u128) -> Self {
                Self(bits)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                encode($prefix, self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                decode($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// Identifies a connector.
    ConnectorId,
    "con"
);
typed_id!(
    /// Identifies a sync.
    SyncId,
    "syn"
);
typed_id!(
    /// Identifies an API key (not its secret).
    KeyId,
    "key"
);
typed_id!(
    /// Identifies an entry of the audit log.
    AuditId,
    "aud"
);
typed_id!(
    /// Identifies one request in answers and logs.
    RequestId,
    "req"
);
typed_id!(
    /// Identifies a process that runs syncs, from its start to its end.
    NodeId,
    "nod"
);
typed_id!(
    /// Identifies a webhook.
    WebhookId,
    "whk"
);
typed_id!(
    /// Identifies a delivery: what one webhook is told of one event, however often it is sent.
    DeliveryId,
    "msg"
);
typed_id!(
    /// Names the store of one collection. A collection made again under the same id gets another, so that it
    /// never shows old data.
    StoreId,
    "sto"
);

macro_rules! chosen_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// A generated id, sortable by `now`.
            #[must_use]
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                struct Generated(u128);
                impl fmt::Display for Generated {
                    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        encode($prefix, self.0, f)
                    }
                }
                Self(Generated(uuid_v7(now, entropy)).to_string().into())
            }

            /// The id's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_chosen(text) { Ok(Self(text.into())) } else { Err(IdError::Chosen) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// `[a-z0-9][a-z0-9_-]{0,62}`
fn is_chosen(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 63
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || byte == b'_' || byte == b'-')
}

chosen_id!(
    /// Identifies a space: generated, or chosen by the caller.
    SpaceId,
    "spc"
);
chosen_id!(
    /// Identifies a collection within its space: generated, or chosen by the caller.
    CollectionId,
    "col"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn typeid_specification_example_decodes() {
        // valid.json of the specification: "prefix_01h455vb4pex5vsknk084sn02q".
        let uuid = decode("prefix", "prefix_01h455vb4pex5vsknk084sn02q").unwrap();
        assert_eq!(uuid, 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
    }

    #[test]
    fn round_trips_and_sorts_by_time() {
        let entropy = SeededEntropy::new(1);
        let early = SyncId::new(Timestamp::from_millis(1_000), &entropy);
        let late = SyncId::new(Timestamp::from_millis(2_000), &entropy);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse::<SyncId>(), Ok(early));
    }

    #[test]
    fn a_derived_id_follows_from_its_parts() {
        let derived = |millis, parts: &[u128]| SyncId::derived(Timestamp::from_millis(millis), parts);
        assert_eq!(derived(1, &[1, 2]), derived(1, &[1, 2]));
        assert_ne!(derived(1, &[1, 2]), derived(1, &[2, 1]));
        assert!(derived(1, &[9]) < derived(2, &[1]));
    }

    #[test]
    fn another_kind_a_bad_digit_and_too_many_bits_are_refused() {
        assert_eq!("con_00000000000000000000000000".parse::<SyncId>(), Err(IdError::Prefix));
        assert_eq!("syn_0000000000000000000000000u".parse::<SyncId>(), Err(IdError::Suffix));
        assert_eq!("syn_80000000000000000000000000".parse::<SyncId>(), Err(IdError::Suffix));
        assert_eq!("syn_é0000000000000000000000000".parse::<SyncId>(), Err(IdError::Suffix));
    }

    #[test]
    fn chosen_ids_keep_to_their_alphabet() {
        assert!("default".parse::<SpaceId>().is_ok());
        for bad in ["", "-a", "_a", "A", "a b", "é", &"a".repeat(64)] {
            assert_eq!(bad.parse::<SpaceId>(), Err(IdError::Chosen), "{bad:?}");
        }
        let generated = SpaceId::new(Timestamp::from_millis(1), &SeededEntropy::new(1));
        assert!(generated.as_str().parse::<SpaceId>().is_ok());
    }
}
