//! What happens when files change: between two reads, and during one.

use std::os::unix::fs::symlink;

use inlet_model::Scope;
use inlet_source::{ErrorKind, messages};

use super::*;

async fn next(subject: &Subject, collection: &mut Collection) -> Vec<String> {
    kinds(&subject.read_into(collection, SyncMode::Incremental, 1 << 20).await)
}

#[tokio::test]
async fn a_changed_file_is_read_again_and_what_it_no_longer_holds_goes() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a.jsonl", "{\"id\":1}\n{\"id\":2}\n").write("d/b.jsonl", "{\"id\":3}\n");
    let subject = sandbox.subject(json!({"path": "d/*.jsonl"}), &["id"]).await;
    let mut collection = Collection::default();
    next(&subject, &mut collection).await;
    sandbox.write("d/a.jsonl", "{\"id\":2}\n{\"id\":4}\n");
    assert_eq!(
        next(&subject, &mut collection).await,
        ["listing a.jsonl", "2 of a.jsonl", "complete a.jsonl", "unchanged b.jsonl", "2 scopes", "end"]
    );
    assert_eq!(data(&collection), [r#"{"id":2}"#, r#"{"id":3}"#, r#"{"id":4}"#]);
}

#[tokio::test]
async fn a_removed_file_takes_its_records_along_but_never_the_last_one() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a.jsonl", "{\"id\":1}\n").write("d/b.jsonl", "{\"id\":2}\n");
    let subject = sandbox.subject(json!({"path": "d/*.jsonl"}), &["id"]).await;
    let mut collection = Collection::default();
    next(&subject, &mut collection).await;
    std::fs::remove_file(sandbox.path("d/a.jsonl")).unwrap();
    assert_eq!(next(&subject, &mut collection).await, ["unchanged b.jsonl", "1 scopes", "end"]);
    assert_eq!(data(&collection), [r#"{"id":2}"#]);
    std::fs::remove_file(sandbox.path("d/b.jsonl")).unwrap();
    assert_eq!(next(&subject, &mut collection).await, ["failed source.not_found"]);
    assert_eq!(data(&collection), [r#"{"id":2}"#]);
}

#[tokio::test]
async fn a_single_file_that_is_gone_is_an_error_and_deletes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("a.jsonl", "{\"id\":1}\n");
    let subject = sandbox.subject(json!({"path": "a.jsonl"}), &["id"]).await;
    let mut collection = Collection::default();
    assert_eq!(
        next(&subject, &mut collection).await,
        ["listing a.jsonl", "1 of a.jsonl", "complete a.jsonl", "end"]
    );
    std::fs::remove_file(sandbox.path("a.jsonl")).unwrap();
    assert_eq!(next(&subject, &mut collection).await, ["failed source.not_found"]);
    assert_eq!(data(&collection).len(), 1);
    assert_eq!(subject.source.check().await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_file_written_just_before_it_was_read_is_read_again() {
    let sandbox = Sandbox::new();
    sandbox.write("a.jsonl", "{\"id\":1}\n");
    let source = Files::new(Arc::new(ManualClock::new(SystemClock.now())));
    let environment = Environment { files_roots: vec![sandbox.root()], ..Environment::default() };
    let source = Arc::from(source.build(json!({"path": "a.jsonl"}), &environment).unwrap());
    let subject = Subject { source, ..sandbox.subject(json!({"path": "a.jsonl"}), &["id"]).await };
    let mut collection = Collection::default();
    next(&subject, &mut collection).await;
    assert_eq!(next(&subject, &mut collection).await[0], "listing a.jsonl");
    let later = sandbox.subject(json!({"path": "a.jsonl"}), &["id"]).await;
    assert_eq!(next(&later, &mut collection).await[0], "listing a.jsonl", "the last read was too early, too");
    assert_eq!(next(&later, &mut collection).await[0], "unchanged a.jsonl");
}

#[tokio::test]
async fn other_settings_read_the_file_again() {
    let sandbox = Sandbox::new();
    sandbox.write("a.csv", "id\n1\n");
    let mut collection = Collection::default();
    next(&sandbox.subject(json!({"path": "a.csv"}), &["id"]).await, &mut collection).await;
    let other = json!({"path": "a.csv", "csv": {"types": {"id": "string"}}});
    next(&sandbox.subject(other, &["id"]).await, &mut collection).await;
    assert_eq!(collection.shown(), [("\"1\"".to_owned(), r#"{"id":"1"}"#.to_owned())]);
}

#[tokio::test]
async fn a_resumed_full_refresh_does_not_list_again_what_it_has_listed() {
    let sandbox = Sandbox::new();
    sandbox.write("a.jsonl", "{\"id\":1}\n");
    let subject = sandbox.subject(json!({"path": "a.jsonl"}), &["id"]).await;
    let mut collection = Collection::default();
    next(&subject, &mut collection).await;
    let mut request = subject.request(&collection, SyncMode::FullRefresh, 1 << 20);
    request.generation = collection.generation();
    let (out, mut receiver) = messages(1 << 20);
    subject.source.read(request, out).await.unwrap();
    let first = receiver.next().await.unwrap().message;
    assert_eq!(kinds(&[first]), ["unchanged a.jsonl"]);
}

/// Reads with room for one message only, and runs `meanwhile` when the first batch of `scope` has come.
async fn read_while(subject: &Subject, scope: &str, meanwhile: impl FnOnce()) -> Vec<Message> {
    let request = subject.request(&Collection::default(), SyncMode::Incremental, 1);
    let (out, mut receiver) = messages(1);
    let source = Arc::clone(&subject.source);
    let reading = tokio::spawn(async move { source.read(request, out).await });
    let (mut taken, mut meanwhile) = (Vec::new(), Some(meanwhile));
    while let Some(next) = receiver.next().await {
        if matches!(&next.message, Message::Batch { batch, .. } if batch.scope() == &Scope::new(scope))
            && let Some(meanwhile) = meanwhile.take()
        {
            meanwhile();
        }
        taken.push(next.message);
    }
    reading.await.unwrap().unwrap();
    taken
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_read_is_not_complete_but_the_others_are() {
    let sandbox = Sandbox::new();
    let lines: String = (0..6).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    sandbox.write("d/a.jsonl", &lines).write("d/b.jsonl", "{\"id\":9}\n");
    let subject = sandbox.subject(json!({"path": "d/*.jsonl"}), &["id"]).await;
    let messages =
        read_while(&subject, "a.jsonl", || append(&sandbox.path("d/a.jsonl"), "{\"id\":7}\n")).await;
    let kinds = kinds(&messages);
    assert!(!kinds.contains(&"complete a.jsonl".to_owned()), "{kinds:?}");
    assert_eq!(
        kinds[kinds.len() - 4..],
        ["listing b.jsonl", "1 of b.jsonl", "complete b.jsonl", "failed source.changed"]
    );
}

#[tokio::test]
async fn a_file_that_vanishes_or_is_replaced_while_it_is_read_is_not_complete() {
    let sandbox = Sandbox::new();
    let lines: String = (0..6).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let path = sandbox.path("a.jsonl");
    let replace = || {
        sandbox.write("new", &lines);
        std::fs::rename(sandbox.path("new"), &path).unwrap();
    };
    for meanwhile in [&replace as &dyn Fn(), &|| std::fs::remove_file(&path).unwrap()] {
        sandbox.write("a.jsonl", &lines);
        let subject = sandbox.subject(json!({"path": "a.jsonl"}), &["id"]).await;
        let kinds = kinds(&read_while(&subject, "a.jsonl", meanwhile).await);
        assert_eq!(kinds.last().unwrap(), "failed source.changed");
        assert!(!kinds.contains(&"complete a.jsonl".to_owned()));
    }
}

#[tokio::test]
async fn a_file_that_comes_while_others_are_read_leaves_the_set_open() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    let subject = sandbox.subject(json!({"path": "d/*.jsonl"}), &["id"]).await;
    let kinds = kinds(
        &read_while(&subject, "a.jsonl", || {
            sandbox.write("d/b.jsonl", "{}\n");
        })
        .await,
    );
    assert_eq!(kinds[kinds.len() - 3..], ["complete a.jsonl", "warning", "end"]);
}

#[tokio::test]
async fn a_file_that_is_not_there_any_more_when_its_turn_comes_leaves_the_set_open() {
    let sandbox = Sandbox::new();
    sandbox.write("d/b.jsonl", "{\"id\":1}\n");
    symlink(sandbox.path("d/nowhere"), sandbox.path("d/a.jsonl")).unwrap();
    let subject = sandbox.subject(json!({"path": "d/*.jsonl", "stream": "data"}), &["id"]).await;
    let mut collection = Collection::default();
    assert_eq!(
        next(&subject, &mut collection).await,
        ["warning", "listing b.jsonl", "1 of b.jsonl", "complete b.jsonl", "end"]
    );
}

#[tokio::test]
async fn what_lies_outside_the_roots_is_never_read() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.base().join("secret.jsonl"), "{\"id\":0}\n").unwrap();
    sandbox.write("d/b.jsonl", "{\"id\":1}\n");
    symlink(sandbox.base().join("secret.jsonl"), sandbox.path("d/a.jsonl")).unwrap();
    let subject = sandbox.subject(json!({"path": "d/*.jsonl", "stream": "data"}), &["id"]).await;
    let mut collection = Collection::default();
    assert_eq!(
        next(&subject, &mut collection).await,
        ["listing b.jsonl", "1 of b.jsonl", "complete b.jsonl", "failed source.denied"]
    );
    assert_eq!(data(&collection), [r#"{"id":1}"#]);
    assert_eq!(subject.source.check().await.unwrap_err().kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn an_open_listing_of_a_file_that_has_changed_begins_again() {
    let sandbox = Sandbox::new();
    sandbox.write("a.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    let subject = sandbox.subject(json!({"path": "a.jsonl"}), &["id"]).await;
    let request = subject.request(&Collection::default(), SyncMode::Incremental, 1);
    let mut collection = Collection::default();
    collection.begin(request.clone(), inlet_source::Capabilities::default());
    let (out, mut receiver) = messages(1 << 20);
    subject.source.read(request, out).await.unwrap();
    for _ in 0..2 {
        collection.apply(&receiver.next().await.unwrap().message);
    }
    sandbox.write("a.jsonl", "{\"id\":4}\n");
    // A listing that begins again where it could go on breaks the contract, but here it cannot.
    let request = subject.request(&collection, SyncMode::Incremental, 1 << 20);
    let (out, mut receiver) = messages(1 << 20);
    subject.source.read(request, out).await.unwrap();
    let mut kinds = Vec::new();
    while let Some(next) = receiver.next().await {
        kinds.extend(super::kinds(&[next.message]));
    }
    assert_eq!(kinds, ["listing a.jsonl", "1 of a.jsonl", "complete a.jsonl", "end"]);
}
