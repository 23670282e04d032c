//! Whether the files can be read, and what is in them, as far as the beginning of the first one shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::Scope;
use inlet_model::json::find_value_end;
use inlet_source::{ErrorKind, SourceError, StreamSpec};
use memchr::memchr;
use serde_json::{Map, Value, json};

use super::config::Settings;
use super::convert::{self, SAMPLE};
use super::format::{Compression, Format};
use super::listing;
use crate::blocking::{Stop, on_thread_within};
use crate::trouble::Trouble;

/// How long the operating system may take to list the files and read a sample.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most records of a sample.
const SAMPLE_RECORDS: usize = 1000;

/// Whether there is a file, the first one can be read, and it is what it is taken for.
pub(super) async fn check(settings: Arc<Settings>) -> Result<(), SourceError> {
    on_thread_within(PATIENCE, "check files", move |stop| {
        let (_, sample) = look(&settings, &stop)?;
        if sample.records == 0 || sample.good > 0 {
            return Ok(());
        }
        let message = "none of the first records is a JSON object";
        let error = SourceError::new(ErrorKind::Format, "check files", message);
        Err(error.with("records", sample.records).hint("set `format` if this is another one"))
    })
    .await
}

/// The one stream there is.
pub(super) async fn discover(settings: Arc<Settings>) -> Result<Vec<StreamSpec>, SourceError> {
    on_thread_within(PATIENCE, "discover files", move |stop| {
        let (bytes, Sample { schema, bytes_per_record, .. }) = look(&settings, &stop)?;
        Ok(vec![StreamSpec {
            name: settings.config.stream.clone(),
            schema,
            primary_key: Vec::new(),
            cursor_field: None,
            estimated_records: bytes_per_record.map(|each| estimate(bytes, each)),
        }])
    })
    .await
}

/// What the beginning of a file shows.
struct Sample {
    /// The JSON Schema of the records.
    schema: Value,
    /// The records looked at, and how many of them were no rubbish.
    records: usize,
    good: usize,
    /// The average, if it tells anything about the size of the file.
    bytes_per_record: Option<f64>,
}

/// The size of all files together, and a sample of the first.
fn look(settings: &Settings, stop: &Stop) -> Result<(u64, Sample), SourceError> {
    let files = listing::list(&settings.config.pattern, &settings.roots, &mut || stop.is_set())?;
    let size = |path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let sizes = files.0.values().map(size).sum();
    let Some((scope, path)) = files.0.first_key_value() else {
        let message = "an empty list is an error before";
        return Err(SourceError::new(ErrorKind::Internal, "list files", message));
    };
    let sample = sample(settings, scope, path, stop).map_err(|error| error.with("path", path.display()))?;
    Ok((sizes, sample))
}

/// How many records of so many bytes each there are in all.
fn estimate(sizes: u64, bytes_per_record: f64) -> u64 {
    (sizes as f64 / bytes_per_record).round() as u64
}

fn sample(settings: &Settings, scope: &Scope, path: &Path, stop: &Stop) -> Result<Sample, SourceError> {
    let Settings { config, roots, .. } = settings;
    let (file, _) = roots.open(path).map_err(|error| error.about(path))?;
    let mut opened = convert::open(config, scope.as_str(), &file, stop)?;
    opened.window.fill_to(SAMPLE).map_err(Trouble::from)?;
    let (properties, records, good, bytes) = match opened.format {
        Format::Csv => {
            let header = opened.header()?;
            let columns = header.columns.into_iter();
            let properties = columns.map(|column| (column.name, column.kind.column_type().schema()));
            let (records, bytes) = header.sampled;
            (properties.collect(), records, records, bytes)
        }
        Format::JsonLines | Format::Json => {
            let text = opened.window.bytes();
            let is_whole = opened.window.is_last() && text.len() <= SAMPLE;
            json_properties(&text[..text.len().min(SAMPLE)], is_whole, opened.format)
        }
    };
    let is_telling = records > 0 && opened.compression == Compression::None;
    Ok(Sample {
        schema: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": Value::Object(properties),
        }),
        records,
        good,
        bytes_per_record: is_telling.then(|| bytes as f64 / records as f64),
    })
}

/// The types that each top-level field has in the whole records of a sample; how many those are, how many of them are
/// objects, and how many bytes they take up. `is_whole`: the sample is all there is.
fn json_properties(text: &[u8], is_whole: bool, format: Format) -> (Map<String, Value>, usize, usize, usize) {
    let mut types = BTreeMap::<String, BTreeSet<&'static str>>::new();
    let (mut at, mut records, mut good) = (0, 0, 0);
    while records < SAMPLE_RECORDS {
        at += text[at..].iter().take_while(|byte| is_between(**byte, format)).count();
        let end = match format {
            Format::JsonLines => {
                memchr(b'\n', &text[at..]).or(Some(text.len() - at).filter(|len| is_whole && *len > 0))
            }
            Format::Json | Format::Csv => find_value_end(&text[at..]),
        };
        let Some(len) = end else { break };
        let record = serde_json::from_slice::<Map<String, Value>>(&text[at..at + len]);
        good += usize::from(record.is_ok());
        for (name, value) in record.unwrap_or_default() {
            types.entry(name).or_default().insert(type_name(&value));
        }
        records += 1;
        at += len;
    }
    let properties = types.into_iter().map(|(name, types)| (name, json!({"type": types})));
    (properties.collect(), records, good, at)
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
