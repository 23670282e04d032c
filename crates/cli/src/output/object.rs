//! Objects of the API for people: a list as a table of chosen columns, a single one field by field.

use serde_json::Value;
use serde_json::value::RawValue;

use super::numbers;
use super::records::{Fields, plain};
use super::table::{Align, Table, one_line};

/// A column of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    pointer: &'static str,
    shown: Shown,
}

/// How a column's values look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Text,
    Count,
    Bytes,
}

impl Column {
    /// The value at `pointer` (a JSON Pointer) as a text.
    pub(crate) const fn text(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, shown: Shown::Text }
    }

    /// The number at `pointer`, with its thousands apart.
    pub(crate) const fn count(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, shown: Shown::Count }
    }

    /// The number at `pointer` as an amount of bytes.
    pub(crate) const fn bytes(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, shown: Shown::Bytes }
    }

    fn align(self) -> Align {
        if self.shown == Shown::Text { Align::Left } else { Align::Right }
    }

    fn cell(self, object: &Value) -> String {
        match (object.pointer(self.pointer), self.shown) {
            (None | Some(Value::Null), _) => String::new(),
            (Some(Value::String(text)), _) => text.clone(),
            (Some(value), Shown::Count) => value.as_u64().map_or_else(|| value.to_string(), numbers::count),
            (Some(value), Shown::Bytes) => value.as_u64().map_or_else(|| value.to_string(), numbers::bytes),
            (Some(Value::Array(values)), Shown::Text) => values
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
            (Some(value), Shown::Text) => value.to_string(),
        }
    }
}

/// The objects as a table of these columns, for this terminal width.
pub(crate) fn table(columns: &[Column], objects: &[Value], width: Option<usize>) -> String {
    let mut table = Table::new(columns.iter().map(|column| (column.title, column.align())));
    for object in objects {
        table.row(columns.iter().map(|column| column.cell(object)));
    }
    table.render(width)
}

/// Objects within objects are opened up this deep.
const DEPTH: usize = 4;

/// The object, a line for each field, in its own order. Fields of objects within it are named `outer.inner`.
pub(crate) fn details(object: &RawValue) -> String {
    let mut lines = Vec::new();
    open(object, "", DEPTH, &mut lines);
    let widest = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    lines.iter().fold(String::new(), |mut text, (name, value)| {
        let line = format!("{name:widest$}  {value}");
        text.push_str(line.trim_end());
        text.push('\n');
        text
    })
}

fn open(object: &RawValue, name: &str, depth: usize, lines: &mut Vec<(String, String)>) {
    for (field, value) in Fields::of(object).into_pairs() {
        let name = if name.is_empty() { field } else { format!("{name}.{field}") };
        let is_object = value.get().starts_with('{') && value.get() != "{}";
        if is_object && depth > 0 {
            open(&value, &name, depth - 1, lines);
        } else {
            let shown = if value.get() == "null" { "-".to_owned() } else { one_line(&plain(&value)) };
            lines.push((one_line(&name), shown));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_a_table_of_its_columns() {
        let columns = [
            Column::text("id", "/id"),
            Column::count("records", "/records"),
            Column::bytes("size", "/bytes"),
            Column::text("last", "/last/status"),
            Column::text("key", "/key"),
        ];
        let objects = [
            json!({"id": "a", "records": 1458, "bytes": 180_224, "last": {"status": "failed"}, "key": ["x", 1]}),
            json!({"id": "b\u{1b}[31m", "records": 0, "last": null, "other": 1, "key": null}),
        ];
        insta::assert_snapshot!(table(&columns, &objects, None), @r"
        id      records      size  last    key
        a         1,458  180.2 kB  failed  x, 1
        b [31m        0
        ");
    }

    #[test]
    fn an_object_is_shown_field_by_field_in_its_own_order() {
        let json = r#"{"name": "Orders", "id": "con_1", "config": {"path": "a\nb", "options": {}, "auth": {"user": "u"}},
            "streams": [{"name": "s"}], "last_sync": null, "big": 12345678901234567890123, "active": true}"#;
        insta::assert_snapshot!(details(&serde_json::from_str::<Box<RawValue>>(json).unwrap()), @r#"
        name              Orders
        id                con_1
        config.path       a b
        config.options    {}
        config.auth.user  u
        streams           [{"name": "s"}]
        last_sync         -
        big               12345678901234567890123
        active            true
        "#);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        let shown = details(&serde_json::from_str::<Box<RawValue>>(&deep).unwrap());
        assert!(shown.starts_with("a.a.a.a.a  {"), "{shown}");
    }
}
