//! The hash by which a changed record is told from an unchanged one.

use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Bytes of a stored hash: the algorithm and 128 bits.
pub const HASH_LEN: usize = 17;

/// Marks XXH3-128 in the first byte, so that another algorithm can live beside it later.
const XXH3_128: u8 = 1;

/// The seed of a collection: drawn at random when the collection is made, so that nobody can prepare two
/// records that collide in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashSeed(pub u64);

/// The hash of a record's canonical bytes, with its algorithm in the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordHash([u8; HASH_LEN]);

impl RecordHash {
    /// Hashes canonical bytes under a collection's seed.
    #[must_use]
    pub fn of(seed: HashSeed, canonical: &[u8]) -> Self {
        let mut bytes = [XXH3_128; HASH_LEN];
        bytes[1..].copy_from_slice(&xxh3_128_with_seed(canonical, seed.0).to_be_bytes());
        Self(bytes)
    }

    /// The stored form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; HASH_LEN] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_pinned() {
        let hash = RecordHash::of(HashSeed(7), b"{\"id\":1}");
        let hex: String = hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        insta::assert_snapshot!(hex, @"01a0f05aa0229112cb58313092821d987a");
    }

    #[test]
    fn depends_on_the_seed() {
        assert_ne!(RecordHash::of(HashSeed(1), b"{}"), RecordHash::of(HashSeed(2), b"{}"));
    }
}
