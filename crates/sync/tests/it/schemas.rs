//! Schemas: found in the records, and what the policy makes of records that are not of them.

use std::time::Duration;

use inlet_model::policy::{ConnectorPolicy, SchemaPolicy};
use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Batch, Scope, key};
use inlet_source::{Message, Outlet, ReadRequest, SourceError};
use inlet_store::catalog::Sync;
use inlet_store::collection::{LogQuery, RejectedQuery, SchemasQuery};
use inlet_sync::Engine;

use crate::fixture::{Fixture, complete, end, listing, stream};

async fn with(policy: SchemaPolicy) -> Fixture {
    let fixture = Fixture::new(&["s"]).await;
    follow(&fixture, policy).await;
    fixture
}

async fn follow(fixture: &Fixture, schema: SchemaPolicy) {
    fixture.allow(ConnectorPolicy { schema, ..ConnectorPolicy::default() }).await;
}

/// Has the source list these records, numbered from 0; `None` ends the batch.
fn lists(fixture: &Fixture, records: &'static [Option<&'static str>]) {
    fixture.script(move |request, out| list(request, out, records));
}

async fn list(
    request: ReadRequest,
    out: Outlet,
    records: &'static [Option<&'static str>],
) -> Result<(), SourceError> {
    out.send(listing("s")).await.unwrap();
    for batch in batches(&request, records) {
        // The stream may have been given up meanwhile.
        let _ = out.send(Message::Batch { batch, checkpoint: None }).await;
    }
    let _ = out.send(complete("s", true)).await;
    let _ = out.send(end("s")).await;
    Ok(())
}

fn batches(request: &ReadRequest, records: &[Option<&str>]) -> Vec<Batch> {
    let empty = || Batch::new(stream("s"), Scope::whole(), request.seed);
    let (mut batches, mut id) = (vec![empty()], 0);
    for record in records {
        let Some(record) = record else {
            batches.push(empty());
            continue;
        };
        let mut encoded = Vec::new();
        key::encode_json_scalar(id.to_string().as_bytes(), &mut encoded).unwrap();
        batches.last_mut().unwrap().upsert(id + 1, &encoded, record.as_bytes());
        id += 1;
    }
    batches
}

async fn synced(fixture: &Fixture, engine: &Engine) -> Sync {
    let id = fixture.trigger(engine, SyncMode::FullRefresh).await;
    fixture.wait(id, |sync| sync.status.is_final()).await
}

async fn versions(fixture: &Fixture) -> Vec<String> {
    let query =
        SchemasQuery { connector_id: fixture.connector.id, stream: Some(stream("s")), after: None, limit: 9 };
    let versions = fixture.store().await.schemas(query).await.unwrap();
    versions.iter().rev().map(|version| serde_json::to_string(&version.schema).unwrap()).collect()
}

async fn logged(fixture: &Fixture, sync: &Sync) -> Vec<String> {
    let lines = fixture.store().await.log(sync.id, LogQuery::behind(0, 100)).await.unwrap();
    let of_schemas = lines.iter().filter(|line| line.code.starts_with("schema."));
    of_schemas.map(|line| line.message.clone()).collect()
}

