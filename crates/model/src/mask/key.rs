//! Masking the key of a record.

use super::{MaskMethod, Masker, Masking};
use crate::key::{KeyEncoder, KeyError, decode};

/// What becomes of the keys of a stream whose records are masked: no masked value is left in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMask {
    /// Nothing is masked, so they stay.
    Kept,
    /// Of which fields they are made is known: a part whose entry here is true is hashed.
    Parts(Vec<bool>),
    /// That is the source's own affair, and it may well be a masked one: the whole key is hashed.
    Whole,
}

impl KeyMask {
    /// What becomes of keys that are made of `key_fields`, or none if the source gives them.
    #[must_use]
    pub fn new(masking: &Masking, key_fields: &[String]) -> Self {
        if masking.is_empty() {
            return Self::Kept;
        }
        if key_fields.is_empty() {
            return Self::Whole;
        }
        Self::Parts(
            key_fields.iter().map(|field| masking.of_field(field) == Some(MaskMethod::Hash)).collect(),
        )
    }

    /// Whether keys stay as the source gives them, so that it can be asked for them.
    #[must_use]
    pub fn keeps_keys(&self) -> bool {
        match self {
            Self::Kept => true,
            Self::Parts(hashed) => !hashed.contains(&true),
            Self::Whole => false,
        }
    }

    /// Appends the masked form of a key, both encoded. A key that has not as many parts as its stream's key has fields is
    /// hashed whole.
    pub fn key(&self, masker: &Masker, encoded: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
        if *self == Self::Kept {
            out.extend_from_slice(encoded);
            return Ok(());
        }
        let parts = decode(encoded)?;
        let mut masked = KeyEncoder::new(out);
        match self {
            Self::Parts(hashed) if hashed.len() == parts.len() => {
                for (part, is_hashed) in parts.iter().zip(hashed) {
                    if !is_hashed {
                        masked.push_part(part)?;
                        continue;
                    }
                    let mut scalar = Vec::new();
                    let mut alone = KeyEncoder::new(&mut scalar);
                    alone.push_part(part)?;
                    alone.finish()?;
                    masked.push_str(text(&masker.key().of_scalar(&scalar)));
                }
            }
            _ => masked.push_str(text(&masker.key().of_key(encoded))),
        }
        masked.finish().map(|_| ())
    }
}

fn text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).expect("digits are text")
}

#[cfg(test)]
mod tests {
    use super::super::MaskingKey;
    use super::*;
    use crate::key::Key;

    fn masking(json: &str) -> Masking {
        serde_json::from_str(json).unwrap()
    }

    fn masked(masking: &Masking, key_fields: &[&str], key: &str) -> String {
        let key_fields: Vec<String> = key_fields.iter().map(|field| (*field).to_owned()).collect();
        let masker = Masker::new(masking, MaskingKey::new([7; 32]));
        let mut out = Vec::new();
        let key = Key::from_json(key.as_bytes()).unwrap();
        KeyMask::new(masking, &key_fields).key(&masker, key.as_bytes(), &mut out).unwrap();
        Key::from_encoded(out).unwrap().to_json()
    }

    fn in_record(value: &str) -> String {
        let mut out = Vec::new();
        let masker = Masker::new(&masking(r#"{"a":"hash"}"#), MaskingKey::new([7; 32]));
        masker.record(format!(r#"{{"a":{value}}}"#).as_bytes(), &mut out);
        let record: serde_json::Value = serde_json::from_slice(&out).unwrap();
        record["a"].to_string()
    }

    #[test]
    fn a_part_has_the_hash_that_its_field_has_in_the_record() {
        let masking = masking(r#"{"a":"hash","/b/c":"drop"}"#);
        for value in ["\"x@y\"", "1.0", "-7e30", "true", r#""\u00e9""#] {
            assert_eq!(masked(&masking, &["a"], value), in_record(value));
            assert_eq!(
                masked(&masking, &["id", "a"], &format!("[3,{value}]")),
                format!("[3,{}]", in_record(value))
            );
        }
        assert_eq!(masked(&masking, &["id"], "3"), "3");
    }

    #[test]
    fn a_key_that_may_hold_anything_is_hashed_whole() {
        let masking = masking(r#"{"a":"hash"}"#);
        let whole = masked(&masking, &[], "[\"x@y\",1]");
        assert_eq!(whole.len(), 34);
        assert_eq!(masked(&masking, &["id"], "[\"x@y\",1]"), whole, "it is not made of the stream's fields");
        assert_ne!(masked(&masking, &[], "[\"x@y\",2]"), whole);
    }

    #[test]
    fn without_masking_keys_stay() {
        assert_eq!(masked(&Masking::default(), &[], "[1,2]"), "[1,2]");
        assert!(KeyMask::new(&Masking::default(), &[]).keeps_keys());
        assert!(KeyMask::new(&masking(r#"{"b":"drop"}"#), &["a".to_owned()]).keeps_keys());
        assert!(!KeyMask::new(&masking(r#"{"b":"drop"}"#), &[]).keeps_keys());
    }
}
