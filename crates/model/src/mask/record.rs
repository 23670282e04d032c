//! Masking the values of a record.

use super::{MaskMethod, Masking, MaskingKey, REDACTED};
use crate::json::{decode_string, find_value_end};

/// Masks the values of records.
#[derive(Debug, Clone)]
pub struct Masker {
    fields: Fields,
    key: MaskingKey,
}

/// What becomes of the fields of an object, by their names; the others stay.
type Fields = Vec<(String, Mask)>;

#[derive(Debug, Clone)]
enum Mask {
    /// The whole value.
    Value(MaskMethod),
    /// Parts of it.
    Within(Fields),
}

impl Masker {
    /// One that does what `masking` says, and hashes under `key`.
    #[must_use]
    pub fn new(masking: &Masking, key: MaskingKey) -> Self {
        let mut fields = Fields::new();
        for (path, method) in masking.iter() {
            insert(&mut fields, path.steps(), method);
        }
        Self { fields, key }
    }

    /// What values are hashed under.
    pub(super) fn key(&self) -> &MaskingKey {
        &self.key
    }

    /// Appends `record`, which is canonical JSON, with its values masked: canonical too.
    pub fn record(&self, record: &[u8], out: &mut Vec<u8>) {
        self.object(&self.fields, record, out);
    }

    fn object(&self, fields: &Fields, object: &[u8], out: &mut Vec<u8>) {
        out.push(b'{');
        let (mut at, mut is_first) = (1, true);
        while object.get(at).is_some_and(|byte| *byte != b'}') {
            let name_end = at + value_len(&object[at..]);
            let start = name_end + 1;
            let end = start + value_len(&object[start..]);
            let (name, value) = (&object[at..name_end], &object[start..end]);
            // Behind the comma.
            at = end + usize::from(object.get(end) == Some(&b','));
            let mask = of_name(fields, name);
            if matches!(mask, Some(Mask::Value(MaskMethod::Drop))) {
                continue;
            }
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            out.extend_from_slice(name);
            out.push(b':');
            self.value(mask, value, out);
        }
        out.push(b'}');
    }

    fn value(&self, mask: Option<&Mask>, value: &[u8], out: &mut Vec<u8>) {
        match (mask, value.first()) {
            (Some(Mask::Within(fields)), Some(b'{')) => self.object(fields, value, out),
            (Some(Mask::Within(_)), Some(b'[')) => self.array(mask, value, out),
            (Some(Mask::Value(method)), first) if first != Some(&b'n') => {
                out.push(b'"');
                match method {
                    MaskMethod::Hash => out.extend_from_slice(&self.key.of_value(value)),
                    MaskMethod::Redact | MaskMethod::Drop => out.extend_from_slice(REDACTED.as_bytes()),
                }
                out.push(b'"');
            }
            _ => out.extend_from_slice(value),
        }
    }

    fn array(&self, mask: Option<&Mask>, array: &[u8], out: &mut Vec<u8>) {
        out.push(b'[');
        let mut at = 1;
        while array.get(at).is_some_and(|byte| *byte != b']') {
            let end = at + value_len(&array[at..]);
            self.value(mask, &array[at..end], out);
            at = end;
            if array.get(end) == Some(&b',') {
                out.push(b',');
                at += 1;
            }
        }
        out.push(b']');
    }
}

/// Enters a path. What is masked as a whole needs nothing said of its parts.
fn insert(fields: &mut Fields, steps: &[String], method: MaskMethod) {
    let Some((step, below)) = steps.split_first() else { return };
    let index = match fields.iter().position(|(name, _)| name == step) {
        Some(index) => index,
        None => {
            fields.push((step.clone(), Mask::Within(Fields::new())));
            fields.len() - 1
        }
    };
    let mask = &mut fields[index].1;
    match mask {
        Mask::Value(_) => {}
        Mask::Within(_) if below.is_empty() => *mask = Mask::Value(method),
        Mask::Within(fields) => insert(fields, below, method),
    }
}

/// What becomes of the field whose name is this token.
fn of_name<'a>(fields: &'a Fields, token: &[u8]) -> Option<&'a Mask> {
    // A name that is no text is none that could be said.
    let name = decode_string(token).ok()?;
    fields.iter().find(|(field, _)| *field == name).map(|(_, mask)| mask)
}

fn value_len(text: &[u8]) -> usize {
    find_value_end(text).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::json::{Canonicalizer, Limits};

    fn masker(masking: Value) -> Masker {
        Masker::new(&serde_json::from_value(masking).unwrap(), MaskingKey::new([7; 32]))
    }

    fn masked(masking: Value, record: &str) -> String {
        let mut out = Vec::new();
        masker(masking).record(record.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn hash(value: &str) -> String {
        String::from_utf8(MaskingKey::new([7; 32]).of_value(value.as_bytes()).to_vec()).unwrap()
    }

    #[test]
    fn each_method_does_its_own() {
        let record = r#"{"a":"x","b":[1,{"c":2}],"d":7,"e":true}"#;
        assert_eq!(
            masked(json!({"a": "hash", "b": "redact", "d": "drop"}), record),
            format!(r#"{{"a":"{}","b":"[redacted]","e":true}}"#, hash("\"x\""))
        );
        assert_eq!(masked(json!({"a": "drop", "b": "drop", "d": "drop", "e": "drop"}), record), "{}");
        assert_eq!(masked(json!({"nowhere": "drop"}), record), record);
    }

    #[test]
    fn null_stays_null_and_a_dropped_null_goes() {
        let record = r#"{"a":null,"b":null,"c":null}"#;
        assert_eq!(
            masked(json!({"a": "hash", "b": "redact", "c": "drop"}), record),
            r#"{"a":null,"b":null}"#
        );
    }

    #[test]
    fn a_pointer_leads_into_objects_and_through_arrays() {
        let record = r#"{"a":{"b":1,"c":{"b":2}},"l":[{"p":1},[{"p":2,"q":3}],4],"s":"a/b"}"#;
        assert_eq!(
            masked(json!({"/a/c/b": "redact", "/l/p": "drop", "/s/b": "drop"}), record),
            r#"{"a":{"b":1,"c":{"b":"[redacted]"}},"l":[{},[{"q":3}],4],"s":"a/b"}"#
        );
    }

    #[test]
    fn a_name_is_known_however_it_is_escaped() {
        assert_eq!(masked(json!({"é/": "drop"}), r#"{"\u00e9\/":1,"b":2}"#), r#"{"b":2}"#);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a\"\\\\{}\\[\\],:\u{e9}]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_dropped_is_gone_and_the_rest_stays_canonical(
            fields in prop::collection::btree_map("[abc]", any_json(), 0..4)
        ) {
            let record = Value::Object(fields.into_iter().collect());
            let out = masked(json!({"a": "drop", "/b/a": "redact"}), &record.to_string());
            let mut again = Vec::new();
            Canonicalizer::new(Limits::default()).object(out.as_bytes(), &mut again).unwrap();
            prop_assert_eq!(out.as_bytes(), &again[..]);
            let shown: Value = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(shown.get("a"), None);
            prop_assert_eq!(shown.get("c"), record.get("c"));
            if let Some(within) = shown.get("b").and_then(|b| b.get("a")) {
                prop_assert!(within.is_null() || within == "[redacted]");
            }
        }
    }
}
