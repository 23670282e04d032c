//! The identity of a record that is appended.
//!
//! It is the key that the source gives, and behind it a hash of the copy and of the content. So a record that is read again as
//! it is, at a cursor's bound, after a crash or by a listing that begins anew, is the one that is there; one that has changed is
//! another; and a full refresh, which begins another copy, reads all of them anew.

use inlet_model::key::{KeyEncoder, KeyError, KeyPart, decode};

/// Digits of the hash: 128 bits, in lower-case hexadecimal.
const DIGITS: usize = 32;

/// Makes the key of a record, encoded, that of one in `copy` with this content, which is canonical JSON.
pub(super) fn extend_key(key: &mut Vec<u8>, copy: u64, content: &[u8]) -> Result<(), KeyError> {
    let hash = blake3::Hasher::new().update(&copy.to_le_bytes()).update(content).finalize();
    let mut extended = Vec::with_capacity(key.len() + DIGITS + 2);
    let mut encoder = KeyEncoder::new(&mut extended);
    for part in decode(key)? {
        encoder.push_part(&part)?;
    }
    encoder.push_part(&KeyPart::String(hash.to_hex()[..DIGITS].into()))?;
    encoder.finish()?;
    *key = extended;
    Ok(())
}

#[cfg(test)]
mod tests {
    use inlet_model::key::Key;

    use super::*;

    fn extended(key: &str, copy: u64, content: &str) -> String {
        let mut encoded = Key::from_json(key.as_bytes()).unwrap().as_bytes().to_vec();
        extend_key(&mut encoded, copy, content.as_bytes()).unwrap();
        Key::from_encoded(encoded).unwrap().to_json()
    }

    #[test]
    fn version_1_is_pinned() {
        insta::assert_snapshot!(extended("7", 0, "{\"id\":7}"), @r#"[7,"485ec4322488d77b27d43342c8269f8e"]"#);
    }

    #[test]
    fn another_key_copy_or_content_is_another_record() {
        let all =
            [("7", 0, "{}"), ("8", 0, "{}"), ("7", 1, "{}"), ("7", 0, "{\"a\":1}"), ("[7,\"\"]", 0, "{}")];
        let mut keys: Vec<String> =
            all.iter().map(|(key, copy, content)| extended(key, *copy, content)).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
    }
}
