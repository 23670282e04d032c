//! Rejected records: kept with their reason, in order.

use super::given::Given;
use super::items::{Line, WHOLE, a_rejection, listing, put, puts};
use crate::collection::RejectedQuery;

/// What the source refused is counted as read and rejected, and kept as the source said it.
pub async fn a_refused_record_is_kept_as_the_source_said_it(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let lines = [put(1, "a"), Line::Refused, put(2, "a")];
    let receipt = given.commit(&sync, vec![given.records("s", "a file", &lines)]).await;
    assert_eq!((receipt.counts.read, receipt.counts.created, receipt.counts.rejected), (3, 2, 1));
    assert_eq!(receipt.last_change, 2);
    let rejected = given.rejected(&sync).await;
    let said = a_rejection(2);
    assert_eq!(rejected.len(), 1);
    assert_eq!((rejected[0].seq, rejected[0].position), (1, 2));
    assert_eq!((rejected[0].stream.as_str(), rejected[0].scope.as_str()), ("s", "a file"));
    assert_eq!(rejected[0].code, said.code);
    assert_eq!((&rejected[0].reason, &rejected[0].sample), (&said.reason, &said.sample));
}

/// A batch of nothing but refusals is a batch.
pub async fn a_batch_of_refusals_moves_the_checkpoint(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records_to("s", WHOLE, &[Line::Refused, Line::Refused], 2.into())]).await;
    assert_eq!(given.counts(&sync).await.rejected, 2);
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(2.into()));
}

/// They are numbered from 1 through the whole sync, over its commits, streams and attempts.
pub async fn rejected_records_are_numbered_through_the_sync(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[Line::Refused, Line::Refused])]).await;
    let items =
        vec![given.records("t", WHOLE, &[Line::Refused]), given.records("s", WHOLE, &[Line::Refused])];
    given.commit(&sync, items).await;
    let given = given.reopened().await;
    let sync = given.begun_again(&sync).await;
    given
        .commit(&sync, vec![listing("t", WHOLE), given.records("t", WHOLE, &[put(1, "a"), put(1, "b")])])
        .await;
    let rejected = given.rejected(&sync).await;
    assert!((1..=5).eq(rejected.iter().map(|record| record.seq)));
    let streams: Vec<_> = rejected.iter().map(|record| record.stream.as_str()).collect();
    assert_eq!(streams, ["s", "s", "t", "s", "t"]);
    let positions: Vec<_> = rejected.iter().map(|record| record.position).collect();
    assert_eq!(positions, [1, 2, 1, 1, 2]);
    assert_eq!(given.counts(&sync).await.rejected, 5);
}

/// They are read in pages, from behind any place.
pub async fn rejected_records_are_read_in_pages(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &vec![Line::Refused; 10])]).await;
    let mut seen = Vec::new();
    for _ in 0..10 {
        let page =
            given.store.rejected(sync.sync_id, RejectedQuery::behind(seen.len() as u64, 4)).await.unwrap();
        assert!(page.len() <= 4);
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|record| record.seq));
    }
    assert!((1..=10).eq(seen));
    assert_eq!(given.store.rejected(sync.sync_id, RejectedQuery::behind(10, 4)).await.unwrap(), []);
}

/// They can be narrowed to a stream and to a code, page by page as ever.
pub async fn rejected_records_can_be_narrowed(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    let twice = [put(1, "a"), put(1, "b"), Line::Refused];
    let items = vec![
        listing("s", WHOLE),
        given.records("s", WHOLE, &twice),
        listing("t", WHOLE),
        given.records("t", WHOLE, &twice),
    ];
    given.commit(&sync, items).await;
    let ask = async |stream: Option<&str>, code: Option<&str>, after: u64| {
        let stream = stream.map(super::given::name);
        let query =
            RejectedQuery { stream, code: code.map(str::to_owned), ..RejectedQuery::behind(after, 10) };
        let found = given.store.rejected(sync.sync_id, query).await.unwrap();
        found.into_iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    assert_eq!(ask(None, None, 0).await, [1, 2, 3, 4]);
    assert_eq!(ask(Some("t"), None, 0).await, [3, 4]);
    assert_eq!(ask(None, Some("json.syntax"), 0).await, [2, 4]);
    assert_eq!(ask(None, Some("json.syntax"), 2).await, [4]);
    assert_eq!(ask(Some("s"), Some("record.duplicate_key"), 0).await, [1]);
    assert_eq!(ask(Some("nowhere"), None, 0).await, [0; 0]);
}

/// Each sync has its own, and they stay when it has ended and others follow.
pub async fn each_sync_has_its_own_rejected_records(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, vec![given.records("s", WHOLE, &[Line::Refused, Line::Refused])]).await;
    given.finish(&first).await;
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, vec![given.records("s", WHOLE, &[Line::Refused])]).await;
    let given = given.reopened().await;
    assert_eq!(given.rejected(&first).await.len(), 2);
    let of_second: Vec<_> = given.rejected(&second).await.into_iter().map(|record| record.seq).collect();
    assert_eq!(of_second, [1]);
}

/// A duplicate keeps only the start of the record.
pub async fn a_large_duplicate_keeps_only_its_start(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let large = "ä".repeat(10_000);
    given.commit(&sync, vec![listing("s", WHOLE), given.records("s", WHOLE, &puts([1, 1], &large))]).await;
    let rejected = given.rejected(&sync).await;
    assert_eq!(rejected.len(), 1);
    assert!(rejected[0].sample.starts_with(r#"{"id":1,"v":"ää"#));
    assert!(rejected[0].sample.len() < 1_024);
}
