//! Long keys, cut to a length that indexes can bear.

use std::borrow::Cow;

/// The longest form under which a store files a key, in bytes.
pub const STORAGE_KEY_MAX: usize = 1024;

/// Bytes of a long key that are kept in front of its hash.
const PREFIX_LEN: usize = STORAGE_KEY_MAX - blake3::OUT_LEN;

/// The form under which a store files an encoded key: the key itself if it is shorter than
/// [`STORAGE_KEY_MAX`], else its first 992 bytes and the BLAKE3 hash of the whole, [`STORAGE_KEY_MAX`] bytes
/// together.
///
/// A form of that length is always a hashed one, so two keys share a form only if their hashes collide. Forms
/// are ordered as their keys are, except among long keys that begin with the same 992 bytes.
#[must_use]
pub fn storage_key(encoded: &[u8]) -> Cow<'_, [u8]> {
    if encoded.len() < STORAGE_KEY_MAX {
        return Cow::Borrowed(encoded);
    }
    let mut form = Vec::with_capacity(STORAGE_KEY_MAX);
    form.extend_from_slice(&encoded[..PREFIX_LEN]);
    form.extend_from_slice(blake3::hash(encoded).as_bytes());
    Cow::Owned(form)
}

#[cfg(test)]
mod tests {
    use super::super::MAX_LEN;
    use super::*;

    #[test]
    fn shorter_keys_are_filed_as_they_are() {
        let key = vec![b'k'; STORAGE_KEY_MAX - 1];
        assert!(matches!(storage_key(&key), Cow::Borrowed(form) if form == key));
    }

    #[test]
    fn longer_keys_keep_their_beginning_and_stay_apart() {
        let key = |last: u8, len: usize| [vec![b'k'; len - 1], vec![last]].concat();
        let keys = [key(1, 1024), key(2, 1024), key(1, 1025), key(1, MAX_LEN)];
        let forms: Vec<_> = keys.iter().map(|key| storage_key(key).into_owned()).collect();
        for (at, form) in forms.iter().enumerate() {
            assert_eq!(form.len(), STORAGE_KEY_MAX);
            assert_eq!(form[..PREFIX_LEN], keys[at][..PREFIX_LEN]);
            assert!(!forms[at + 1..].contains(form));
        }
    }

    #[test]
    fn a_form_cannot_be_passed_off_as_another_key() {
        let form = storage_key(&[b'k'; 2000]).into_owned();
        assert_ne!(storage_key(&form), form);
    }

    #[test]
    fn version_1_is_pinned() {
        let form = storage_key(&[0x02; 1024]).into_owned();
        let hash: String = form[PREFIX_LEN..].iter().map(|byte| format!("{byte:02x}")).collect();
        insta::assert_snapshot!(hash, @"fa8af17567c147993830cdd42cea9d8a8f157c9b98b4e7ef5677f417a5d8ae61");
    }
}
