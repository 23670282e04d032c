//! All that is moved: each table with its columns. A test holds the list against the tables of both backends.
//!
//! What is not moved: how each database counts (see [`numbers`](super::numbers)), the version of the tables, how many transactions have
//! written a store of a database that many share, and the key log of a file, which is emptied first.

use crate::sql::Dialect;

/// A table, as both backends have it. Those whose names begin with `store_` are a collection's; a file's leave that out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns by whose values rows are told apart, and in whose order they are moved; none where there is one row.
    pub key: &'static [&'static str],
    /// The other columns.
    pub rest: &'static [&'static str],
}

/// The tables of the catalog: one that refers to another comes behind it.
pub const CATALOG: &[Table] = &[
    Table::new("identity", &["one"], &["secret", "created_at", "masking_key"]),
    Table::new("spaces", &["id"], &["name", "created_at", "updated_at"]),
    Table::new("collections", &["space_id", "id"], &["name", "store_id", "created_at", "updated_at"]),
    Table::new(
        "connectors",
        &["id"],
        &[
            "space_id",
            "collection_id",
            "store_id",
            "name",
            "kind",
            "config",
            "streams",
            "status",
            "version",
            "fence",
            "created_at",
            "updated_at",
            "deleted_at",
            "secrets",
            "schedule",
            "policy",
            "next_sync_at",
            "follows",
            "failures",
            "notice",
        ],
    ),
    Table::new(
        "syncs",
        &["id"],
        &[
            "connector_id",
            "space_id",
            "kind",
            "turn",
            "blocked",
            "status",
            "asked_by",
            "mode",
            "attempt",
            "created_at",
            "started_at",
            "last_progress_at",
            "finished_at",
            "counts",
            "streams",
            "failure",
            "claimed",
            "only_streams",
            "resume_at",
            "waits_for",
            "retries",
            "node",
            "lease_until",
            "replays",
            "approval",
            "dry_run",
            "reverts",
        ],
    ),
    Table::new(
        "sync_moves",
        &["sync_id", "seq"],
        &["at", "from_status", "to_status", "cause", "code", "attempt"],
    ),
    Table::new("nodes", &["id"], &["name", "version", "roles", "started_at", "last_seen_at", "lease_until"]),
    Table::new("previews", &["sync_id"], &["preview"]),
    Table::new(
        "keys",
        &["id"],
        &["name", "role", "space_id", "created_at", "created_by", "expires_at", "last_used_at"],
    ),
    Table::new("key_secrets", &["hash"], &["key_id", "ends_at"]),
    Table::new("idempotency", &["scope"], &["fingerprint", "status", "location", "body", "created_at"]),
    Table::new(
        "audit",
        &["number"],
        &[
            "id",
            "at",
            "actor",
            "request_id",
            "action",
            "space_id",
            "collection_id",
            "connector_id",
            "sync_id",
            "key_id",
            "webhook_id",
            "fields",
        ],
    ),
    Table::new("tasks", &["id"], &["kind", "store_id", "connector_id"]),
    Table::new("purges", &["id"], &["store_id", "connector_id", "stream"]),
    Table::new("discards", &["sync_id"], &["connector_id", "store_id"]),
    Table::new(
        "webhooks",
        &["id"],
        &[
            "space_id",
            "collection_id",
            "connector_id",
            "name",
            "url",
            "events",
            "secrets",
            "current_secret",
            "previous_secret_ends_at",
            "status",
            "created_at",
            "updated_at",
            "deleted_at",
        ],
    ),
    Table::new(
        "deliveries",
        &["number"],
        &[
            "id",
            "webhook_id",
            "event",
            "sync_id",
            "payload",
            "attempts",
            "created_at",
            "next_attempt_at",
            "claimed_until",
            "delivered_at",
            "gave_up_at",
            "gave_up_because",
            "answered_at",
            "answer_ms",
            "answer_status",
            "answer_body",
            "answer_error",
        ],
    ),
    Table::new("triggers", &["connector_id"], &["secrets", "current_secret", "previous_secret_ends_at"]),
];

