//! What a source is asked to read, and from where.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::SyncMode;
use inlet_model::{HashSeed, Scope, ScopeState, StreamName};

use crate::Inbox;

/// One read of a source.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The streams to read, in this order. Never empty, and no name twice.
    pub streams: Vec<StreamRequest>,
    /// The seed under which the collection hashes records.
    pub seed: HashSeed,
    /// The number of every listing that this read opens. Greater than that of any listing before.
    pub generation: u64,
    /// Close a batch at about this many bytes.
    pub batch_bytes: usize,
    /// Close a batch that is not empty when its first record is this old.
    pub batch_delay: Duration,
    /// A record of more bytes than this is rejected.
    pub max_record_bytes: usize,
    /// The records pushed to the connector; only `external_source` reads them.
    pub inbox: Option<Arc<dyn Inbox>>,
}

/// One stream of a read.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamRequest {
    /// Its name, as discovery gave it or the user set it.
    pub name: StreamName,
    /// Whether to skip what has not changed. An open listing is gone on with in either mode.
    pub mode: SyncMode,
    /// The fields that make the key; empty where the source gives each record one.
    pub primary_key: Vec<String>,
    /// The field by which incremental reads advance.
    pub cursor_field: Option<String>,
    /// The fields to keep; `None` keeps all.
    pub fields: Option<Vec<String>>,
    /// Whether what was read before stays for good, so that a record that has no key of its own needs one that no earlier record
    /// had. What comes again from one place of the source is the same record.
    pub appends: bool,
    /// How far each scope has been read.
    pub scopes: BTreeMap<Scope, ScopeState>,
}
