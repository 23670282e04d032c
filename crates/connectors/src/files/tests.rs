//! What `files` does, seen from outside: the conformance suite, and cases peculiar to files.

mod changes;
mod config;
mod csv;
mod json;
mod suite;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inlet_model::sync::SyncMode;
use inlet_model::{Clock, ManualClock, StreamName, SystemClock};
use inlet_source::conformance::{Collection, StreamEnding, Subject};
use inlet_source::{ConnectorType, Environment, Message, Source, StreamRequest};
use serde_json::{Value, json};

use super::config::Files;

/// A root with files in it, and a clock that runs ahead, so that what was just written is at rest.
struct Sandbox {
    directory: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Sandbox {
    fn new() -> Self {
        const AN_HOUR: i64 = 3_600_000_000;
        let clock = ManualClock::new(SystemClock.now());
        clock.advance(AN_HOUR);
        let sandbox = Self { directory: tempfile::tempdir().unwrap(), clock: Arc::new(clock) };
        std::fs::create_dir(sandbox.root()).unwrap();
        sandbox
    }

    fn base(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    fn root(&self) -> PathBuf {
        self.base().join("root")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    fn source(&self, config: Value) -> Arc<dyn Source> {
        let environment = Environment { files_roots: vec![self.root()], ..Environment::default() };
        Arc::from(Files::new(self.clock.clone()).build(config, &environment).unwrap())
    }

    /// The files of `config` as a stream with this key. How much there is to be does not matter.
    async fn subject(&self, config: Value, primary_key: &[&str]) -> Subject {
        let source = self.source(config);
        let name = match source.discover().await {
            Ok(found) => found[0].name.clone(),
            Err(_) => name("data"),
        };
        Subject {
            source,
            streams: vec![Subject::stream(&name, primary_key)],
            inbox: None,
            records: 0,
            rejected: 0,
        }
    }

    /// Reads the files of `config` from the beginning.
    async fn read(&self, config: Value, primary_key: &[&str]) -> Collection {
        let mut collection = Collection::default();
        let subject = self.subject(config, primary_key).await;
        subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
        collection
    }
}

fn name(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// The one stream of a subject.
fn stream(subject: &Subject) -> &StreamRequest {
    &subject.streams[0]
}

fn ending(collection: &Collection, subject: &Subject) -> StreamEnding {
    collection.ending(&stream(subject).name).unwrap()
}

/// The data of every record, in the order of their keys.
fn data(collection: &Collection) -> Vec<String> {
    collection.shown().into_iter().map(|(_, data)| data).collect()
}

/// Position and code of every refusal.
fn rejections(collection: &Collection) -> Vec<(u64, &'static str)> {
    collection.rejections().iter().map(|rejection| (rejection.position, rejection.code)).collect()
}

/// The kinds of messages, for those that are about a scope or a stream.
fn kinds(messages: &[Message]) -> Vec<String> {
    let kind = |message: &Message| match message {
        Message::Listing { scope, .. } => Some(format!("listing {}", scope.as_str())),
        Message::Batch { batch, .. } => Some(format!("{} of {}", batch.len(), batch.scope().as_str())),
        Message::Complete { scope, .. } => Some(format!("complete {}", scope.as_str())),
        Message::Unchanged { scope, .. } => Some(format!("unchanged {}", scope.as_str())),
        Message::Scopes { scopes, .. } => Some(format!("{} scopes", scopes.len())),
        Message::StreamEnd { .. } => Some("end".to_owned()),
        Message::StreamFailed { error, .. } => Some(format!("failed {}", error.kind().code())),
        Message::Warning { .. } => Some("warning".to_owned()),
        Message::InboxTaken { .. } => None,
    };
    messages.iter().filter_map(kind).collect()
}

fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::stream::encode_all(content.as_ref(), 1).unwrap()
}

fn append(path: &Path, content: &str) {
    std::fs::File::options().append(true).open(path).unwrap().write_all(content.as_bytes()).unwrap();
}
