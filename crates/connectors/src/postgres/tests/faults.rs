//! Connections that break on the way: what passes by itself is tried again, the rest has its code, and nothing is lost.

use std::net::SocketAddr;
use std::time::Duration;

use inlet_source::{ErrorKind, messages};

use super::fault_proxy::{Fault, FaultProxy};
use super::*;

/// A table of 20,000 rows, together larger than what the sockets on the way hold.
const TABLE: &str =
    "CREATE TABLE t (id int PRIMARY KEY, at int NOT NULL, note text NOT NULL); CREATE INDEX ON t (at);
    INSERT INTO t SELECT n, n, repeat(md5(n::text), 50) FROM generate_series(1, 20000) n;
    CREATE VIEW v AS SELECT id, note FROM t";

/// A server behind a way that can be broken, and a source that is soon impatient.
async fn behind_a_proxy() -> (Sandbox, FaultProxy, Arc<dyn Source>) {
    let sandbox = Sandbox::with(TABLE).await;
    let proxy = FaultProxy::start(SocketAddr::from(([127, 0, 0, 1], sandbox.server.port()))).await;
    let mut config = sandbox.config();
    config["port"] = json!(proxy.port());
    // The one that is lost must be given back before another is made.
    config["max_connections"] = json!(1);
    let kind = Postgres::default().with_patience(Duration::from_secs(1));
    let source = Arc::from(kind.build(config, &Environment::default()).unwrap());
    (sandbox, proxy, source)
}

fn subject(source: &Arc<dyn Source>, stream: &str, cursor_field: Option<&str>) -> Subject {
    let key: &[&str] = if stream == "public.v" { &[] } else { &["id"] };
    let mut stream = Subject::stream(&name(stream), key);
    stream.cursor_field = cursor_field.map(str::to_owned);
    Subject { source: Arc::clone(source), streams: vec![stream], inbox: None, records: 0, rejected: 0 }
}

/// Reads into `collection`, and does something when the first batches have come.
async fn read_with(subject: &Subject, collection: &mut Collection, then: impl FnOnce()) -> Vec<Message> {
    let request = subject.request(collection, SyncMode::Incremental, 100_000);
    collection.begin(request.clone(), subject.source.capabilities());
    let (out, mut receiver) = messages(100_000);
    let source = Arc::clone(&subject.source);
    let reading = tokio::spawn(async move { source.read(request, out).await });
    let (mut taken, mut then) = (Vec::new(), Some(then));
    while let Some(next) = receiver.next().await {
        collection.apply(&next.message);
        taken.push(next.message);
        if taken.len() == 3 {
            then.take().into_iter().for_each(|then| then());
        }
    }
    reading.await.unwrap().unwrap();
    collection.end();
    taken
}

#[tokio::test]
async fn a_listing_goes_on_behind_the_last_row_when_the_connection_is_cut_or_reset() {
    for fault in [Fault::Cut { after: 150_000 }, Fault::Reset] {
        let (_sandbox, proxy, source) = behind_a_proxy().await;
        let (subject, mut collection) = (subject(&source, "public.t", None), Collection::default());
        let healing = async {
            proxy.wait_for(fault).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            proxy.set(Fault::Healthy);
        };
        let reading = read_with(&subject, &mut collection, || proxy.set(fault));
        let messages = if fault == Fault::Reset { tokio::join!(reading, healing).0 } else { reading.await };
        let told = told(&messages);
        assert_eq!(told.last().map(String::as_str), Some("end"), "{fault:?}: {told:?}");
        assert!(told.contains(&"complete, certified: false".to_owned()), "{fault:?}: two moments were seen");
        assert_eq!(collection.records().len(), 20_000, "{fault:?}");
        assert!(proxy.accepted() > 1, "{fault:?}");
    }
}

