//! Other programs beside the reading.

use inlet_source::{MessageReceiver, messages};

use super::*;

const FORTY: &str = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 40)";

/// Begins to read, one record a batch, and takes messages until `most` have come.
async fn begin(
    subject: &Subject,
    most: usize,
) -> (Vec<Message>, MessageReceiver, tokio::task::JoinHandle<()>) {
    let request = subject.request(&Collection::default(), SyncMode::Incremental, 1);
    // No room for more than one message, so that the source comes no further than it is taken.
    let (out, mut receiver) = messages(1);
    let source = Arc::clone(&subject.source);
    let reading = tokio::spawn(async move { source.read(request, out).await.unwrap() });
    let mut taken = Vec::new();
    while taken.len() < most {
        taken.push(receiver.next().await.unwrap().message);
    }
    (taken, receiver, reading)
}

async fn rest(mut receiver: MessageReceiver) -> Vec<Message> {
    let mut taken = Vec::new();
    while let Some(next) = receiver.next().await {
        taken.push(next.message);
    }
    taken
}

/// Reads on from where `collection` is, which stays there.
async fn read_on(subject: &Subject, collection: &Collection) -> Vec<Message> {
    let (out, receiver) = messages(1 << 24);
    let request = subject.request(collection, SyncMode::Incremental, 1 << 20);
    subject.source.read(request, out).await.unwrap();
    rest(receiver).await
}

fn applied(subject: &Subject, messages: &[Message]) -> Collection {
    let mut collection = Collection::default();
    let request = subject.request(&collection, SyncMode::Incremental, 1);
    collection.begin(request, subject.source.capabilities());
    messages.iter().for_each(|message| collection.apply(message));
    collection.end();
    collection
}

#[tokio::test]
async fn with_a_log_one_moment_is_read_of_all_tables_while_others_write() {
    let sandbox = Sandbox::new();
    let program = sandbox.program();
    program
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v); {FORTY} INSERT INTO t SELECT n, 'old' FROM n;
             CREATE TABLE u (id INTEGER PRIMARY KEY, v); INSERT INTO u SELECT * FROM t;"
        ))
        .unwrap();
    let subject = sandbox.subject(&["t", "u"]).await;
    let (mut taken, receiver, reading) = begin(&subject, 5).await;
    program.execute_batch("UPDATE t SET v = 'new'; DELETE FROM u; PRAGMA wal_checkpoint(PASSIVE);").unwrap();
    taken.extend(rest(receiver).await);
    reading.await.unwrap();
    assert_eq!(told(&taken).iter().filter(|text| *text == "complete, certified: true").count(), 2);
    let records = data(&applied(&subject, &taken));
    assert_eq!(records.len(), 80);
    assert!(records.iter().all(|record| record.contains("old")), "{records:?}");
}

#[tokio::test]
async fn with_a_journal_writers_get_their_turn_and_the_listing_is_not_certified() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); {FORTY} INSERT INTO t SELECT n, 'old' FROM n;"
    ));
    let subject = sandbox.subject(&["t"]).await;
    let program = sandbox.program();
    program.busy_timeout(Duration::from_secs(20)).unwrap();
    let (mut taken, receiver, reading) = begin(&subject, 5).await;
    program
        .execute_batch("UPDATE t SET v = 'new' WHERE id IN (1, 40); DELETE FROM t WHERE id = 20;")
        .unwrap();
    taken.extend(rest(receiver).await);
    reading.await.unwrap();
    let told = told(&taken);
    assert!(told.contains(&"complete, certified: false".to_owned()), "{told:?}");
    let collection = applied(&subject, &taken);
    assert_eq!(collection.records().len(), 39);
    assert_eq!(data(&collection).last().unwrap(), r#"{"id":40,"v":"new"}"#);
}

#[tokio::test]
async fn with_a_journal_a_listing_is_certified_if_nobody_wrote() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY); {FORTY} INSERT INTO t SELECT n FROM n;"
    ));
    let subject = sandbox.subject(&["t"]).await;
    let (mut taken, receiver, reading) = begin(&subject, 5).await;
    taken.extend(rest(receiver).await);
    reading.await.unwrap();
    assert!(told(&taken).contains(&"complete, certified: true".to_owned()));
}

#[tokio::test]
async fn a_listing_that_is_gone_on_with_is_not_certified() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY); {FORTY} INSERT INTO t SELECT n FROM n;"
    ));
    let subject = sandbox.subject(&["t"]).await;
    let (taken, receiver, reading) = begin(&subject, 5).await;
    drop(receiver);
    reading.await.unwrap();
    let mut collection = Collection::default();
    collection.begin(subject.request(&collection, SyncMode::Incremental, 1), subject.source.capabilities());
    taken.iter().for_each(|message| collection.apply(message));
    let messages = sync(&subject, &mut collection).await;
    assert_eq!(told(&messages), ["36 records", "complete, certified: false", "end"]);
    assert_eq!(collection.records().len(), 40);
}

