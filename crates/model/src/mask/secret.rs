//! The keyed hash that stands in the place of a value.

use std::fmt;

use crate::key::encode_json_scalar;

/// Digits of a hash: 128 bits, in lower-case hexadecimal.
pub const HASH_DIGITS: usize = 32;

/// What a server hashes masked values under: whoever does not have it cannot find a value by trying.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskingKey([u8; 32]);

/// Says nothing of it.
impl fmt::Debug for MaskingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskingKey")
    }
}

/// What is hashed, so that no two things of different kinds have one hash.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A scalar, as it would stand in a key: however a number or a text was spelled, it is one value.
    Scalar = 1,
    /// Any other value, as canonical JSON.
    Json = 2,
    /// A whole key.
    Key = 3,
}

impl MaskingKey {
    /// The key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of a value, which is canonical JSON.
    pub(super) fn of_value(&self, value: &[u8]) -> [u8; HASH_DIGITS] {
        let mut scalar = Vec::with_capacity(value.len() + 2);
        match encode_json_scalar(value, &mut scalar) {
            Ok(()) => self.of_scalar(&scalar),
            // An array, an object, or what no key can hold.
            Err(_) => self.hash(Kind::Json, value),
        }
    }

    /// The hash of a scalar, encoded as a key of its own.
    pub(super) fn of_scalar(&self, encoded: &[u8]) -> [u8; HASH_DIGITS] {
        self.hash(Kind::Scalar, encoded)
    }

    /// The hash of a whole key, encoded.
    pub(super) fn of_key(&self, encoded: &[u8]) -> [u8; HASH_DIGITS] {
        self.hash(Kind::Key, encoded)
    }

    fn hash(&self, kind: Kind, bytes: &[u8]) -> [u8; HASH_DIGITS] {
        let hash = blake3::Hasher::new_keyed(&self.0).update(&[kind as u8]).update(bytes).finalize();
        *hash.to_hex().as_bytes().first_chunk().expect("a BLAKE3 hash has 64 digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(key: u8, value: &str) -> String {
        String::from_utf8(MaskingKey::new([key; 32]).of_value(value.as_bytes()).to_vec()).unwrap()
    }

    #[test]
    fn version_1_is_pinned() {
        insta::assert_snapshot!(hashed(7, r#""ada@example.com""#), @"95c23276034aa0c29ddeea1649fca5a9");
    }

    #[test]
    fn a_value_has_one_hash_however_it_is_spelled() {
        assert_eq!(hashed(1, "1"), hashed(1, "1.0"));
        assert_eq!(hashed(1, r#""é""#), hashed(1, r#""\u00e9""#));
    }

    #[test]
    fn other_values_and_other_keys_have_other_hashes() {
        let values = ["1", "\"1\"", "true", "[1]", "{\"a\":1}", "\"\"", r#""\ud800""#];
        let mut hashes: Vec<_> =
            values.iter().flat_map(|value| [hashed(1, value), hashed(2, value)]).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 2 * values.len());
    }
}