#[tokio::test]
async fn an_incremental_read_is_tried_again() {
    let (sandbox, proxy, source) = behind_a_proxy().await;
    let (subject, mut collection) = (subject(&source, "public.t", Some("at")), Collection::default());
    sync(&subject, &mut collection).await;
    sandbox.write("INSERT INTO t SELECT n, n, repeat('x', 200) FROM generate_series(20001, 30000) n").await;
    proxy.set(Fault::Cut { after: 200_000 });
    let messages = read_with(&subject, &mut collection, || {}).await;
    assert_eq!(told(&messages).last().map(String::as_str), Some("end"));
    assert_eq!(collection.records().len(), 30_000);
    assert_eq!(proxy.accepted(), 3);
}

#[tokio::test]
async fn what_does_not_pass_fails_with_its_code_and_the_next_sync_goes_on() {
    for (fault, kinds) in [
        (Fault::Stall, [ErrorKind::TimedOut, ErrorKind::TimedOut]),
        (Fault::Reset, [ErrorKind::Unavailable, ErrorKind::Unavailable]),
        (Fault::Garbage(b"\xff"), [ErrorKind::Format, ErrorKind::Config]),
    ] {
        let (_sandbox, proxy, source) = behind_a_proxy().await;
        let (subject, mut collection) = (subject(&source, "public.t", None), Collection::default());
        let messages = read_with(&subject, &mut collection, || proxy.set(fault)).await;
        let failure = failure(&messages);
        assert!(kinds.contains(&failure.kind()), "{fault:?}: {failure}");
        let read = collection.records().len();
        assert!((1..20_000).contains(&read), "{fault:?}: {read} records had come");
        proxy.set(Fault::Healthy);
        let again = sync(&subject, &mut collection).await;
        assert_eq!(told(&again).last().map(String::as_str), Some("end"), "{fault:?}");
        let came: usize = again
            .iter()
            .map(|message| if let Message::Batch { batch, .. } = message { batch.len() } else { 0 })
            .sum();
        assert_eq!(came, 20_000 - read, "{fault:?}: within a listing nothing comes twice");
        assert_eq!(collection.records().len(), 20_000, "{fault:?}");
    }
}

#[tokio::test]
async fn what_has_no_order_fails_and_is_read_whole_by_the_next_sync() {
    let (_sandbox, proxy, source) = behind_a_proxy().await;
    let (subject, mut collection) = (subject(&source, "public.v", None), Collection::default());
    let messages = read_with(&subject, &mut collection, || proxy.set(Fault::Cut { after: 1 })).await;
    assert_eq!(failure(&messages).kind(), ErrorKind::Unavailable);
    sync(&subject, &mut collection).await;
    assert_eq!(collection.records().len(), 20_000);
}

#[tokio::test]
async fn rows_that_come_slowly_are_handed_on_in_time() {
    let (_sandbox, proxy, source) = behind_a_proxy().await;
    let subject = subject(&source, "public.t", None);
    let request = subject.request(&Collection::default(), SyncMode::Incremental, 100_000_000);
    let (out, mut receiver) = messages(100_000_000);
    let reading = tokio::spawn(async move { source.read(request, out).await });
    assert!(matches!(receiver.next().await.unwrap().message, Message::Listing { .. }));
    proxy.set(Fault::Slow { bytes_per_second: 20_000 });
    let first =
        tokio::time::timeout(Duration::from_secs(20), receiver.next()).await.unwrap().unwrap().message;
    let Message::Batch { batch, checkpoint } = first else { panic!("{first:?}") };
    assert!(batch.len() < 20_000 && checkpoint.is_some(), "{} records, {checkpoint:?}", batch.len());
    reading.abort();
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_stops_the_read() {
    let (_sandbox, proxy, source) = behind_a_proxy().await;
    let subject = subject(&source, "public.t", None);
    proxy.set(Fault::Refuse);
    // The port is let go a moment later.
    while source.check().await.is_ok() {}
    let (out, _receiver) = messages(1000);
    let request = subject.request(&Collection::default(), SyncMode::Incremental, 1000);
    assert_eq!(source.read(request, out).await.unwrap_err().kind(), ErrorKind::Unavailable);
}
