//! What an API key looks like to those who have it.

use std::fmt;

use inlet_model::Entropy;
use inlet_store::catalog::KeyHash;

/// A new secret of an API key: the only time that its text is known.
pub struct NewKey {
    /// What the caller sends. A secret.
    pub text: String,
    /// What is stored.
    pub hash: KeyHash,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewKey")
    }
}

/// Draws the secret of an API key: `inlet_` and 256 random bits.
#[must_use]
pub fn new_key(entropy: &dyn Entropy) -> NewKey {
    let text = format!("inlet_{}", base32(&entropy.bytes()));
    NewKey { hash: key_hash(&text), text }
}

/// The hash under which a key is stored and looked up. A key has 256 random bits, so that a fast hash is enough; and as
/// only hashes are compared, the time it takes tells nothing about a key.
#[must_use]
pub fn key_hash(text: &str) -> KeyHash {
    KeyHash(*blake3::hash(text.as_bytes()).as_bytes())
}

/// 32 bytes as 52 letters and digits that are not mistaken for each other.
fn base32(bytes: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| (byte >> (7 - index % 8)) & 1);
    let digit = |place: usize| (0..5).fold(0, |digit, step| (digit << 1) | bit(place * 5 + step));
    (0..52).map(|place| char::from(ALPHABET[usize::from(digit(place))])).collect()
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;

    use super::*;

    #[test]
    fn a_key_has_all_256_bits_and_is_found_by_its_hash() {
        let key = new_key(&SeededEntropy::new(1));
        assert_eq!(key.text.len(), "inlet_".len() + 52);
        assert_eq!(key.hash, key_hash(&key.text));
        assert_ne!(new_key(&SeededEntropy::new(2)).text, key.text);
        assert_eq!(base32(&[0; 32]), "0".repeat(52));
        assert_eq!(base32(&[0xff; 32]), format!("{}g", "z".repeat(51)));
    }
}
