//! What `postgres` does, seen from outside, with real servers: the conformance suite, and cases peculiar to PostgreSQL.

mod advance;
mod config;
mod connecting;
mod deletes;
mod discovery;
#[expect(dead_code, reason = "tests of other crates call more of its methods")]
#[path = "../../tests/it/fault_proxy.rs"]
mod fault_proxy;
mod faults;
#[expect(dead_code, reason = "tests of other crates call more of its methods")]
#[path = "../../tests/it/private_postgres.rs"]
mod private_postgres;
mod random;
mod suite;
mod values;

use std::sync::Arc;

use inlet_model::StreamName;
use inlet_model::sync::SyncMode;
use inlet_source::conformance::{Collection, Subject};
use inlet_source::{ConnectorType, Environment, Message, Source, SourceError};
use serde_json::{Value, json};
use tokio_postgres::Client;

use self::private_postgres::{PrivatePostgres, Setup};
use super::config::Postgres;

/// A server with a database of its own.
struct Sandbox {
    server: PrivatePostgres,
    client: Client,
}

impl Sandbox {
    async fn new() -> Self {
        Self::on(PrivatePostgres::start()).await
    }

    async fn on(server: PrivatePostgres) -> Self {
        let client = server.connect("postgres").await;
        Self { server, client }
    }

    /// A database that has gone through `sql`.
    async fn with(sql: &str) -> Self {
        let sandbox = Self::new().await;
        sandbox.write(sql).await;
        sandbox
    }

    async fn write(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    fn config(&self) -> Value {
        json!({"host": "127.0.0.1", "port": self.server.port(), "database": "postgres", "user": "postgres"})
    }

    fn source(&self) -> Arc<dyn Source> {
        self.source_with(json!({}))
    }

    /// A source with further settings.
    fn source_with(&self, settings: Value) -> Arc<dyn Source> {
        let mut config = self.config();
        for (name, value) in settings.as_object().unwrap() {
            config[name] = value.clone();
        }
        Arc::from(Postgres::default().build(config, &Environment::default()).unwrap())
    }

    /// These streams, with the keys that discovery suggests. How much there is to be does not matter.
    async fn subject(&self, streams: &[&str]) -> Subject {
        self.subject_of(self.source(), streams).await
    }

    async fn subject_of(&self, source: Arc<dyn Source>, streams: &[&str]) -> Subject {
        let found = source.discover().await.unwrap();
        let stream = |wanted: &&str| {
            let spec = found.iter().find(|spec| spec.name.as_str() == *wanted);
            let key = spec.map(|spec| spec.primary_key.clone()).unwrap_or_default();
            Subject::stream(&name(wanted), &key.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let streams = streams.iter().map(stream).collect();
        Subject { source, streams, inbox: None, records: 0, rejected: 0 }
    }

    /// The stream `public.t`, read by this cursor field.
    async fn by_cursor(&self, field: &str) -> Subject {
        self.by_cursor_of(self.source(), field).await
    }

    async fn by_cursor_of(&self, source: Arc<dyn Source>, field: &str) -> Subject {
        let mut subject = self.subject_of(source, &["public.t"]).await;
        subject.streams[0].cursor_field = Some(field.to_owned());
        subject
    }

    /// Reads `public.t` from the beginning.
    async fn read(&self) -> Collection {
        let mut collection = Collection::default();
        sync(&self.subject(&["public.t"]).await, &mut collection).await;
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
        Message::StreamEnd { .. } => "end".to_owned(),
        Message::StreamFailed { error, .. } => format!("{}: {error}", error.kind().code()),
        Message::Warning { text } => text.clone(),
        other => format!("of other sources: {other:?}"),
    };
    messages.iter().map(tell).collect()
}

fn failure(messages: &[Message]) -> &SourceError {
    let failed = messages.iter().find_map(|message| match message {
        Message::StreamFailed { error, .. } => Some(error),
        _ => None,
    });
    failed.expect("the stream fails")
}

/// The records' data, in the order of their keys.
fn data(collection: &Collection) -> Vec<String> {
    collection.shown().into_iter().map(|(_, data)| data).collect()
}

fn keys(collection: &Collection) -> Vec<String> {
    collection.shown().into_iter().map(|(key, _)| key).collect()
}
