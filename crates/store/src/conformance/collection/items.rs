//! The steps of which the behaviours make their commits.

use inlet_model::log::{LogLevel, NewLogLine};
use inlet_model::mask::Masking;
use inlet_model::{Batch, HashSeed, PushedRecord, Rejection, Scope, key};
use serde_json::Value;

use super::given::{Given, a_failure, name};
use crate::collection::{Item, Unseen};

/// The scope of a stream that has no parts.
pub(super) const WHOLE: &str = "";

/// A line of a batch.
#[derive(Debug, Clone)]
pub(super) enum Line {
    /// The record `id` is there, with this value.
    Put(i64, String),
    /// The record `id` is gone.
    Gone(i64),
    /// The record `id` is there, and refused as it is.
    Kept(i64),
    /// A record that the source refused.
    Refused,
    /// A pushed record that the source refused, whole.
    RefusedPush(Vec<u8>),
}

pub(super) fn put(id: i64, value: &str) -> Line {
    Line::Put(id, value.to_owned())
}

pub(super) fn gone(id: i64) -> Line {
    Line::Gone(id)
}

pub(super) fn kept(id: i64) -> Line {
    Line::Kept(id)
}

/// Records `ids`, all with this value.
pub(super) fn puts(ids: impl IntoIterator<Item = i64>, value: &str) -> Vec<Line> {
    ids.into_iter().map(|id| put(id, value)).collect()
}

/// The key of the record `id`, encoded.
pub(super) fn key_of(id: i64) -> Vec<u8> {
    let mut key = Vec::new();
    key::encode_json_scalar(id.to_string().as_bytes(), &mut key).unwrap();
    key
}

/// The content of the record `id` with this value.
pub(super) fn data_of(id: i64, value: &str) -> Vec<u8> {
    format!(r#"{{"id":{id},"v":"{value}"}}"#).into_bytes()
}

/// A batch of these lines, the first at position 1.
pub(super) fn batch(seed: HashSeed, stream: &str, scope: &str, lines: &[Line]) -> Batch {
    let mut batch = Batch::new(name(stream), Scope::new(scope), seed);
    for (position, line) in (1..).zip(lines) {
        match line {
            Line::Put(id, value) => batch.upsert(position, &key_of(*id), &data_of(*id, value)),
            Line::Gone(id) => batch.delete(position, &key_of(*id)),
            Line::Kept(id) => {
                batch.keep(position, &key_of(*id));
                batch.reject(a_rejection(position));
            }
            Line::Refused => batch.reject(a_rejection(position)),
            Line::RefusedPush(line) => {
                batch.reject(a_rejection(position));
                batch.keep_refused(PushedRecord {
                    key_fields: vec!["id".to_owned()],
                    masked: Masking::default(),
                    line: line.clone(),
                });
            }
        }
    }
    batch
}

pub(super) fn a_rejection(position: u64) -> Rejection {
    let reason = format!("Line {position} is no JSON.");
    Rejection::new(position, "json.syntax", reason, b"{\"id\": \xff oops")
}

/// A line of the log.
pub(super) fn line(message: &str) -> NewLogLine {
    NewLogLine::new(LogLevel::Info, "test.line", message)
}

pub(super) fn listing(stream: &str, scope: &str) -> Item {
    Item::Listing { stream: name(stream), scope: Scope::new(scope) }
}

/// The listing is complete and certified, and leaves this cursor.
pub(super) fn complete(stream: &str, scope: &str, cursor: Value) -> Item {
    completed(stream, scope, Some(cursor), true)
}

pub(super) fn completed(stream: &str, scope: &str, cursor: Option<Value>, certified: bool) -> Item {
    let unseen = if certified { Unseen::Goes } else { Unseen::Stays };
    Item::Complete { stream: name(stream), scope: Scope::new(scope), cursor, unseen }
}

/// The listing is complete, not certified, and the source can be asked for what was not seen.
pub(super) fn complete_to_be_asked(stream: &str, scope: &str, cursor: Value) -> Item {
    let (stream, scope) = (name(stream), Scope::new(scope));
    Item::Complete { stream, scope, cursor: Some(cursor), unseen: Unseen::GoesIfAbsent }
}

/// The listing is complete, not certified, and what was not seen goes if a person approves it.
pub(super) fn complete_to_be_approved(stream: &str, scope: &str, cursor: Value) -> Item {
    let (stream, scope) = (name(stream), Scope::new(scope));
    Item::Complete { stream, scope, cursor: Some(cursor), unseen: Unseen::GoesIfApproved }
}

pub(super) fn unchanged(stream: &str, scope: &str) -> Item {
    Item::Unchanged { stream: name(stream), scope: Scope::new(scope) }
}

pub(super) fn scopes(stream: &str, scopes: &[&str]) -> Item {
    Item::Scopes { stream: name(stream), scopes: scopes.iter().map(|scope| Scope::new(scope)).collect() }
}

pub(super) fn inbox_taken(stream: &str, through: u64) -> Item {
    Item::InboxTaken { stream: name(stream), through }
}

pub(super) fn stream_end(stream: &str) -> Item {
    Item::StreamEnd { stream: name(stream), failure: None }
}

pub(super) fn stream_failed(stream: &str) -> Item {
    Item::StreamEnd { stream: name(stream), failure: Some(a_failure()) }
}

impl Given {
    /// Records without a position behind them.
    pub(super) fn records(&self, stream: &str, scope: &str, lines: &[Line]) -> Item {
        Item::Batch { batch: batch(self.store.seed(), stream, scope, lines), checkpoint: None }
    }

    /// Records, and the position behind them.
    pub(super) fn records_to(&self, stream: &str, scope: &str, lines: &[Line], checkpoint: Value) -> Item {
        Item::Batch { batch: batch(self.store.seed(), stream, scope, lines), checkpoint: Some(checkpoint) }
    }

    /// A listing of the scope from beginning to end, certified.
    pub(super) fn whole_listing(
        &self,
        stream: &str,
        scope: &str,
        lines: &[Line],
        cursor: Value,
    ) -> Vec<Item> {
        vec![listing(stream, scope), self.records(stream, scope, lines), complete(stream, scope, cursor)]
    }
}