#[tokio::test]
async fn a_listing_begins_anew_when_the_tables_were_changed_or_put_in_order() {
    for change in ["ALTER TABLE t ADD COLUMN w DEFAULT 7", "VACUUM", "CREATE TABLE another (a)"] {
        let sandbox = Sandbox::with(&format!(
            "CREATE TABLE t (v); {FORTY} INSERT INTO t SELECT n FROM n; DELETE FROM t WHERE v < 5;"
        ));
        let subject = sandbox.subject(&["t"]).await;
        let (mut taken, receiver, reading) = begin(&subject, 5).await;
        sandbox.write(change);
        taken.extend(rest(receiver).await);
        reading.await.unwrap();
        assert!(failure(&taken).starts_with("source.changed"), "{change}: {:?}", told(&taken));
        let messages = read_on(&subject, &applied(&subject, &taken)).await;
        assert_eq!(
            told(&messages),
            ["listing", "36 records", "complete, certified: true", "end"],
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_lock_is_waited_for() {
    let sandbox = Sandbox::with("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);");
    let subject = sandbox.subject(&["t"]).await;
    let program = sandbox.program();
    program.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let unlocking = async {
        tokio::task::yield_now().await;
        program.execute_batch("COMMIT").unwrap();
    };
    let mut collection = Collection::default();
    tokio::join!(sync(&subject, &mut collection), unlocking);
    assert_eq!(collection.records().len(), 1);
}

#[tokio::test]
async fn a_lock_that_stays_is_named() {
    let mut sandbox = Sandbox::with("CREATE TABLE t (id INTEGER PRIMARY KEY);");
    sandbox.lock_patience = Duration::from_millis(30);
    let program = sandbox.program();
    program.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = sandbox.source().check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("another program keeps the database locked"), "{error}");
}

#[tokio::test]
async fn reading_that_waits_for_a_lock_ends_when_nobody_listens() {
    let sandbox = Sandbox::with("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);");
    let subject = sandbox.subject(&["t"]).await;
    let program = sandbox.program();
    program.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let (_, receiver, reading) = begin(&subject, 0).await;
    tokio::task::yield_now().await;
    drop(receiver);
    tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_query_without_end_ends_when_nobody_listens() {
    let sandbox = Sandbox::with(
        "CREATE VIEW t AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n FROM n WHERE n < 0;",
    );
    let (_, receiver, reading) = begin(&sandbox.subject(&["t"]).await, 1).await;
    drop(receiver);
    tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_log_that_nobody_uses_is_left_alone_and_one_in_use_is_read() {
    let sandbox = Sandbox::with(
        "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);",
    );
    assert_eq!(sandbox.read().await.records().len(), 1);
    assert_eq!(sandbox.files(), ["a.db"]);
    let program = sandbox.program();
    program.execute_batch("INSERT INTO t VALUES (2);").unwrap();
    assert_eq!(sandbox.read().await.records().len(), 2, "what is only in the log counts");
    assert_eq!(sandbox.files(), ["a.db", "a.db-shm", "a.db-wal"]);
    program.execute_batch("INSERT INTO t VALUES (3);").unwrap();
    drop(program);
    assert_eq!(sandbox.files(), ["a.db"], "the program could still tidy up");
    assert_eq!(sandbox.read().await.records().len(), 3);
}

#[tokio::test]
async fn what_is_written_to_a_log_that_nobody_used_fails_the_stream_and_nothing_is_lost() {
    let sandbox = Sandbox::with(&format!(
        "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v); {FORTY} INSERT INTO t SELECT n, 'old' FROM n;"
    ));
    let subject = sandbox.subject(&["t"]).await;
    let (mut taken, receiver, reading) = begin(&subject, 5).await;
    sandbox.write("UPDATE t SET v = 'new'");
    taken.extend(rest(receiver).await);
    reading.await.unwrap();
    assert!(failure(&taken).starts_with("source.changed"), "{:?}", told(&taken));
    let mut collection = applied(&subject, &taken);
    let messages = sync(&subject, &mut collection).await;
    assert!(told(&messages).contains(&"complete, certified: false".to_owned()), "{:?}", told(&messages));
    assert_eq!(collection.records().len(), 40);
    sandbox.write("UPDATE t SET v = 'newer'");
    sync(&subject, &mut collection).await;
    assert!(data(&collection).iter().all(|record| record.contains("newer")));
}

#[tokio::test]
async fn another_file_in_its_place_fails_the_stream_and_is_read_whole_next() {
    let sandbox = Sandbox::with(&format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at); CREATE INDEX i ON t (at); {FORTY} INSERT INTO t SELECT n, n FROM n;"
    ));
    let subject = sandbox.by_cursor("at").await;
    let (mut taken, receiver, reading) = begin(&subject, 5).await;
    std::fs::rename(sandbox.path("a.db"), sandbox.path("old.db")).unwrap();
    sandbox.write("CREATE TABLE t (id INTEGER PRIMARY KEY, at); CREATE INDEX i ON t (at); INSERT INTO t VALUES (1, 1), (99, 1);");
    taken.extend(rest(receiver).await);
    reading.await.unwrap();
    assert!(failure(&taken).starts_with("source.changed"), "{:?}", told(&taken));
    let messages = read_on(&subject, &applied(&subject, &taken)).await;
    let mut collection = applied(&subject, &messages);
    assert_eq!(keys(&collection), ["1", "99"]);
    std::fs::copy(sandbox.path("old.db"), sandbox.path("b.db")).unwrap();
    std::fs::rename(sandbox.path("b.db"), sandbox.path("a.db")).unwrap();
    let messages = sync(&subject, &mut collection).await;
    assert_eq!(told(&messages)[0], "listing", "a cursor of another file says nothing");
    assert_eq!(collection.records().len(), 40);
}

#[tokio::test]
async fn a_file_that_vanishes_fails_the_sync_and_deletes_nothing() {
    let sandbox = Sandbox::with("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);");
    let subject = sandbox.subject(&["t"]).await;
    std::fs::remove_file(sandbox.path("a.db")).unwrap();
    let (out, receiver) = messages(1 << 20);
    let request = subject.request(&Collection::default(), SyncMode::Incremental, 1);
    let error = subject.source.read(request, out).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(rest(receiver).await.is_empty());
}
