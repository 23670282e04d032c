//! What `external_source` does, seen from outside: the conformance suite, and cases peculiar to pushes.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::json::Limits;
use inlet_model::mask::Masking;
use inlet_model::sync::SyncMode;
use inlet_model::{Scope, ScopeState, StreamName};
use inlet_source::conformance::{self, Collection, StreamEnding, Subject};
use inlet_source::{
    ConnectorType, Environment, ErrorKind, Inbox, InboxEntry, InboxError, Message, PushForm, Source,
    StreamRequest, accept,
};
use serde_json::{Value, json};

use super::ExternalSource;

/// Pushes that stay where they are.
#[derive(Debug, Default)]
struct Shelf {
    pushes: BTreeMap<StreamName, Vec<InboxEntry>>,
    is_broken: bool,
}

impl Shelf {
    fn push(mut self, seq: u64, key_fields: &[&str], form: PushForm, body: &str) -> Self {
        let key_fields: Vec<String> = key_fields.iter().map(|field| (*field).to_owned()).collect();
        let lines = accept(body.as_bytes(), form, &key_fields, Limits::default()).unwrap().lines;
        self.pushes.entry(records()).or_default().push(InboxEntry {
            seq,
            key_fields,
            masked: Masking::default(),
            lines,
        });
        self
    }
}

#[async_trait]
impl Inbox for Shelf {
    async fn after(
        &self,
        stream: &StreamName,
        after: u64,
        max_bytes: usize,
    ) -> Result<Vec<InboxEntry>, InboxError> {
        if self.is_broken {
            return Err(InboxError("it is broken".into()));
        }
        let (mut given, mut bytes) = (Vec::new(), 0);
        let waiting = self.pushes.get(stream).into_iter().flatten().filter(|push| push.seq > after);
        for push in waiting {
            if bytes > 0 && bytes + push.lines.len() > max_bytes {
                break;
            }
            bytes += push.lines.len();
            given.push(push.clone());
        }
        Ok(given)
    }
}

fn records() -> StreamName {
    StreamName::new("records").unwrap()
}

fn source() -> Arc<dyn Source> {
    Arc::from(ExternalSource.build(json!({}), &Environment::default()).unwrap())
}

fn subject(inbox: Shelf, primary_key: &[&str]) -> Subject {
    let streams = vec![Subject::stream(&records(), primary_key)];
    Subject { source: source(), streams, inbox: Some(Arc::new(inbox)), records: 0, rejected: 0 }
}

async fn read(subject: &Subject, batch_bytes: usize) -> (Collection, Vec<Message>) {
    let mut collection = Collection::default();
    let messages = subject.read_into(&mut collection, SyncMode::Incremental, batch_bytes).await;
    (collection, messages)
}

fn shown(records: &[(&str, &str)]) -> Vec<(String, String)> {
    records.iter().map(|(key, data)| ((*key).to_owned(), (*data).to_owned())).collect()
}

