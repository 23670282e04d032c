//! Looks at records as they pass, one after the other.
//!
//! Whoever writes a record knows its fields already, and notes them; the records of others are gone through. Records of a stream mostly have the same fields in the same order. So the place of a field is guessed from that of the one
//! before, and found by its name only where the guess is wrong.

use std::sync::Arc;

use super::field_types::name_of;
use super::{Misfit, Schema, Types};
use crate::json::{Members, Object, ValueKind, decode_string};

/// A schema that records are held against.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    /// In the order of their names, which is that of the members of a canonical record.
    fields: Vec<Field>,
    /// The same as a schema, until it changes.
    schema: Option<Arc<Schema>>,
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    /// The name as the records spell it, which may have escapes in it.
    spelled: Vec<u8>,
    types: Types,
}

impl Field {
    /// One that the records spell as it is.
    fn new(name: &str, types: Types) -> Self {
        Self { name: name.to_owned(), spelled: name.as_bytes().to_vec(), types }
    }
}

/// So many fields that are left out in a record are stepped over before a name is looked up.
const STEPS: usize = 4;

impl Observer {
    /// One that knows this schema.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        let fields = schema.fields().map(|(name, types)| Field::new(name, types));
        Self { fields: fields.collect(), schema: None }
    }

    /// One for records that all have these fields, which are in the order of their names.
    #[must_use]
    pub fn of_columns<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let fields = names.into_iter().map(|name| Field::new(name, Types::default()));
        Self { fields: fields.collect(), schema: None }
    }

    /// What it knows.
    #[must_use]
    pub fn schema(&self) -> Schema {
        Schema(self.fields.iter().map(|field| (field.name.clone(), field.types)).collect())
    }

    /// What it knows, as the same schema until that changes.
    #[inline]
    pub fn shared_schema(&mut self) -> &Arc<Schema> {
        if self.schema.is_none() {
            self.schema = Some(Arc::new(self.schema()));
        }
        self.schema.as_ref().expect("it was made just now")
    }

    /// Notes the value of a column, by the place of its name among those of [`of_columns`](Self::of_columns).
    #[inline]
    pub fn note(&mut self, column: usize, kind: ValueKind) {
        if let Some(field) = self.fields.get_mut(column).filter(|field| !field.types.covers(kind)) {
            field.types = field.types.with(kind);
            self.schema = None;
        }
    }

    /// Notes the values of all columns, which lie in `output`.
    #[inline]
    pub fn note_columns(&mut self, output: &[u8], values: &[(usize, usize)]) {
        for (column, (from, to)) in values.iter().enumerate() {
            self.note(column, ValueKind::of(&output[*from..*to]));
        }
    }

    /// Notes the fields of a record that was just read, whose canonical form lies in `output`.
    #[inline]
    pub fn note_object(&mut self, record: &Object<'_>, output: &[u8]) {
        let mut next = 0;
        for member in record.fields() {
            let (name, kind) = (member.name_bytes(), ValueKind::of(&output[member.span()]));
            let place = match self.fields.get(next) {
                Some(field) if field.name.as_bytes() == name => Ok(next),
                _ => self.look_up_name(name),
            };
            let Some(place) = place.map_or_else(|missing| self.add(missing), Some) else { continue };
            self.note(place, kind);
            next = place + 1;
        }
    }

    /// Takes the fields of another schema into this one. Whether that has changed it.
    pub fn merge(&mut self, other: &Schema) -> bool {
        let mut changed = false;
        for (name, types) in other.fields() {
            let place = match self.look_up_name(name.as_bytes()) {
                Ok(place) => place,
                Err(missing) => {
                    let Some(place) = self.add(missing) else { continue };
                    changed = true;
                    place
                }
            };
            let known = &mut self.fields[place].types;
            if !known.is_superset(types) {
                *known = known.and(types);
                self.schema = None;
                changed = true;
            }
        }
        changed
    }

    /// Whether every record of another schema fits.
    #[must_use]
    pub fn fits(&self, other: &Schema) -> bool {
        other.fields().all(|(name, types)| {
            let known = self.look_up_name(name.as_bytes()).ok().map(|place| self.fields[place].types);
            known.is_some_and(|known| known.is_empty() || known.is_superset(types))
        })
    }

    /// Takes the fields of a record, which is canonical JSON, into the schema. Whether that has changed it.
    pub fn take(&mut self, record: &[u8]) -> bool {
        let mut changed = false;
        let mut next = 0;
        for (spelled, kind) in Members::of(record) {
            let place = match self.find(spelled, next) {
                Ok(place) => place,
                Err(missing) => {
                    let Some(place) = self.add(missing) else { continue };
                    spelled.clone_into(&mut self.fields[place].spelled);
                    changed = true;
                    place
                }
            };
            let types = &mut self.fields[place].types;
            if !types.covers(kind) {
                *types = types.with(kind);
                self.schema = None;
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
        self.look_up_name(decoded(spelled).as_bytes())
    }

    #[cold]
    fn look_up_name(&self, name: &[u8]) -> Result<usize, Missing> {
        let found = self.fields.binary_search_by(|field| field.name.as_bytes().cmp(name));
        // Half of a surrogate pair is no text.
        found.map_err(|place| Missing { place, name: String::from_utf8_lossy(name).into_owned() })
    }

    fn add(&mut self, Missing { place, name }: Missing) -> Option<usize> {
        if self.fields.len() >= Schema::MAX_FIELDS || name.len() > Schema::MAX_NAME_BYTES {
            return None;
        }
        self.fields.insert(place, Field::new(&name, Types::default()));
        self.schema = None;
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
    use crate::json::{Canonicalizer, Limits};

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
    fn what_is_noted_while_a_record_is_read_is_what_is_found_in_it() {
        let records = [
            r#"{"b":1,"\u0061":null}"#,
            r#"{"z":[{"b":""}],"b":-1.5e3,"a":{}}"#,
            "{}",
            r#"{"c":"x","z":true,"\ud800":1}"#,
        ];
        let (mut noting, mut finding) = (Observer::default(), Observer::default());
        let mut canonicalizer = Canonicalizer::new(Limits::default());
        let mut output = b"before".to_vec();
        for record in records {
            let object = canonicalizer.object(record.as_bytes(), &mut output).unwrap();
            noting.note_object(&object, &output);
            finding.take(&output[object.span()]);
        }
        assert_eq!(noting.schema().get("z"), finding.schema().get("z"));
        assert!(["a", "b", "c"].iter().all(|name| noting.schema().get(name) == finding.schema().get(name)));
        assert_eq!(noting.schema().len(), finding.schema().len());
    }

    #[test]
    fn a_schema_is_shared_until_it_changes() {
        let mut observer = Observer::of_columns(["a", "b"]);
        let before = Arc::clone(observer.shared_schema());
        observer.note_columns(br#"null"#, &[(0, 4), (0, 4)]);
        assert!(Arc::ptr_eq(&before, observer.shared_schema()));
        observer.note_columns(br#"1"x""#, &[(0, 1), (1, 4)]);
        assert_eq!(
            serde_json::to_string(&**observer.shared_schema()).unwrap(),
            r#"{"a":["integer"],"b":["string"]}"#
        );
    }

    #[test]
    fn schemas_are_merged_and_held_against_each_other() {
        let mut observer = learned(&[r#"{"a":1,"n":null}"#]);
        let same = learned(&[r#"{"a":2}"#, r#"{"n":"x"}"#]).schema();
        assert!(observer.fits(&same), "what was always null may be anything");
        assert!(observer.merge(&same) && !observer.merge(&same));
        let other = learned(&[r#"{"a":"x","c":true}"#]).schema();
        assert!(!observer.fits(&other));
        assert!(observer.merge(&other) && observer.fits(&other));
        assert_eq!(shown(&observer), r#"{"a":["integer","string"],"c":["boolean"],"n":["string"]}"#);
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
