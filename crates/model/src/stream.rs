//! What a connector is told about its streams.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::StreamName;
use crate::mask::Masking;
use crate::sync::SyncMode;

/// How records of a stream enter the collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// A record replaces the one with its key.
    #[default]
    Upsert,
    /// Each record that is read is kept beside those that were read before; nothing is overwritten or deleted.
    Append,
    /// Each sync lists the whole stream, and leaves what it has read and nothing else.
    Replace,
}

/// One selected stream of a connector, as the user set it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamSettings {
    /// The stream's name in the source.
    pub name: StreamName,
    /// How it is read when a sync does not say.
    #[serde(default)]
    pub mode: SyncMode,
    /// How its records enter the collection.
    #[serde(default)]
    pub write_mode: WriteMode,
    /// The fields that make a record's key; empty where the source gives each record one.
    #[serde(default)]
    pub primary_key: Vec<String>,
    /// The field by which incremental reads advance.
    #[serde(default)]
    pub cursor_field: Option<String>,
    /// The fields to keep; `None` keeps all.
    #[serde(default)]
    pub fields: Option<Vec<String>>,
    /// What becomes of values that are not to be kept as they are, by the name of their field, or by a JSON Pointer, which
    /// begins with a slash.
    #[serde(default)]
    pub masking: Masking,
}
