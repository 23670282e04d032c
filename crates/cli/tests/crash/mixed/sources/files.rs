//! Files: a folder of JSON lines, a CSV file, a compressed file. Each is put in its place whole.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::edits::{Edit, Rows, as_json};
use super::Place;
use crate::harness::Home;

/// Files of the folder.
const PARTS: i64 = 3;

/// Rows in several files, by their ids.
pub(super) struct Lines(PathBuf);

impl Lines {
    pub(super) fn in_folder(home: &Home) -> Self {
        let folder = home.join("lines");
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Place for Lines {
    fn kind(&self) -> &'static str {
        "files"
    }

    fn config(&self) -> Value {
        json!({"path": "lines/part-*.jsonl", "stream": "lines"})
    }

    fn stream(&self) -> Value {
        json!({"name": "lines", "primary_key": ["id"]})
    }

    fn write(&mut self, rows: &Rows, edits: &[Edit]) {
        for part in 0..PARTS {
            let is_mine = |id: i64| id % PARTS == part;
            let touched = edits.iter().any(|edit| match edit {
                Edit::Put(id, _) | Edit::Gone(id) => is_mine(*id),
            });
            if touched {
                let mut text = String::new();
                let mine = rows.iter().filter(|(id, _)| is_mine(*id));
                mine.for_each(|(id, row)| writeln!(text, "{}", as_json(id, row)).unwrap());
                put(&self.0.join(format!("part-{part}.jsonl")), text.as_bytes());
            }
        }
    }
}

/// Rows of a table.
pub(super) struct Csv(PathBuf);

impl Csv {
    pub(super) fn at(home: &Home) -> Self {
        Self(home.join("table.csv"))
    }
}

impl Place for Csv {
    fn kind(&self) -> &'static str {
        "files"
    }

    fn config(&self) -> Value {
        json!({"path": "table.csv", "stream": "csv"})
    }

    fn stream(&self) -> Value {
        json!({"name": "csv", "primary_key": ["id"]})
    }

    fn write(&mut self, rows: &Rows, _edits: &[Edit]) {
        let mut text = "id,note,revision\n".to_owned();
        rows.iter().for_each(|(id, row)| writeln!(text, "{id},{},{}", row.note, row.revision).unwrap());
        put(&self.0, text.as_bytes());
    }
}

/// Rows in one compressed file.
pub(super) struct Packed(PathBuf);

impl Packed {
    pub(super) fn at(home: &Home) -> Self {
        Self(home.join("packed.jsonl.zst"))
    }
}

impl Place for Packed {
    fn kind(&self) -> &'static str {
        "files"
    }

    fn config(&self) -> Value {
        json!({"path": "packed.jsonl.zst", "stream": "packed"})
    }

    fn stream(&self) -> Value {
        json!({"name": "packed", "primary_key": ["id"]})
    }

    fn write(&mut self, rows: &Rows, _edits: &[Edit]) {
        let mut text = String::new();
        rows.iter().for_each(|(id, row)| writeln!(text, "{}", as_json(id, row)).unwrap());
        put(&self.0, &zstd::encode_all(text.as_bytes(), 1).unwrap());
    }
}

/// Whoever reads the file finds the old one or the new one.
fn put(path: &Path, bytes: &[u8]) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes).unwrap();
    std::fs::rename(beside, path).unwrap();
}
