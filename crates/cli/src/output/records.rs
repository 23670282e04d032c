//! Records as tables: one for each stream, a column for each field.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::table::{Align, Table};
use crate::client::objects::Record;

/// The records as tables for this terminal width. Those of a stream must stand together, as the API gives them.
pub(crate) fn by_stream(records: &[Record], width: Option<usize>) -> String {
    let same_stream = |a: &Record, b: &Record| a.stream == b.stream && a.connector_id == b.connector_id;
    let named = |group: &[Record]| {
        let name = group.first().map_or("", |record| record.stream.as_str());
        format!("{name}\n{}", table(group).render(width))
    };
    records.chunk_by(same_stream).map(named).collect::<Vec<_>>().join("\n")
}

fn table(records: &[Record]) -> Table {
    let rows: Vec<Fields> = records.iter().map(|record| Fields::of(&record.data)).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|fields| &fields.0) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let columns = names.iter().map(|name| (*name, align(name, &rows)));
    let mut table = Table::new(std::iter::once(("key", Align::Left)).chain(columns));
    for (record, fields) in records.iter().zip(&rows) {
        let cells = names.iter().map(|name| fields.get(name).map_or_else(String::new, plain));
        table.row(std::iter::once(plain(&record.key)).chain(cells));
    }
    table
}

/// A column of nothing but numbers stands to the right.
fn align(name: &str, rows: &[Fields]) -> Align {
    let is_number =
        |value: &RawValue| value.get().starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let is_null = |value: &RawValue| value.get() == "null";
    let mut values = rows.iter().filter_map(|fields| fields.get(name));
    if values.all(|value| is_number(value) || is_null(value)) { Align::Right } else { Align::Left }
}

/// A text without its quotes, null as nothing, all else as its JSON.
pub(crate) fn plain(value: &RawValue) -> String {
    match value.get() {
        "null" => String::new(),
        json => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
    }
}

/// The fields of a record, in its own order.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// Those of `data`; none if it is no object.
    pub(super) fn of(data: &RawValue) -> Self {
        serde_json::from_str(data.get()).unwrap_or_default()
    }

    /// Each field and its value.
    pub(super) fn into_pairs(self) -> Vec<(String, Box<RawValue>)> {
        self.0
    }

    fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(stream: &str, key: serde_json::Value, data: &str) -> Record {
        let raw = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let json = json!({"connector_id": "con_1", "stream": stream, "key": key, "data": raw(data)});
        serde_json::from_str(&json.to_string()).unwrap()
    }

    #[test]
    fn each_stream_is_a_table_of_its_fields() {
        let records = [
            record("airlines", json!("9E"), r#"{"carrier": "9E", "name": "Endeavor Air Inc."}"#),
            record("weather", json!(["EWR", 7]), r#"{"gust": null, "temp": 39.02, "tags": ["a"]}"#),
            record("weather", json!(["EWR", 8]), r#"{"temp": -7, "windy": true}"#),
        ];
        insta::assert_snapshot!(by_stream(&records, None), @r#"
        airlines
        key  carrier  name
        9E   9E       Endeavor Air Inc.

        weather
        key        gust  tags    temp  windy
        ["EWR",7]        ["a"]  39.02
        ["EWR",8]                  -7  true
        "#);
    }
}
