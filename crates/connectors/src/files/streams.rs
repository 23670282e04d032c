//! Whether the files can be read, and what is in them, as far as the beginning of the first one shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::Scope;
use inlet_model::json::find_value_end;
use inlet_source::{ErrorKind, SourceError, StreamSpec};
use serde_json::{Map, Value, json};

use super::config::Settings;
use super::convert::{self, SAMPLE, Trouble};
use super::format::{Compression, Format};
use super::listing;
use crate::blocking::{Stop, on_thread_within};

/// How long the operating system may take to list the files and read a sample.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most records of a sample.
const SAMPLE_RECORDS: usize = 1000;

/// Whether there is a file, and the first one can be read.
pub(super) async fn check(settings: Arc<Settings>) -> Result<(), SourceError> {
    on_thread_within(PATIENCE, "check files", move |stop| look(&settings, &stop).map(|_| ())).await
}

/// The one stream there is.
pub(super) async fn discover(settings: Arc<Settings>) -> Result<Vec<StreamSpec>, SourceError> {
    on_thread_within(PATIENCE, "discover files", move |stop| look(&settings, &stop).map(|spec| vec![spec]))
        .await
}

fn look(settings: &Settings, stop: &Stop) -> Result<StreamSpec, SourceError> {
    let Settings { config, roots, .. } = settings;
    let files = listing::list(&config.pattern, roots, &mut || stop.is_set())?;
    let sizes =
        files.0.values().map(|path| std::fs::metadata(path).map_or(0, |metadata| metadata.len())).sum();
    let Some((scope, path)) = files.0.first_key_value() else {
        return Err(SourceError::new(
            ErrorKind::Internal,
            "discover files",
            "an empty list is an error before",
        ));
    };
    let (schema, per_record) =
        sample(settings, scope, path, stop).map_err(|error| error.with("path", path.display()))?;
    Ok(StreamSpec {
        name: config.stream.clone(),
        schema,
        primary_key: Vec::new(),
        cursor_field: None,
        estimated_records: per_record.map(|bytes| estimate(sizes, bytes)),
    })
}

/// How many records of so many bytes each there are in all.
fn estimate(sizes: u64, bytes_per_record: f64) -> u64 {
    (sizes as f64 / bytes_per_record).round() as u64
}

/// The schema of the records at the beginning of a file, and how long they are on average if that tells anything.
fn sample(
    settings: &Settings,
    scope: &Scope,
    path: &Path,
    stop: &Stop,
) -> Result<(Value, Option<f64>), SourceError> {
    let Settings { config, roots, .. } = settings;
    let (file, _) = roots.open(path).map_err(|error| error.about(path))?;
    let stopped = || SourceError::new(ErrorKind::Unavailable, "discover files", "it was stopped");
    let failed = |trouble| match trouble {
        Trouble::Failed(error) => error,
        Trouble::Closed => stopped(),
    };
    let mut opened = convert::open(config, scope.as_str(), &file, stop).map_err(failed)?;
    opened.window.fill_to(SAMPLE).map_err(|error| failed(error.into()))?;
    let text = opened.window.bytes();
    let (schema, (records, bytes)) = match opened.format {
        Format::Csv => {
            let header = opened.header()?;
            let columns = header.columns.into_iter();
            let properties = columns.map(|column| (column.name, column.kind.column_type().schema()));
            (object_schema(properties.collect()), header.sampled)
        }
        Format::JsonLines | Format::Json => json_schema(&text[..text.len().min(SAMPLE)], opened.format),
    };
    let is_telling = records > 0 && opened.compression == Compression::None;
    Ok((schema, is_telling.then(|| bytes as f64 / records as f64)))
}

fn object_schema(properties: Map<String, Value>) -> Value {
    json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": properties})
}

/// The types that each top-level field has in the whole records of a sample, and how many there are in how many bytes.
fn json_schema(text: &[u8], format: Format) -> (Value, (usize, usize)) {
    let mut types = BTreeMap::<String, BTreeSet<&'static str>>::new();
    let (mut at, mut records) = (0, 0);
    while records < SAMPLE_RECORDS {
        at += text[at..].iter().take_while(|byte| is_between(**byte, format)).count();
        let Some(len) = find_value_end(&text[at..]).filter(|len| at + len < text.len() || records == 0)
        else {
            break;
        };
        if let Ok(record) = serde_json::from_slice::<Map<String, Value>>(&text[at..at + len]) {
            for (name, value) in record {
                types.entry(name).or_default().insert(type_name(&value));
            }
        }
        records += 1;
        at += len;
    }
    let properties = types.into_iter().map(|(name, types)| (name, json!({"type": types})));
    (object_schema(properties.collect()), (records, at))
}

/// Whether a byte can stand between two records.
fn is_between(byte: u8, format: Format) -> bool {
    byte.is_ascii_whitespace() || (format == Format::Json && matches!(byte, b'[' | b',' | b']'))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