const FIRST: &[Option<&str>] = &[Some(r#"{"a":1,"n":null}"#), Some(r#"{"a":2,"b":"x"}"#)];
const OTHER: &[Option<&str>] = &[
    Some(r#"{"a":3,"n":"y"}"#),
    None,
    Some(r#"{"a":"z"}"#),
    None,
    Some(r#"{"a":4,"b":"w"}"#),
    Some(r#"{"c":[]}"#),
];

#[tokio::test]
async fn a_schema_evolves_with_the_records_and_its_versions_are_told() {
    let fixture = with(SchemaPolicy::Evolve).await;
    let engine = fixture.engine().await;
    lists(&fixture, FIRST);
    let sync = synced(&fixture, &engine).await;
    assert_eq!(logged(&fixture, &sync).await, ["The fields of `s` (schema version 1): `a`, `b`, `n`."]);
    let again = synced(&fixture, &engine).await;
    assert_eq!(logged(&fixture, &again).await, [""; 0], "nothing is new");
    lists(&fixture, OTHER);
    let sync = synced(&fixture, &engine).await;
    assert_eq!((sync.status, sync.counts.rejected), (SyncStatus::Succeeded, 0));
    assert_eq!(
        logged(&fixture, &sync).await,
        [
            "The schema of `s` has changed (version 2): `c` (array) is new, `a` was integer and is integer or string."
        ]
    );
    let first = r#"{"a":["integer"],"b":["string"],"n":[]}"#;
    let second = r#"{"a":["integer","string"],"b":["string"],"c":["array"],"n":["string"]}"#;
    assert_eq!(versions(&fixture).await, [first, second]);
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_frozen_schema_fails_the_stream_before_anything_else_is_taken() {
    let fixture = with(SchemaPolicy::Freeze).await;
    let engine = fixture.engine().await;
    lists(&fixture, FIRST);
    assert_eq!(synced(&fixture, &engine).await.status, SyncStatus::Succeeded, "it is learned first");
    lists(&fixture, OTHER);
    let sync = synced(&fixture, &engine).await;
    let failure = sync.failure.unwrap();
    assert_eq!((sync.status, failure.code.as_str()), (SyncStatus::Failed, "schema.changed"));
    assert!(failure.message.ends_with("at 2, the field `a` is string here, and was integer"), "{failure:?}");
    assert_eq!((sync.counts.updated, sync.counts.deleted), (1, 0), "what came before it is taken");
    let records: Vec<String> = fixture.records().await.into_values().collect();
    assert_eq!(records, [r#"{"a":3,"n":"y"}"#, r#"{"a":2,"b":"x"}"#]);
    follow(&fixture, SchemaPolicy::Evolve).await;
    assert_eq!(synced(&fixture, &engine).await.status, SyncStatus::Succeeded);
    follow(&fixture, SchemaPolicy::Freeze).await;
    assert_eq!(synced(&fixture, &engine).await.status, SyncStatus::Succeeded, "the change was taken");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn records_that_do_not_fit_are_rejected_and_leave_what_was_there() {
    let fixture = with(SchemaPolicy::RejectRecord).await;
    let engine = fixture.engine().await;
    lists(&fixture, FIRST);
    synced(&fixture, &engine).await;
    lists(&fixture, OTHER);
    let sync = synced(&fixture, &engine).await;
    let counts = sync.counts;
    assert_eq!(sync.status, SyncStatus::Succeeded);
    assert_eq!(
        (counts.read, counts.created, counts.updated, counts.rejected, counts.deleted),
        (4, 1, 1, 2, 0)
    );
    let rejected = fixture.store().await.rejected(sync.id, RejectedQuery::behind(0, 9)).await.unwrap();
    let told = |number: usize| (rejected[number].code.as_str(), rejected[number].reason.as_str());
    let reason = |misfit: &str| format!("It does not fit the schema of its stream: {misfit}.");
    assert_eq!(told(0), ("schema.not_fitting", &*reason("the field `a` is string here, and was integer")));
    assert_eq!(told(1), ("schema.not_fitting", &*reason("the field `c` is new")));
    assert_eq!((rejected[0].position, rejected[0].sample.as_str()), (2, r#"{"a":"z"}"#));
    let records: Vec<String> = fixture.records().await.into_values().collect();
    assert_eq!(records, [r#"{"a":3,"n":"y"}"#, r#"{"a":2,"b":"x"}"#, r#"{"a":4,"b":"w"}"#]);
    assert_eq!(versions(&fixture).await[1], r#"{"a":["integer"],"b":["string"],"n":["string"]}"#);
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_first_sync_that_was_broken_off_teaches_and_is_not_held_to_what_it_taught() {
    let fixture = with(SchemaPolicy::Freeze).await;
    let engine = fixture.engine().await;
    fixture.script(|request, out| async move {
        out.send(listing("s")).await.unwrap();
        for batch in batches(&request, FIRST) {
            out.send(Message::Batch { batch, checkpoint: None }).await.unwrap();
        }
        Err(SourceError::new(inlet_source::ErrorKind::Format, "read", "it is broken"))
    });
    assert_eq!(synced(&fixture, &engine).await.status, SyncStatus::Failed);
    lists(&fixture, OTHER);
    assert_eq!(synced(&fixture, &engine).await.status, SyncStatus::Succeeded);
    lists(&fixture, FIRST);
    assert_eq!(synced(&fixture, &engine).await.status, SyncStatus::Succeeded);
    assert_eq!(versions(&fixture).await.len(), 2);
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn another_stream_goes_on_when_one_is_given_up() {
    let fixture = Fixture::new(&["s", "t"]).await;
    follow(&fixture, SchemaPolicy::Freeze).await;
    let engine = fixture.engine().await;
    let both = |records: &'static [Option<&'static str>]| {
        move |request: ReadRequest, out: Outlet| async move {
            list(request.clone(), out.clone(), records).await?;
            out.send(listing("t")).await.unwrap();
            let other = crate::fixture::batch(&request, "t", 0..3, "a");
            out.send(Message::Batch { batch: other, checkpoint: None }).await.unwrap();
            out.send(complete("t", true)).await.unwrap();
            out.send(end("t")).await.unwrap();
            Ok(())
        }
    };
    fixture.script(both(FIRST));
    assert_eq!(synced(&fixture, &engine).await.status, SyncStatus::Succeeded);
    fixture.script(both(OTHER));
    let sync = synced(&fixture, &engine).await;
    assert_eq!(sync.failure.unwrap().code, "schema.changed");
    assert_eq!(sync.counts.unchanged, 3, "the other stream was read to its end");
    engine.stop(Duration::from_secs(5)).await;
}