#[tokio::test]
async fn pushes_conform_to_the_contract() {
    let many = (0..30).map(|id| format!("{{\"id\":{id}}}\n")).collect::<String>();
    let inbox = Shelf::default()
        .push(3, &["id"], PushForm::NdJson, &many)
        .push(4, &[], PushForm::Json, r#"[{"a":1},{"a":1},{"a":2}]"#)
        .push(9, &[], PushForm::Envelope, r#"{"op":"delete","key":7}"#)
        .push(10, &[], PushForm::Envelope, r#"{"op":"upsert","key":["x",1],"data":{}}"#)
        .push(11, &["id"], PushForm::Json, r#"{"id":1,"again":true}"#);
    conformance::run_all(&Subject { records: 33, ..subject(inbox, &[]) }).await;
}

#[tokio::test]
async fn a_push_states_its_key_or_the_stream_does_or_the_content_is_it() {
    let inbox = Shelf::default()
        .push(1, &["a"], PushForm::Json, r#"{"a":1,"b":2}"#)
        .push(2, &[], PushForm::Json, r#"[{"a":3,"b":4},{"no":"key"}]"#)
        .push(3, &[], PushForm::Envelope, r#"{"op":"upsert","key":"own","data":{"b":6}}"#);
    let (collection, _) = read(&subject(inbox, &["b"]), 1 << 20).await;
    assert_eq!(
        collection.shown(),
        shown(&[("\"own\"", r#"{"b":6}"#), ("1", r#"{"a":1,"b":2}"#), ("4", r#"{"a":3,"b":4}"#)])
    );
    let codes: Vec<_> = collection.rejections().iter().map(|each| (each.position, each.code)).collect();
    assert_eq!(codes, [(2, "key.missing_field")]);
}

#[tokio::test]
async fn equal_records_without_key_are_told_apart_within_a_push_and_meet_again_in_the_next() {
    let body = r#"[{"a":1},{"a":1}]"#;
    let inbox = Shelf::default().push(1, &[], PushForm::Json, body).push(2, &[], PushForm::Json, body);
    let (collection, _) = read(&subject(inbox, &[]), 1).await;
    assert_eq!(collection.records().len(), 2);
}

#[tokio::test]
async fn the_last_push_wins_and_a_delete_removes() {
    let body = r#"[{"op":"upsert","data":{"id":1,"n":1}},{"op":"upsert","data":{"id":2}},{"op":"delete","key":2},{"op":"upsert","data":{"id":1,"n":2}}]"#;
    let inbox = Shelf::default().push(5, &["id"], PushForm::Envelope, body);
    let (collection, messages) = read(&subject(inbox, &[]), 1 << 20).await;
    assert_eq!(collection.shown(), shown(&[("1", r#"{"id":1,"n":2}"#)]));
    assert!(matches!(messages[1], Message::InboxTaken { through: 5, .. }), "{messages:?}");
}

#[tokio::test]
async fn a_checkpoint_within_a_push_goes_on_behind_the_last_line_taken() {
    let inbox = Shelf::default().push(1, &[], PushForm::NdJson, &"{\"a\":1}\n".repeat(5));
    let mut subject = subject(inbox, &[]);
    let state = ScopeState { cursor: Some(json!({"seq": 0, "lines": 3})), ..ScopeState::default() };
    subject.streams[0].scopes = BTreeMap::from([(Scope::whole(), state)]);
    let request = inlet_source::ReadRequest {
        streams: subject.streams.clone(),
        ..subject.request(&Collection::default(), SyncMode::Incremental, 1 << 20)
    };
    let (out, mut receiver) = inlet_source::messages(1 << 20);
    subject.source.read(request, out).await.unwrap();
    let Message::Batch { batch, checkpoint } = receiver.next().await.unwrap().message else {
        panic!("the rest of the push comes first");
    };
    let occurrences: Vec<u8> = batch.entries().map(|entry| *entry.key.last().unwrap()).collect();
    assert_eq!(occurrences, [4, 5], "the lines taken before count, so that the others keep their keys");
    assert_eq!(checkpoint, Some(json!({"seq": 1, "lines": 0})));
}

#[tokio::test]
async fn an_inbox_that_cannot_be_read_fails_the_stream() {
    let inbox = Shelf { is_broken: true, ..Shelf::default() };
    let (collection, _) = read(&subject(inbox, &[]), 1).await;
    assert_eq!(collection.ending(&records()), Some(StreamEnding::Failed(ErrorKind::Unavailable)));
}

#[tokio::test]
async fn without_an_inbox_there_is_nothing_to_read() {
    let request = Subject { inbox: None, ..subject(Shelf::default(), &[]) };
    let (collection, _) = read(&request, 1).await;
    assert_eq!(collection.ending(&records()), Some(StreamEnding::End));
}

#[tokio::test]
async fn only_the_selected_fields_are_kept() {
    let inbox = Shelf::default().push(1, &["id"], PushForm::Json, r#"{"id":1,"a":2,"b":3}"#);
    let mut subject = subject(inbox, &[]);
    subject.streams[0] = StreamRequest { fields: Some(vec!["b".to_owned()]), ..subject.streams[0].clone() };
    let (collection, _) = read(&subject, 1).await;
    assert_eq!(collection.shown(), shown(&[("1", r#"{"b":3,"id":1}"#)]));
}

#[tokio::test]
async fn what_is_appended_has_its_place_for_a_key() {
    let twice = r#"[{"id":1},{"id":1}]"#;
    let inbox = Shelf::default().push(1, &["id"], PushForm::Json, twice).push(
        4,
        &[],
        PushForm::Envelope,
        r#"{"op":"upsert","key":"own","data":{"id":1}}"#,
    );
    let mut subject = subject(inbox, &[]);
    subject.streams[0] = StreamRequest { appends: true, ..subject.streams[0].clone() };
    let (collection, _) = read(&subject, 1).await;
    let record = r#"{"id":1}"#;
    assert_eq!(collection.shown(), shown(&[("[1,1]", record), ("[1,2]", record), ("[4,1]", record)]));
}

#[test]
fn the_config_is_empty() {
    let build = |config: Value| ExternalSource.build(config, &Environment::default());
    assert!(build(json!({})).is_ok() && build(Value::Null).is_ok());
    assert_eq!(build(json!({"path": "x"})).unwrap_err().0[0].code, "field.unknown");
    assert_eq!(build(json!([])).unwrap_err().0[0].code, "field.type");
}
