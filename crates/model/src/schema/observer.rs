//! Looks at records as they pass, one after the other.
//!
//! Records of a stream mostly have the same fields in the same order. So the place of a field is guessed from that of the one
//! before, and found by its name only where the guess is wrong.

use super::field_types::name_of;
use super::{Misfit, Schema, Types};
use crate::json::{Members, decode_string};

/// A schema that records are held against.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    /// In the order of their names, which is that of the members of a canonical record.
    fields: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    /// The name as the records spell it, which may have escapes in it.
    spelled: Vec<u8>,
    types: Types,
}

/// So many fields that are left out in a record are stepped over before a name is looked up.
const STEPS: usize = 4;

impl Observer {
    /// One that knows this schema.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        let field = |(name, types): (&str, Types)| Field {
            name: name.to_owned(),
            spelled: name.as_bytes().to_vec(),
            types,
        };
        Self { fields: schema.fields().map(field).collect() }
    }

    /// What it knows.
    #[must_use]
    pub fn schema(&self) -> Schema {
        Schema(self.fields.iter().map(|field| (field.name.clone(), field.types)).collect())
    }

    /// Takes the fields of a record, which is canonical JSON, into the schema. Whether that has changed it.
    pub fn take(&mut self, record: &[u8]) -> bool {
        let mut changed = false;
        let mut next = 0;
        for (spelled, kind) in Members::of(record) {
            let place = match self.find(spelled, next) {
                Ok(place) => place,
                Err(missing) => {
                    let Some(place) = self.add(spelled, missing) else { continue };
                    changed = true;
                    place
                }
            };
            let types = &mut self.fields[place].types;
            if !types.covers(kind) {
                *types = types.with(kind);
                changed = true;
            }
            next = place + 1;
        }
        changed
    }

    /// Whether a record, which is canonical JSON, has a field that is not known or whose value is of another type. A field that
    /// was always null fits whatever it is.
    pub fn judge(&self, record: &[u8]) -> Result<(), Misfit> {
        let mut next = 0;
        for (spelled, kind) in Members::of(record) {
            let misfit = |known| {
                let start = &spelled[..spelled.len().min(Schema::MAX_NAME_BYTES)];
                let field = String::from_utf8_lossy(start).into_owned();
                Misfit { field, found: name_of(kind), known }
            };
            let place = self.find(spelled, next).map_err(|_| misfit(None))?;
            let types = self.fields[place].types;
            if !types.is_empty() && !types.covers(kind) {
                return Err(misfit(Some(types)));
            }
            next = place + 1;
        }
        Ok(())
    }

    /// The place of a field, probably `next` or a little behind; or the place where it is missing.
    #[inline]
    fn find(&self, spelled: &[u8], next: usize) -> Result<usize, Missing> {
        let likely = self.fields.iter().skip(next).take(STEPS);
        match likely.enumerate().find(|(_, field)| field.spelled == spelled) {
            Some((step, _)) => Ok(next + step),
            None => self.look_up(spelled),
        }
    }

    #[cold]
    fn look_up(&self, spelled: &[u8]) -> Result<usize, Missing> {
        let name = decoded(spelled);
        let found = self.fields.binary_search_by(|field| field.name.as_str().cmp(&name));
        found.map_err(|place| Missing { place, name })
    }

    fn add(&mut self, spelled: &[u8], Missing { place, name }: Missing) -> Option<usize> {
        if self.fields.len() >= Schema::MAX_FIELDS || name.len() > Schema::MAX_NAME_BYTES {
            return None;
        }
        let field = Field { name, spelled: spelled.to_vec(), types: Types::default() };
        self.fields.insert(place, field);
        Some(place)
    }
}

/// A field that is not known, and where it belongs.
struct Missing {
    place: usize,
    name: String,
}

/// A name without its escapes; one that stands for no text, as it is spelled.
fn decoded(spelled: &[u8]) -> String {
    let quoted = [b"\"", spelled, b"\""].concat();
    match decode_string(&quoted) {
        Ok(name) => name.into_owned(),
        Err(_) => String::from_utf8_lossy(spelled).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(records: &[&str]) -> Observer {
        let mut observer = Observer::default();
        records.iter().for_each(|record| {
            observer.take(record.as_bytes());
        });
        observer
    }

    fn shown(observer: &Observer) -> String {
        serde_json::to_string(&observer.schema()).unwrap()
    }

    #[test]
    fn a_schema_grows_with_the_records() {
        let mut observer = learned(&[r#"{"b":1,"d":null}"#]);
        assert_eq!(shown(&observer), r#"{"b":["integer"],"d":[]}"#);
        assert!(!observer.take(br#"{"b":2}"#), "nothing is new");
        assert!(!observer.take(br#"{}"#));
        assert!(observer.take(br#"{"a":[],"b":null,"c":{"x":1},"d":"x","e":true}"#));
        assert!(observer.take(br#"{"b":1.5}"#));
        assert_eq!(
            shown(&observer),
            r#"{"a":["array"],"b":["number"],"c":["object"],"d":["string"],"e":["boolean"]}"#
        );
        assert_eq!(shown(&Observer::new(&observer.schema())), shown(&observer));
    }

    #[test]
    fn a_field_is_found_however_it_is_spelled_and_wherever_it_stands() {
        let mut observer = learned(&[r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}"#]);
        assert!(!observer.take(br#"{"h":1}"#));
        assert!(!observer.take(br#"{"\u0061":1,"h":1}"#));
        assert_eq!(observer.judge(br#"{"\u0061":1,"\u0068":2}"#), Ok(()));
        assert_eq!(observer.schema().len(), 8);
    }

    #[test]
    fn a_misfit_says_what_it_does_not_fit() {
        let observer = learned(&[r#"{"id":1,"note":null,"size":1.5}"#]);
        let misfit = |record: &str| observer.judge(record.as_bytes()).unwrap_err().to_string();
        assert_eq!(observer.judge(br#"{"id":2,"note":"x","size":3}"#), Ok(()), "it was always null");
        assert_eq!(observer.judge(br#"{"id":null}"#), Ok(()));
        assert_eq!(misfit(r#"{"id":"7"}"#), "the field `id` is string here, and was integer");
        assert_eq!(misfit(r#"{"id":1,"other":null}"#), "the field `other` is new");
    }

    #[test]
    fn what_is_too_much_is_not_remembered() {
        let mut record = "{".to_owned();
        for number in 0..Schema::MAX_FIELDS + 5 {
            record += &format!("\"{number:05}\":1,");
        }
        let mut observer = Observer::default();
        observer.take(record.as_bytes());
        observer.take(format!("{{\"{}\":1}}", "x".repeat(Schema::MAX_NAME_BYTES + 1)).as_bytes());
        assert_eq!(observer.schema().len(), Schema::MAX_FIELDS);
        assert!(!observer.take(record.as_bytes()));
        assert!(observer.judge(record.as_bytes()).is_err());
    }

    #[test]
    fn changes_are_told_from_what_was_before() {
        let before = learned(&[r#"{"id":1,"note":null,"old":true,"size":1}"#]).schema();
        let after = learned(&[r#"{"id":2,"new":[],"note":"x","size":"big"}"#, r#"{"size":4}"#]).schema();
        let changes = after.changes_since(&before);
        assert_eq!((changes.new, changes.gone), (vec!["new".to_owned()], vec!["old".to_owned()]));
        assert_eq!(changes.changed.len(), 1, "a field that was always null may be anything");
        assert_eq!(format!("{:?}", changes.changed[0].after), r#"["integer", "string"]"#);
    }
}
