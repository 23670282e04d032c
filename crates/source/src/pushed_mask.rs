//! Masking what was pushed, before it lies in an inbox.

use inlet_model::key::{Key, KeyError};
use inlet_model::mask::{KeyMask, Masker, Masking, MaskingKey};

use crate::PushedLine;

/// Masks lines that [`accept`](crate::accept) wrote: their records, and the keys that stand beside them. `key_fields` are those
/// of the push, or else of its stream. It is an error if a key becomes too long by it.
pub fn mask_pushed(
    lines: &[u8],
    masking: &Masking,
    key_fields: &[String],
    key: MaskingKey,
) -> Result<Vec<u8>, KeyError> {
    let keys = KeyMask::new(masking, key_fields);
    let masker = Masker::new(masking, key);
    let mut masked = Vec::with_capacity(lines.len());
    let mut record = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match PushedLine::parse(line) {
            Some(PushedLine::Upsert { key, data }) => {
                record.clear();
                masker.record(data, &mut record);
                let key = key.map(|key| masked_key(&masker, &keys, key)).transpose()?;
                PushedLine::Upsert { key: key.as_deref().map(str::as_bytes), data: &record }
                    .write(&mut masked);
            }
            Some(PushedLine::Delete { key }) => {
                let key = masked_key(&masker, &keys, key)?;
                PushedLine::Delete { key: key.as_bytes() }.write(&mut masked);
            }
            // It is no record, and is refused when it is read; nothing of it is kept.
            None => masked.extend_from_slice(b"?\n"),
        }
    }
    Ok(masked)
}

fn masked_key(masker: &Masker, keys: &KeyMask, json: &[u8]) -> Result<String, KeyError> {
    let key = Key::from_json(json)?;
    let mut masked = Vec::new();
    keys.key(masker, key.as_bytes(), &mut masked)?;
    Ok(Key::from_encoded(masked)?.to_json())
}

#[cfg(test)]
mod tests {
    use inlet_model::json::Limits;

    use super::*;
    use crate::{PushForm, accept};

    fn masked(masking: &str, body: &str, key_fields: &[&str]) -> Vec<serde_json::Value> {
        let masking = serde_json::from_str(masking).unwrap();
        let key_fields: Vec<String> = key_fields.iter().map(|field| (*field).to_owned()).collect();
        let accepted = accept(body.as_bytes(), PushForm::Envelope, &key_fields, Limits::default()).unwrap();
        let lines = mask_pushed(&accepted.lines, &masking, &key_fields, MaskingKey::new([1; 32])).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        assert_eq!(lines.lines().count() as u64, accepted.count);
        assert!(lines.lines().all(|line| PushedLine::parse(line.as_bytes()).is_some()));
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    const BODY: &str = r#"
        {"op": "upsert", "data": {"email": "a@b", "x": 1}}
        {"op": "upsert", "key": "a@b", "data": {"email": "a@b"}}
        {"op": "delete", "key": "a@b"}
    "#;

    #[test]
    fn a_delete_hits_the_record_whose_key_was_hashed() {
        let lines = masked(r#"{"email":"hash","x":"drop"}"#, BODY, &["email"]);
        let hash = lines[0]["data"]["email"].clone();
        assert_eq!(hash.as_str().unwrap().len(), 32);
        assert_eq!(lines[0]["data"].as_object().unwrap().len(), 1);
        assert_eq!((&lines[1]["key"], &lines[2]["key"]), (&hash, &hash));
    }

    #[test]
    fn keys_of_unknown_fields_are_hashed_whole() {
        let lines = masked(r#"{"email":"hash"}"#, BODY, &[]);
        assert_eq!(lines[1]["key"], lines[2]["key"]);
        assert_ne!(lines[1]["key"], "a@b");
    }
}
