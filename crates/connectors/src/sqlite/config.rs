//! What a user sets: which file.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use inlet_model::fields::{FieldErrors, Fields};
use inlet_model::{Clock, SystemClock};
use inlet_source::{Capabilities, ConnectorType, Environment, Source};
use serde_json::{Value, json};

use super::SqliteSource;
use crate::roots::Roots;

/// The longest path, in bytes.
const MAX_LEN: usize = 4096;
/// How long a lock of another program is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// What every source of this type promises.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    resumable_listing: true,
    incremental: true,
    tells_unchanged: true,
    certified_listing: true,
    verify_absent: true,
};

/// The connector type `sqlite`.
#[derive(Debug)]
pub struct Sqlite {
    clock: Arc<dyn Clock>,
    lock_patience: Duration,
}

impl Sqlite {
    /// The type, with the clock that tells how fresh a file is.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, lock_patience: LOCK_PATIENCE }
    }

    /// The type that waits so long for a lock of another program.
    #[must_use]
    pub fn with_lock_patience(self, lock_patience: Duration) -> Self {
        Self { lock_patience, ..self }
    }
}

impl Default for Sqlite {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl ConnectorType for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn summary(&self) -> &'static str {
        "Reads the tables and views of a SQLite database file on the server's disk, also while others write to it"
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn config_schema(&self) -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "title": "SQLite database",
            "description": "A SQLite database file; its tables and views are the streams.",
            "required": ["path"],
            "examples": [{"path": "/data/shop.db"}],
            "additionalProperties": false,
            "properties": {
                "path": {
                    "type": "string", "title": "Path", "minLength": 1, "maxLength": MAX_LEN,
                    "description": "The database file: absolute, or relative to a files root.",
                    "examples": ["/data/shop.db", "shop.sqlite3"],
                },
            },
        })
    }

    fn docs(&self) -> &'static str {
        include_str!("docs.md")
    }

    fn build(&self, config: Value, environment: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        let roots = Roots::new(environment.files_roots.clone());
        let path = read_config(config, &roots)?;
        let clock = Arc::clone(&self.clock);
        Ok(Box::new(SqliteSource(Arc::new(Settings {
            path,
            roots,
            clock,
            lock_patience: self.lock_patience,
        }))))
    }
}

/// What a source works by.
#[derive(Debug)]
pub(super) struct Settings {
    /// As the user wrote it.
    pub(super) path: PathBuf,
    pub(super) roots: Roots,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lock_patience: Duration,
}

/// Checks a config, naming every bad field.
fn read_config(value: Value, roots: &Roots) -> Result<PathBuf, FieldErrors> {
    let mut fields = Fields::new(value)?;
    let path = fields.required_string("path").map(PathBuf::from);
    if let Some((code, detail)) = path.as_deref().and_then(|path| refusal(path, roots)) {
        fields.refuse("path", code, detail);
    }
    fields.finish()?;
    Ok(path.expect("a path that is missing has left an error"))
}

/// Why the path cannot be read, as far as that does not depend on what lies there.
fn refusal(path: &Path, roots: &Roots) -> Option<(&'static str, String)> {
    const OUTSIDE: &str = "files.outside_roots";
    let text = path.as_os_str().as_encoded_bytes();
    if text.is_empty() || text.len() > MAX_LEN || text.contains(&0) || text.ends_with(b"/") {
        let detail =
            format!("a path has 1 to {MAX_LEN} bytes, none of them zero, and ends with a file's name");
        return Some(("files.bad_path", detail));
    }
    if path.components().any(|component| component == Component::ParentDir) {
        return Some((OUTSIDE, "`..` is not allowed in a path: write the path without it".to_owned()));
    }
    if roots.is_empty() {
        let detail = "this server may read no files: start it with `--files-root DIRECTORY`";
        return Some((OUTSIDE, detail.to_owned()));
    }
    let error = roots.resolve(path).err()?;
    let shown = path.display();
    let detail = format!("`{shown}` does not lie in a directory that this server may read: {error}");
    Some((OUTSIDE, detail))
}
