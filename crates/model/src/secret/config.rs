//! A config with its secrets: sealed, masked, plain.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::Sealed;

/// What stands for a secret wherever a config is shown.
pub const MASK: &str = "********";

/// Secrets by the JSON Pointer of their field.
pub type Secrets = BTreeMap<String, Sealed>;

/// The shortest secret that is looked for in texts: a shorter one would be found everywhere by chance.
const SHORTEST_REDACTED: usize = 4;

/// A config as it is kept: what anybody may see, and the secrets, sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedConfig {
    open: Value,
    secrets: Secrets,
}

impl SealedConfig {
    /// A config of these parts. What `open` has at the place of a secret is dropped.
    #[must_use]
    pub fn new(mut open: Value, secrets: Secrets) -> Self {
        for pointer in secrets.keys() {
            remove(&mut open, pointer);
        }
        Self { open, secrets }
    }

    /// Everything but the secrets.
    #[must_use]
    pub fn open(&self) -> &Value {
        &self.open
    }

    /// The secrets.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The whole config, with [`MASK`] in the place of each secret: the form that is shown.
    #[must_use]
    pub fn masked(&self) -> Value {
        self.clone().into_masked()
    }

    /// As [`masked`](Self::masked).
    #[must_use]
    pub fn into_masked(self) -> Value {
        let mut shown = self.open;
        for pointer in self.secrets.keys() {
            insert(&mut shown, pointer, MASK.into());
        }
        shown
    }
}

/// A config without secrets.
impl From<Value> for SealedConfig {
    fn from(open: Value) -> Self {
        Self { open, secrets: Secrets::new() }
    }
}

/// A config whose secrets can be read. Not shown by `Debug`.
#[derive(Clone, PartialEq)]
pub struct PlainConfig {
    value: Value,
    secrets: Vec<String>,
}

impl PlainConfig {
    /// A config, and the JSON Pointers of those of its fields that are secret.
    #[must_use]
    pub fn new(value: Value, secrets: Vec<String>) -> Self {
        Self { value, secrets }
    }

    /// The config.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The JSON Pointers of the secret fields.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// Puts a value into the place that a pointer names; objects on the way are made.
    pub(super) fn put(&mut self, pointer: String, value: Value) {
        insert(&mut self.value, &pointer, value);
        self.secrets.push(pointer);
    }

    /// The text, with [`MASK`] wherever it repeats a secret: for what a source or its driver says about its config.
    #[must_use]
    pub fn redacted(&self, text: String) -> String {
        let values = self.secrets.iter().filter_map(|pointer| self.value.pointer(pointer));
        let mut known: Vec<&str> =
            values.flat_map(texts).filter(|known| known.len() >= SHORTEST_REDACTED).collect();
        // The longest first: a secret may hold another.
        known.sort_by_key(|known| std::cmp::Reverse(known.len()));
        known.into_iter().fold(text, |text, known| text.replace(known, MASK))
    }
}

impl fmt::Debug for PlainConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainConfig")
    }
}

/// Every text of a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The pointer of what holds the field, and the field's name.
fn split(pointer: &str) -> Option<(&str, String)> {
    let (parent, step) = pointer.rsplit_once('/')?;
    Some((parent, step.replace("~1", "/").replace("~0", "~")))
}

fn remove(config: &mut Value, pointer: &str) {
    if let Some((parent, name)) = split(pointer)
        && let Some(Value::Object(members)) = config.pointer_mut(parent)
    {
        members.remove(&name);
    }
}

fn insert(config: &mut Value, pointer: &str, value: Value) {
    let Some((parent, name)) = split(pointer) else { return };
    if !matches!(config.pointer(parent), Some(Value::Object(_))) {
        if parent.is_empty() {
            *config = Value::Object(Map::new());
        } else {
            insert(config, parent, Value::Object(Map::new()));
        }
    }
    if let Some(Value::Object(members)) = config.pointer_mut(parent) {
        members.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn sealed() -> Sealed {
        "x1.00000000.00".parse().unwrap()
    }

    #[test]
    fn a_masked_config_shows_everything_but_the_secrets() {
        let open = json!({"host": "db", "password": "dropped", "ssl": {"mode": "verify"}});
        let secrets =
            ["/password", "/ssl/a~1b~0c", "/tunnel/key"].map(|pointer| (pointer.to_owned(), sealed()));
        let config = SealedConfig::new(open, secrets.into());
        assert_eq!(*config.open(), json!({"host": "db", "ssl": {"mode": "verify"}}));
        assert_eq!(
            config.masked(),
            json!({"host": "db", "password": MASK, "ssl": {"mode": "verify", "a/b~c": MASK}, "tunnel": {"key": MASK}})
        );
    }

    #[test]
    fn no_debug_shows_a_plain_config() {
        let plain = PlainConfig::new(json!({"password": "swordfish"}), vec!["/password".to_owned()]);
        assert_eq!(format!("{plain:?}"), "PlainConfig");
    }

    #[test]
    fn a_text_that_repeats_a_secret_is_redacted() {
        let config = json!({"host": "db", "password": "swordfish", "keys": {"a": "swordfish-2"}, "pin": "1"});
        let secrets = ["/password", "/keys", "/pin"].map(str::to_owned).to_vec();
        let said = "cannot reach postgres://u:swordfish@db with swordfish-2 (1)".to_owned();
        assert_eq!(
            PlainConfig::new(config, secrets).redacted(said),
            format!("cannot reach postgres://u:{MASK}@db with {MASK} (1)")
        );
    }

    proptest! {
        #[test]
        fn what_is_inserted_is_found_and_can_be_removed(steps in prop::collection::vec("[a-z/~]{0,3}", 1..4)) {
            let pointer: String =
                steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect();
            let mut config = json!({});
            insert(&mut config, &pointer, json!(1));
            prop_assert_eq!(config.pointer(&pointer), Some(&json!(1)));
            remove(&mut config, &pointer);
            prop_assert_eq!(config.pointer(&pointer), None);
        }
    }
}
