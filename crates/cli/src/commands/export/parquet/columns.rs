//! Which columns a file gets: what is learned of the fields while the records go by.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use super::fields::{RawRecord, each_field};
use super::number::{double, integer};

/// More fields than this get no column each: whoever has more has names made of data.
pub(super) const MOST_FIELDS: usize = 500;

/// Integers up to this one are doubles too.
const MOST_IN_DOUBLE: u64 = 1 << 53;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true` and `false`.
    Boolean,
    /// 64 bits.
    Integer,
    /// 64 bits that show every digit.
    Double,
    /// A text, without quotes.
    Text,
    /// A time with microseconds.
    Time,
    /// Any value, as its JSON.
    Json,
}

/// Where a column's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    ConnectorId,
    Stream,
    Key,
    Data,
    Change,
    SyncId,
    CreatedAt,
    UpdatedAt,
    /// The field of the column's name.
    Field,
}

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) kind: Kind,
}

impl Column {
    /// Whether every record has a value there.
    pub(super) fn is_required(&self) -> bool {
        self.origin != Origin::Field
    }
}

/// What the records hold.
#[derive(Debug, Default)]
pub(super) struct Shape {
    key: Seen,
    /// In the order in which they were first seen.
    fields: Vec<(String, Seen)>,
    places: HashMap<String, usize>,
    has_more: bool,
}

/// Which values were seen in one place.
#[derive(Debug, Clone, Default)]
struct Seen {
    booleans: bool,
    texts: bool,
    numbers: bool,
    /// A number that is no integer of 64 bits.
    other_numbers: bool,
    /// A number that no double shows whole.
    long_numbers: bool,
    /// Arrays, objects, and texts that are no Unicode.
    others: bool,
}

impl Shape {
    /// Looks at a record.
    pub(super) fn learn(&mut self, record: &str) -> serde_json::Result<()> {
        let record: RawRecord<'_> = serde_json::from_str(record)?;
        self.key.learn(record.key);
        each_field(record.data, |name, value| {
            if let Some(place) = self.places.get(&*name) {
                self.fields[*place].1.learn(value);
            } else if self.fields.len() < MOST_FIELDS {
                self.places.insert(name.clone().into_owned(), self.fields.len());
                let mut seen = Seen::default();
                seen.learn(value);
                self.fields.push((name.into_owned(), seen));
            } else {
                self.has_more = true;
            }
        })
    }

    /// Whether there are fields that could get no column.
    pub(super) fn has_more_fields(&self) -> bool {
        self.has_more
    }

    /// What stands around the fields, all of `data` as JSON, and each field whose values are of one kind. A field with the
    /// name of a column that is there already stays in `data`.
    pub(super) fn all_columns(&self) -> Vec<Column> {
        let of_record = |name: &str, origin, kind| Column { name: name.to_owned(), origin, kind };
        let mut columns = vec![
            of_record("connector_id", Origin::ConnectorId, Kind::Text),
            of_record("stream", Origin::Stream, Kind::Text),
            of_record("key", Origin::Key, self.key.kind().unwrap_or(Kind::Json)),
            of_record("data", Origin::Data, Kind::Json),
            of_record("change", Origin::Change, Kind::Integer),
            of_record("sync_id", Origin::SyncId, Kind::Text),
            of_record("created_at", Origin::CreatedAt, Kind::Time),
            of_record("updated_at", Origin::UpdatedAt, Kind::Time),
        ];
        let fixed = columns.len();
        for (name, seen) in &self.fields {
            if let Some(kind) = seen.kind()
                && columns[..fixed].iter().all(|column| column.name != *name)
            {
                columns.push(of_record(name, Origin::Field, kind));
            }
        }
        columns
    }

    /// Every field; as JSON where its values are of several kinds.
    pub(super) fn data_columns(&self) -> Vec<Column> {
        let column = |(name, seen): &(String, Seen)| Column {
            name: name.clone(),
            origin: Origin::Field,
            kind: seen.kind().unwrap_or(Kind::Json),
        };
        self.fields.iter().map(column).collect()
    }
}

impl Seen {
    fn learn(&mut self, value: &RawValue) {
        let json = value.get();
        match json.as_bytes().first() {
            Some(b'n') => {}
            Some(b't' | b'f') => self.booleans = true,
            Some(b'"') if text(json).is_some() => self.texts = true,
            Some(b'-' | b'0'..=b'9') => self.learn_number(json),
            _ => self.others = true,
        }
    }

    fn learn_number(&mut self, json: &str) {
        self.numbers = true;
        match integer(json) {
            Some(number) if number.unsigned_abs() <= MOST_IN_DOUBLE => {}
            Some(_) => self.long_numbers |= double(json).is_none(),
            None => {
                self.other_numbers = true;
                self.long_numbers |= double(json).is_none();
            }
        }
    }

    /// What all values are; `None` if they are of several kinds, or there was none but `null`.
    fn kind(&self) -> Option<Kind> {
        match (self.booleans, self.texts, self.numbers, self.others) {
            (true, false, false, false) => Some(Kind::Boolean),
            (false, true, false, false) => Some(Kind::Text),
            (false, false, true, false) if !self.other_numbers => Some(Kind::Integer),
            (false, false, true, false) if !self.long_numbers => Some(Kind::Double),
            _ => None,
        }
    }
}

/// The text that this JSON string is; `None` if half of a surrogate pair makes it none.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    match json.strip_prefix('"')?.strip_suffix('"')? {
        plain if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(values: &[&str]) -> Option<Kind> {
        let mut seen = Seen::default();
        values.iter().for_each(|json| seen.learn(serde_json::from_str(json).unwrap()));
        seen.kind()
    }

    #[test]
    fn a_column_has_the_one_kind_that_all_values_are_of() {
        assert_eq!(kind(&["true", "null", "false"]), Some(Kind::Boolean));
        assert_eq!(kind(&["1", "null", "-9223372036854775808"]), Some(Kind::Integer));
        assert_eq!(kind(&["1", "1.5"]), Some(Kind::Double));
        assert_eq!(kind(&[r#""a""#, r#""\u00e4\n""#]), Some(Kind::Text));
    }

    #[test]
    fn no_column_has_values_of_several_kinds_or_loses_a_digit() {
        for several in [
            &["null"][..],
            &[],
            &["1", r#""1""#],
            &["1", "true"],
            &["{}"],
            &["[1]", "1"],
            &["9223372036854775809"],
            &["9007199254740993", "0.5"],
            &["0.1000000000000000055511151231257827"],
            &[r#""\ud800""#, r#""a""#],
        ] {
            assert_eq!(kind(several), None, "{several:?}");
        }
    }

    #[test]
    fn fields_beyond_the_most_get_no_column_and_are_told() {
        let mut shape = Shape::default();
        let field = |number: usize| {
            format!(
                r#"{{"connector_id":"c","stream":"s","key":1,"data":{{"f{number}":1}},"change":1,"sync_id":"y","created_at":"","updated_at":""}}"#
            )
        };
        (0..MOST_FIELDS).for_each(|number| shape.learn(&field(number)).unwrap());
        assert!(!shape.has_more_fields());
        shape.learn(&field(MOST_FIELDS)).unwrap();
        assert!(shape.has_more_fields());
        assert_eq!(shape.data_columns().len(), MOST_FIELDS);
    }
}
