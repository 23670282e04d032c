//! What `sqlite` does, seen from outside: the conformance suite, and cases peculiar to databases.

mod advance;
mod beside;
mod broken;
mod config;
mod deletes;
mod suite;
mod values;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::SyncMode;
use inlet_model::{Clock, ManualClock, StreamName, SystemClock};
use inlet_source::conformance::{Collection, Subject};
use inlet_source::{ConnectorType, Environment, ErrorKind, Message, Source};
use rusqlite::Connection;
use serde_json::json;

use super::config::Sqlite;

/// A root with a database in it, and a clock that runs ahead, so that what was just written is at rest.
struct Sandbox {
    directory: tempfile::TempDir,
    clock: Arc<ManualClock>,
    lock_patience: Duration,
}

impl Sandbox {
    fn new() -> Self {
        const AN_HOUR: i64 = 3_600_000_000;
        let clock = ManualClock::new(SystemClock.now());
        clock.advance(AN_HOUR);
        let sandbox = Self {
            directory: tempfile::tempdir().unwrap(),
            clock: Arc::new(clock),
            lock_patience: Duration::from_secs(60),
        };
        std::fs::create_dir(sandbox.root()).unwrap();
        sandbox
    }

    /// A sandbox whose database has gone through `sql`.
    fn with(sql: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write(sql);
        sandbox
    }

    fn root(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("root")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The names of the files in the root.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    /// A program that has the database open.
    fn program(&self) -> Connection {
        Connection::open(self.path("a.db")).unwrap()
    }

    /// Lets a program do `sql`, and end.
    fn write(&self, sql: &str) {
        self.program().execute_batch(sql).unwrap();
    }

    fn source(&self) -> Arc<dyn Source> {
        let environment = Environment { files_roots: vec![self.root()], ..Environment::default() };
        let kind = Sqlite::new(self.clock.clone()).with_lock_patience(self.lock_patience);
        Arc::from(kind.build(json!({"path": "a.db"}), &environment).unwrap())
    }

    /// These streams, with the keys that discovery suggests. How much there is to be does not matter.
    async fn subject(&self, streams: &[&str]) -> Subject {
        let source = self.source();
        let found = source.discover().await.unwrap();
        let stream = |wanted: &&str| {
            let spec = found.iter().find(|spec| spec.name.as_str() == *wanted);
            let key = spec.map(|spec| spec.primary_key.clone()).unwrap_or_default();
            Subject::stream(&name(wanted), &key.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let streams = streams.iter().map(stream).collect();
        Subject { source, streams, inbox: None, records: 0, rejected: 0 }
    }

    /// The stream `t`, read by this cursor field.
    async fn by_cursor(&self, field: &str) -> Subject {
        let mut subject = self.subject(&["t"]).await;
        subject.streams[0].cursor_field = Some(field.to_owned());
        subject
    }

    /// Reads `t` from the beginning.
    async fn read(&self) -> Collection {
        let mut collection = Collection::default();
        sync(&self.subject(&["t"]).await, &mut collection).await;
        collection
    }
}

fn name(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// Brings `collection` to where the source is.
async fn sync(subject: &Subject, collection: &mut Collection) -> Vec<Message> {
    subject.read_into(collection, SyncMode::Incremental, 1 << 20).await
}

/// What was said, without the records: the kinds of messages, and how many records came.
fn told(messages: &[Message]) -> Vec<String> {
    let tell = |message: &Message| match message {
        Message::Listing { .. } => "listing".to_owned(),
        Message::Batch { batch, .. } => format!("{} records", batch.len()),
        Message::Complete { certified, .. } => format!("complete, certified: {certified}"),
        Message::Unchanged { .. } => "unchanged".to_owned(),
        Message::StreamEnd { .. } => "end".to_owned(),
        Message::StreamFailed { error, .. } => format!("{}: {error}", error.kind().code()),
        Message::Warning { text } => text.clone(),
        Message::Scopes { .. } | Message::InboxTaken { .. } => "of other sources".to_owned(),
    };
    messages.iter().map(tell).collect()
}

fn failure(messages: &[Message]) -> String {
    told(messages).into_iter().find(|text| text.starts_with("source.")).expect("the stream fails")
}

/// The records' data, in the order of their keys.
fn data(collection: &Collection) -> Vec<String> {
    collection.shown().into_iter().map(|(_, data)| data).collect()
}

fn keys(collection: &Collection) -> Vec<String> {
    collection.shown().into_iter().map(|(key, _)| key).collect()
}
