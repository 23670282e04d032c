//! How a user says that CSV is to be read.

use std::collections::BTreeMap;

use inlet_model::fields::{FieldErrors, Fields};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::Dialect;

/// How CSV is read, as part of a source's config: the object `csv`.
#[derive(Debug, Clone, Serialize)]
pub struct CsvOptions {
    /// What stands between fields; `None`: what is usual.
    pub delimiter: Option<u8>,
    /// What stands around a field that holds delimiters or line ends; `None`: nothing does.
    pub quote: Option<u8>,
    /// The names of the columns if no header line gives them.
    pub columns: Option<Vec<String>>,
    /// The types of columns whose type is not to be guessed.
    pub types: BTreeMap<String, ColumnType>,
    /// The texts that stand for null.
    pub null_values: Vec<String>,
}

/// The type of a CSV column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Any text.
    String,
    /// A JSON number without a point and an exponent.
    Integer,
    /// A JSON number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Any JSON value.
    Json,
}

const COLUMN_TYPES: [(&str, ColumnType); 5] = [
    ("string", ColumnType::String),
    ("integer", ColumnType::Integer),
    ("number", ColumnType::Number),
    ("boolean", ColumnType::Boolean),
    ("json", ColumnType::Json),
];

impl ColumnType {
    /// The name in a config.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        COLUMN_TYPES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The JSON Schema of a column's values.
    #[must_use]
    pub fn schema(self) -> Value {
        match self {
            Self::Json => json!({}),
            other => json!({"type": [other.as_str(), "null"]}),
        }
    }
}

impl Serialize for ColumnType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl CsvOptions {
    /// Reads the object `csv` that stands at `pointer` of a config, naming every bad field.
    pub fn read(pointer: String, value: Map<String, Value>) -> Result<Self, FieldErrors> {
        let mut fields = Fields::at(pointer, Value::Object(value))?;
        let delimiter = character(&mut fields, "delimiter").flatten();
        let quote = character(&mut fields, "quote").unwrap_or(Some(b'"'));
        if quote
            .is_some_and(|quote| delimiter.map_or(b",\t".contains(&quote), |delimiter| delimiter == quote))
        {
            fields.refuse("quote", "field.value", "`quote` and `delimiter` are the same character");
        }
        let header = fields.boolean("header").unwrap_or(true);
        let columns = fields.strings("columns");
        match (&columns, header) {
            (None, false) => {
                fields.refuse(
                    "columns",
                    "field.required",
                    "without a header line, `columns` names the columns",
                );
            }
            (Some(_), true) => {
                fields.refuse("columns", "field.value", "`columns` is for files whose `header` is false");
            }
            (Some(names), false) => {
                if let Some(problem) = bad_columns(names.iter().map(String::as_str)) {
                    fields.refuse("columns", "field.value", problem);
                }
            }
            (None, true) => {}
        }
        let types = read_types(&mut fields);
        let null_values = fields.strings("null_values").unwrap_or_else(|| vec![String::new()]);
        fields.finish()?;
        Ok(Self { delimiter, quote, columns, types, null_values })
    }

    /// The dialect, where `usual` stands between fields if the user does not say.
    #[must_use]
    pub fn dialect(&self, usual: u8) -> Dialect {
        Dialect { delimiter: self.delimiter.unwrap_or(usual), quote: self.quote }
    }

    /// The JSON Schema of the object `csv`.
    #[must_use]
    pub fn schema() -> Value {
        let names = COLUMN_TYPES.map(|(name, _)| name);
        json!({
            "type": "object", "title": "CSV", "additionalProperties": false,
            "description": "How CSV files are read.",
            "properties": {
                "delimiter": {
                    "type": "string", "minLength": 1, "maxLength": 1, "title": "Delimiter",
                    "description": "What stands between fields. Default: a comma; a tab for `.tsv`.",
                    "examples": [";", "|"],
                },
                "quote": {
                    "type": "string", "maxLength": 1, "default": "\"", "title": "Quote",
                    "description": "What stands around fields that hold delimiters or line ends. Empty: nothing does.",
                },
                "header": {
                    "type": "boolean", "default": true, "title": "Header",
                    "description": "Whether the first line names the columns.",
                },
                "columns": {
                    "type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "title": "Columns",
                    "description": "The names of the columns where there is no header.",
                    "examples": [["id", "name"]],
                },
                "types": {
                    "type": "object", "additionalProperties": {"enum": names}, "title": "Types",
                    "description": "The types of columns that are not to be guessed. A value that does not fit rejects its record.",
                    "examples": [{"zip": "string", "balance": "number"}],
                },
                "null_values": {
                    "type": "array", "items": {"type": "string"}, "default": [""], "title": "Null values",
                    "description": "The texts that stand for null.",
                },
            },
        })
    }
}

/// One ASCII character; the empty text is `Some(None)`.
fn character(fields: &mut Fields, name: &'static str) -> Option<Option<u8>> {
    let text = fields.string(name)?;
    match text.as_bytes() {
        [] if name == "quote" => Some(None),
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Some(Some(*byte)),
        _ => {
            fields.refuse(name, "field.value", format!("`{name}` is one ASCII character, and no line end"));
            None
        }
    }
}

fn read_types(fields: &mut Fields) -> BTreeMap<String, ColumnType> {
    let mut types = BTreeMap::new();
    let pointer = fields.pointer_to("types");
    let given = fields.object("types").unwrap_or_default();
    let Ok(mut columns) = Fields::at(pointer, Value::Object(Map::new())) else { return types };
    for (column, value) in given {
        let found = value.as_str().and_then(|text| COLUMN_TYPES.iter().find(|(name, _)| *name == text));
        if let Some((_, kind)) = found {
            types.insert(column, *kind);
            continue;
        }
        let names: Vec<String> = COLUMN_TYPES.iter().map(|(name, _)| format!("`{name}`")).collect();
        columns.refuse(
            &column,
            "field.choice",
            format!("the type of a column is one of {}", names.join(", ")),
        );
    }
    if let Err(errors) = columns.finish() {
        fields.refuse_all(errors);
    }
    types
}

/// What is wrong with the names of columns, if anything is.
pub(super) fn bad_columns<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Option<String> {
    /// The most columns of a file.
    const MAX_COLUMNS: usize = 16_384;
    if names.len() == 0 {
        return Some("there is no column".to_owned());
    }
    if names.len() > MAX_COLUMNS {
        return Some(format!("there are {} columns, and at most {MAX_COLUMNS} are read", names.len()));
    }
    let (mut seen, mut bad) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for (index, name) in names.enumerate() {
        let number = index + 1;
        if name.is_empty() {
            bad.push(format!("column {number} has no name"));
        } else if let Some(first) = seen.insert(name, number) {
            bad.push(format!("columns {first} and {number} are both named `{name}`"));
        }
    }
    const SHOWN: usize = 10;
    bad.truncate(SHOWN);
    if bad.is_empty() { None } else { Some(bad.join("; ")) }
}
