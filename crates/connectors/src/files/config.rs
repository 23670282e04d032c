//! What a user sets: which files, and how to read them.

use std::sync::Arc;

use inlet_model::fields::{FieldErrors, Fields};
use inlet_model::{Clock, StreamName, SystemClock};
use inlet_source::formats::csv::CsvOptions;
use inlet_source::{Capabilities, ConnectorType, Environment, Source};
use serde_json::{Value, json};

use super::format::{Compression, Format};
use super::pattern::Pattern;
use super::{CAPABILITIES, FilesSource};
use crate::roots::Roots;

/// The connector type `files`.
#[derive(Debug)]
pub struct Files {
    clock: Arc<dyn Clock>,
}

impl Files {
    /// The type, with the clock that tells how fresh a file is.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl ConnectorType for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn summary(&self) -> &'static str {
        "Reads CSV, JSON Lines and JSON files of the server's disk, plain or compressed, one or many"
    }

    fn config_schema(&self) -> Value {
        schema()
    }

    fn docs(&self) -> &'static str {
        include_str!("docs.md")
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn build(&self, config: Value, environment: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        let roots = Roots::new(environment.files_roots.clone());
        let config = Config::read(config, &roots)?;
        let clock = Arc::clone(&self.clock);
        Ok(Box::new(FilesSource(Arc::new(Settings { config, roots, clock }))))
    }
}

/// What a source works by.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) roots: Roots,
    pub(super) clock: Arc<dyn Clock>,
}

/// A checked config.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) pattern: Pattern,
    pub(super) stream: StreamName,
    /// `None`: each file tells.
    pub(super) format: Option<Format>,
    /// `None`: each file tells.
    pub(super) compression: Option<Compression>,
    pub(super) csv: CsvOptions,
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
        let csv = CsvOptions::read(pointer, csv).map_err(|errors| fields.refuse_all(errors)).ok();
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
    if let Err(error) = roots.resolve(&pattern.fixed()) {
        let detail = format!("`{path}` does not lie in a directory that this server may read: {error}");
        fields.refuse("path", "files.outside_roots", detail);
        return None;
    }
    Some(pattern)
}

/// The JSON Schema of the config.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Files",
        "description": "Files on the server's disk: one, or all that match a pattern.",
        "type": "object",
        "required": ["path"],
        "additionalProperties": false,
        "examples": [
            {"path": "/data/orders.csv"},
            {"path": "/data/weather-*.jsonl.gz", "stream": "weather"},
            {"path": "/data/export.txt", "stream": "customers", "format": "csv", "compression": "none",
             "csv": {"delimiter": ";", "types": {"zip": "string", "balance": "number"}, "null_values": ["", "NULL"]}},
        ],
        "properties": {
            "path": {
                "type": "string", "title": "Path", "minLength": 1, "maxLength": 4096,
                "description": "A file, or a glob with `*`, `?`, `[abc]`, `{a,b}` and `**`: absolute, or relative to a files root.",
                "examples": ["/data/orders.csv", "weather/*.jsonl.gz"],
            },
            "stream": {
                "type": "string", "title": "Stream", "minLength": 1, "maxLength": StreamName::MAX_LEN,
                "description": "The name of the stream. Default: from the path.",
                "examples": ["orders"],
            },
            "format": {
                "enum": ["auto", "csv", "jsonl", "json"], "default": "auto", "title": "Format",
                "description": "How records lie in the files. `auto`: by the name, else by the first bytes.",
            },
            "compression": {
                "enum": ["auto", "none", "gzip", "zstd"], "default": "auto", "title": "Compression",
                "description": "How the files are compressed. `auto`: by the name, else by the first bytes.",
            },
            "csv": CsvOptions::schema(),
        },
    })
}
