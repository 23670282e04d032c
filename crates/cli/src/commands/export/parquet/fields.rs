//! A record and the fields of what it holds, as slices of its text.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A record as the API gives it, its values as they are written.
#[derive(Debug, Deserialize)]
pub(super) struct RawRecord<'a> {
    #[serde(borrow)]
    pub(super) connector_id: &'a RawValue,
    #[serde(borrow)]
    pub(super) stream: &'a RawValue,
    #[serde(borrow)]
    pub(super) key: &'a RawValue,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
    #[serde(borrow)]
    pub(super) change: &'a RawValue,
    #[serde(borrow)]
    pub(super) sync_id: &'a RawValue,
    #[serde(borrow)]
    pub(super) created_at: &'a RawValue,
    #[serde(borrow)]
    pub(super) updated_at: &'a RawValue,
}

/// Calls `field` with each field of `data`, an object, and its value, `null` included.
pub(super) fn each_field<'a>(
    data: &'a RawValue,
    field: impl FnMut(Cow<'a, str>, &'a RawValue),
) -> serde_json::Result<()> {
    struct Object<F>(F);

    #[derive(PartialEq, Eq, Deserialize)]
    #[serde(transparent)]
    struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

    impl<'a, F: FnMut(Cow<'a, str>, &'a RawValue)> Visitor<'a> for Object<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some((Name(name), value)) = map.next_entry()? {
                (self.0)(name, value);
            }
            Ok(())
        }
    }

    serde_json::Deserializer::from_str(data.get()).deserialize_map(Object(field))
}