/// The tables of a collection's store.
pub const STORE: &[Table] = &[
    Table::new(
        "store_meta",
        &[],
        &["seed", "next_change", "next_generation", "next_stream", "compacted_through", "walked_through"],
    ),
    Table::new("store_connectors", &["connector_id"], &["fence", "sync_id", "closed", "inbox_bytes"]),
    Table::new(
        "store_streams",
        &["stream_id"],
        &[
            "connector_id",
            "name",
            "shape",
            "records",
            "next_scope",
            "swept_through",
            "appends",
            "copies",
            "schema_version",
            "schema_forgotten",
            "schema_learned",
        ],
    ),
    Table::new("store_purged", &["connector_id", "stream"], &["through"]),
    Table::new("store_schemas", &["stream_id", "version"], &["sync_id", "at_us", "fields"]),
    Table::new(
        "store_scopes",
        &["stream_id", "scope_id"],
        &[
            "name",
            "records",
            "cursor",
            "listed_by",
            "settled_by",
            "state",
            "generation",
            "first_change",
            "seen",
            "position",
            "duplicates",
            "approved",
        ],
    ),
    Table::new("store_keys", &["k"], &["row"]),
    Table::new("store_blocks", &["first_change"], &["stored"]),
    Table::new("store_block_index", &["first_change"], &["last_change", "entries", "live", "expired"]),
    Table::new("store_expired", &["change"], &[]),
    Table::new("store_seen", &["stream_id", "scope_id", "part"], &["changes"]),
    Table::new(
        "store_runs",
        &["sync_id"],
        &[
            "connector_id",
            "attempt",
            "barren_attempts",
            "generation",
            "phase",
            "outcome",
            "failure",
            "started_at",
            "last_progress_at",
            "finished_at",
            "first_change",
            "last_change",
        ],
    ),
    Table::new(
        "store_run_streams",
        &["sync_id", "place"],
        &[
            "name",
            "status",
            "read",
            "created",
            "updated",
            "unchanged",
            "deleted",
            "rejected",
            "bytes",
            "error",
        ],
    ),
    Table::new(
        "store_rejected",
        &["sync_id", "seq"],
        &["stream", "scope", "position", "code", "reason", "sample"],
    ),
    Table::new("store_rejected_pushes", &["sync_id", "seq"], &["stream", "key_fields", "masking", "line"]),
    Table::new(
        "store_undos",
        &["undo"],
        &["sync_id", "undone", "collected", "through", "taken_back", "kept", "done"],
    ),
    Table::new("store_undo_keys", &["undo", "k"], &["before", "last", "state"]),
    Table::new("store_run_log", &["sync_id", "seq"], &["at", "level", "stream", "code", "message"]),
    Table::new(
        "store_inbox",
        &["seq"],
        &["connector_id", "stream", "key_fields", "masking", "bytes", "lines"],
    ),
    Table::new("store_idempotency", &["scope"], &["fingerprint", "at", "status", "location", "body"]),
];

impl Table {
    const fn new(name: &'static str, key: &'static [&'static str], rest: &'static [&'static str]) -> Self {
        Self { name, key, rest }
    }

    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.key.len() + self.rest.len()
    }

    pub(crate) fn is_of_store(&self) -> bool {
        self.name.starts_with("store_")
    }

    /// Whether it has one row, which is there from the beginning.
    pub(crate) fn is_single_row(&self) -> bool {
        self.key.is_empty()
    }

    /// The columns, those of the key first.
    pub(crate) fn columns(&self, dialect: Dialect) -> Vec<&'static str> {
        self.key.iter().chain(self.rest).map(|column| self.column(column, dialect)).collect()
    }

    /// A column of the audit log has a name in a database only: a file orders the log by the number that every row has.
    fn column(&self, column: &'static str, dialect: Dialect) -> &'static str {
        if dialect == Dialect::Sqlite && self.name == "audit" && column == "number" {
            "rowid"
        } else {
            column
        }
    }

    /// Reads all rows in the order of their keys, or only those behind a key that is given.
    pub(super) fn select(&self, dialect: Dialect, is_behind: bool) -> String {
        let key: Vec<_> = self.key.iter().map(|column| self.column(column, dialect)).collect();
        let key = key.join(", ");
        let mut conditions = Vec::new();
        if self.is_of_store() {
            conditions.push("store = ?0".to_owned());
        }
        if is_behind {
            let place: Vec<_> = (1..=self.key.len()).map(|number| format!("?{number}")).collect();
            conditions.push(format!("({key}) > ({})", place.join(", ")));
        }
        let mut sql = format!("SELECT {} FROM {}", self.columns(dialect).join(", "), self.name);
        if !conditions.is_empty() {
            sql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        if !key.is_empty() {
            sql.push_str(&format!(" ORDER BY {key}"));
        }
        sql
    }

    /// Writes the values of the one row.
    pub(crate) fn update(&self) -> String {
        let values: Vec<_> =
            (1..).zip(self.rest).map(|(number, column)| format!("{column} = ?{number}")).collect();
        format!("UPDATE {} SET {} WHERE store = ?0", self.name, values.join(", "))
    }
}
