//! Masking: what becomes of single values of a record before anything of it is kept.
//!
//! Which values is said by [`Masking`], how by [`MaskMethod`]; [`Masker`] does it to records and [`KeyMask`] to keys. Both
//! agree: a field of the key that is hashed has one hash in the record and in its key.

mod key;
mod path;
mod record;
mod secret;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use key::KeyMask;
pub use path::{MaskPath, MaskPathError};
pub use record::Masker;
pub use secret::{HASH_DIGITS, MaskingKey};

/// What stands in the place of a value that is redacted.
pub const REDACTED: &str = "[redacted]";

/// What becomes of a value. Null stays null, but where the field is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaskMethod {
    /// A keyed hash of it is kept: equal values have equal hashes in all collections of a server.
    Hash,
    /// `"[redacted]"` is kept.
    Redact,
    /// Nothing of it is kept, not even its field.
    Drop,
}

/// The values of a stream's records that are not kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Masking(#[schemars(with = "BTreeMap<String, MaskMethod>")] BTreeMap<MaskPath, MaskMethod>);

impl Masking {
    /// Whether every value is kept as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets what becomes of the values at a path.
    pub fn set(&mut self, path: MaskPath, method: MaskMethod) {
        self.0.insert(path, method);
    }

    /// The paths, in order, and what becomes of the values at each.
    pub fn iter(&self) -> impl Iterator<Item = (&MaskPath, MaskMethod)> {
        self.0.iter().map(|(path, method)| (path, *method))
    }

    /// What becomes of a whole top-level field.
    #[must_use]
    pub fn of_field(&self, name: &str) -> Option<MaskMethod> {
        self.iter().find(|(path, _)| path.steps() == [name]).map(|(_, method)| method)
    }

    /// What is to be done to records to which `done` was done already.
    #[must_use]
    pub fn beyond(&self, done: &Self) -> Self {
        let rest = self.0.iter().filter(|(path, method)| done.0.get(*path) != Some(*method));
        Self(rest.map(|(path, method)| (path.clone(), *method)).collect())
    }

    /// What has been done to records once `next` was done to them too.
    #[must_use]
    pub fn and(&self, next: &Self) -> Self {
        self.iter().chain(next.iter()).map(|(path, method)| (path.clone(), method)).collect()
    }
}

impl FromIterator<(MaskPath, MaskMethod)> for Masking {
    fn from_iter<T: IntoIterator<Item = (MaskPath, MaskMethod)>>(paths: T) -> Self {
        Self(paths.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masking(json: &str) -> Masking {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn it_is_read_and_shown_as_an_object() {
        let json = r#"{"/a/b":"drop","email":"hash"}"#;
        assert_eq!(serde_json::to_string(&masking(json)).unwrap(), json);
        assert_eq!(masking(json).of_field("email"), Some(MaskMethod::Hash));
        assert_eq!(masking(json).of_field("a"), None, "only a part of the field is masked");
        assert!(serde_json::from_str::<Masking>(r#"{"":"drop"}"#).is_err());
    }

    #[test]
    fn what_was_done_already_is_not_done_again() {
        let now = masking(r#"{"a":"hash","b":"drop","c":"redact"}"#);
        let done = masking(r#"{"a":"hash","b":"hash"}"#);
        assert_eq!(now.beyond(&done), masking(r#"{"b":"drop","c":"redact"}"#));
        assert!(now.beyond(&now).is_empty());
        assert!(now.beyond(&done.and(&now)).is_empty());
    }
}
