//! What a user sets: which files, and how to read them.

use std::collections::BTreeMap;

use inlet_model::StreamName;
use inlet_model::fields::{FieldErrors, Fields};
use serde_json::{Map, Value, json};

use super::format::{Compression, Format};
use super::pattern::Pattern;
use super::roots::Roots;

/// A checked config.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) pattern: Pattern,
    pub(super) stream: StreamName,
    /// `None`: each file tells.
    pub(super) format: Option<Format>,
    /// `None`: each file tells.
    pub(super) compression: Option<Compression>,
    pub(super) csv: CsvConfig,
}

/// How CSV files are read.
#[derive(Debug, Clone)]
pub(super) struct CsvConfig {
    /// `None`: a comma, or a tab where the file's name ends in `.tsv`.
    pub(super) delimiter: Option<u8>,
    pub(super) quote: Option<u8>,
    /// The names of the columns if no header line gives them.
    pub(super) columns: Option<Vec<String>>,
    /// The types of columns whose type is not to be guessed.
    pub(super) types: BTreeMap<String, ColumnType>,
    /// The texts that stand for null.
    pub(super) null_values: Vec<String>,
}

/// The type of a CSV column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnType {
    String,
    Integer,
    Number,
    Boolean,
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
    pub(super) fn as_str(self) -> &'static str {
        COLUMN_TYPES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl Config {
    /// Checks a config, naming every bad field.
    pub(super) fn read(value: Value, roots: &Roots) -> Result<Self, FieldErrors> {
        let mut fields = Fields::new(value)?;
        let path = fields.required_string("path");
        let pattern = path.as_deref().and_then(|path| read_path(&mut fields, path, roots));
        let stream = fields.string("stream").and_then(|name| match StreamName::new(&name) {
            Ok(name) => Some(name),
            Err(error) => {
                fields.refuse("stream", "field.value", error.to_string());
                None
            }
        });
        let format = fields.choice(
            "format",
            &[
                ("auto", None),
                ("csv", Some(Format::Csv)),
                ("jsonl", Some(Format::JsonLines)),
                ("json", Some(Format::Json)),
            ],
        );
        let compression = fields.choice(
            "compression",
            &[
                ("auto", None),
                ("none", Some(Compression::None)),
                ("gzip", Some(Compression::Gzip)),
                ("zstd", Some(Compression::Zstd)),
            ],
        );
        let pointer = fields.pointer_to("csv");
        let csv = fields.object("csv").unwrap_or_default();
        let csv = CsvConfig::read(pointer, csv).map_err(|errors| fields.refuse_all(errors)).ok();
        fields.finish()?;
        let (pattern, csv) = pattern.zip(csv).expect("a part that was refused has left an error");
        let stream = stream.unwrap_or_else(|| pattern.stream_name(path.as_deref().unwrap_or_default()));
        Ok(Self { pattern, stream, format: format.flatten(), compression: compression.flatten(), csv })
    }
}

fn read_path(fields: &mut Fields, path: &str, roots: &Roots) -> Option<Pattern> {
    let pattern = match Pattern::parse(path) {
        Ok(pattern) => pattern,
        Err(error) => {
            fields.refuse("path", error.code(), error.to_string());
            return None;
        }
    };
    if roots.is_empty() {
        let detail = "this server may read no files: start it with `--files-root DIRECTORY`";
        fields.refuse("path", "files.outside_roots", detail);
        return None;
    }
    if let Err(error) = roots.resolve(&pattern) {
        let detail = format!("`{path}` does not lie in a directory that this server may read: {error}");
        fields.refuse("path", "files.outside_roots", detail);
        return None;
    }
    Some(pattern)
}

impl CsvConfig {
    fn read(pointer: String, value: Map<String, Value>) -> Result<Self, FieldErrors> {
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
    for (column, value) in fields.object("types").unwrap_or_default() {
        let found = value.as_str().and_then(|text| COLUMN_TYPES.iter().find(|(name, _)| *name == text));
        if let Some((_, kind)) = found {
            types.insert(column, *kind);
            continue;
        }
        let names: Vec<String> = COLUMN_TYPES.iter().map(|(name, _)| format!("`{name}`")).collect();
        fields.refuse_all(FieldErrors(vec![inlet_model::fields::FieldError {
            pointer: format!("{pointer}/{}", column.replace('~', "~0").replace('/', "~1")),
            code: "field.choice",
            detail: format!("the type of a column is one of {}", names.join(", ")),
        }]));
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

/// The JSON Schema of the config.
pub(super) fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["path"],
        "additionalProperties": false,
        "properties": {
            "path": {
                "type": "string", "title": "Path", "minLength": 1, "maxLength": 4096,
                "description": "A file, or a glob with `*`, `?`, `[abc]`, `{a,b}` and `**`: absolute, or relative to a files root.",
                "examples": ["/data/orders.csv", "weather/*.jsonl.gz"],
            },
            "stream": {
                "type": "string", "title": "Stream", "minLength": 1, "maxLength": StreamName::MAX_LEN,
                "description": "The name of the stream. Default: from the path.",
            },
            "format": {
                "enum": ["auto", "csv", "jsonl", "json"], "default": "auto", "title": "Format",
                "description": "How records lie in the files. `auto`: by the name, else by the first bytes.",
            },
            "compression": {
                "enum": ["auto", "none", "gzip", "zstd"], "default": "auto", "title": "Compression",
                "description": "How the files are compressed. `auto`: by the name, else by the first bytes.",
            },
            "csv": csv_schema(),
        },
    })
}

fn csv_schema() -> Value {
    let names = COLUMN_TYPES.map(|(name, _)| name);
    json!({
        "type": "object", "title": "CSV", "additionalProperties": false,
        "description": "How CSV files are read.",
        "properties": {
            "delimiter": {
                "type": "string", "minLength": 1, "maxLength": 1, "title": "Delimiter",
                "description": "What stands between fields. Default: a comma; a tab for `.tsv`.",
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
            },
            "types": {
                "type": "object", "additionalProperties": {"enum": names}, "title": "Types",
                "description": "The types of columns that are not to be guessed. A value that does not fit rejects its record.",
            },
            "null_values": {
                "type": "array", "items": {"type": "string"}, "default": [""], "title": "Null values",
                "description": "The texts that stand for null.",
            },
        },
    })
}
