//! The sample data, carried in the binary: real tables, described in `examples/nycflights13/README.md`.

use std::io;
use std::path::Path;

use inlet_model::stream::StreamSettings;
use inlet_model::{NameError, StreamName};
use serde_json::{Value, json};

use crate::commands::sync::connector::ConnectorPlan;
use crate::node;

/// One table of the sample data.
#[derive(Debug)]
pub(super) struct Sample {
    /// Its file's name.
    pub(super) file: &'static str,
    /// What the file is, for people.
    pub(super) what: &'static str,
    /// Its stream.
    pub(super) stream: &'static str,
    keys: &'static [&'static str],
    /// The connector type that reads it.
    kind: &'static str,
    /// CSV columns whose type is not to be guessed.
    types: &'static [(&'static str, &'static str)],
    bytes: &'static [u8],
}

/// A sample of each kind of file.
pub(super) const SAMPLES: &[Sample] = &[
    Sample {
        file: "airlines.json",
        what: "a JSON array",
        stream: "airlines",
        keys: &["carrier"],
        kind: node::FILES,
        types: &[],
        bytes: include_bytes!("../../../../../examples/nycflights13/airlines.json"),
    },
    Sample {
        file: "airports.csv",
        what: "CSV",
        stream: "airports",
        keys: &["faa"],
        kind: node::FILES,
        // One airport's code is 369: a text like all the others, though it looks like a number.
        types: &[("faa", "string")],
        bytes: include_bytes!("../../../../../examples/nycflights13/airports.csv"),
    },
    Sample {
        file: "planes.db",
        what: "a SQLite database",
        stream: "planes",
        keys: &["tailnum"],
        kind: node::SQLITE,
        types: &[],
        bytes: include_bytes!("../../../../../examples/nycflights13/planes.db"),
    },
    Sample {
        file: "weather.jsonl.gz",
        what: "JSON Lines, compressed",
        stream: "weather",
        keys: &["origin", "time_hour"],
        kind: node::FILES,
        types: &[],
        bytes: include_bytes!("../../../../../examples/nycflights13/weather.jsonl.gz"),
    },
];

impl Sample {
    /// Writes the file into `folder`.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::write(folder.join(self.file), self.bytes)
    }

    /// The connector that reads the file in `folder`.
    pub(super) fn plan(&self, folder: &str) -> Result<ConnectorPlan, NameError> {
        let mut config = json!({"path": format!("{folder}/{}", self.file)});
        if !self.types.is_empty() {
            let types = self.types.iter().map(|(column, kind)| ((*column).to_owned(), json!(kind)));
            config["csv"] = json!({"types": Value::Object(types.collect())});
        }
        let stream = StreamSettings {
            name: StreamName::new(self.stream)?,
            mode: Default::default(),
            write_mode: Default::default(),
            primary_key: self.keys.iter().map(|key| (*key).to_owned()).collect(),
            cursor_field: None,
            fields: None,
            masking: Default::default(),
        };
        Ok(ConnectorPlan { name: self.file.to_owned(), kind: self.kind, config, streams: Some(vec![stream]) })
    }
}
