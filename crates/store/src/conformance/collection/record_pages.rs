//! Pages of records: bounded, and nothing that is there throughout is skipped or repeated.

use inlet_model::Record;

use super::given::{Claim, Given, name};
use super::items::{WHOLE, gone, put, puts};
use super::seen::{all_records, id_and_value};
use crate::collection::RecordQuery;

/// Pages of any size, one after the other, give what one page of everything gives.
pub async fn pages_of_any_size_give_the_same(given: Given) {
    two_connectors(&given).await;
    let everything = given.all_records().await;
    for limit in [1, 2, 7, 19, 20, 21, 1_000] {
        let query = RecordQuery { limit, ..all_records() };
        assert_eq!(given.paged(query, async |_| {}).await, everything, "pages of {limit}");
    }
}

/// So it is where only a stream, or a connector, or both are asked for.
pub async fn pages_keep_to_what_is_asked_for(given: Given) {
    let claims = two_connectors(&given).await;
    for connector_id in [None, Some(claims[0].connector_id), Some(claims[1].connector_id)] {
        for stream in [None, Some(name("s")), Some(name("t"))] {
            let query = RecordQuery { connector_id, stream, ..all_records() };
            let expected = given.page(query.clone()).await.records;
            let paged = given.paged(RecordQuery { limit: 3, ..query }, async |_| {}).await;
            assert_eq!(paged, expected);
        }
    }
}

/// The last page has no next, also if it is full.
pub async fn the_last_page_has_no_next(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=4, "a"))]).await;
    given.commit(&sync, vec![given.records("t", WHOLE, &[put(9, "a")])]).await;
    let query = RecordQuery { stream: Some(name("s")), limit: 2, ..all_records() };
    let first = given.page(query.clone()).await;
    assert_eq!(first.records.len(), 2);
    let second = given.page(RecordQuery { after: first.next, ..query.clone() }).await;
    assert_eq!((second.records.len(), second.next), (2, None));
    assert_eq!(given.page(RecordQuery { limit: 4, ..query }).await.next, None);
}

/// A page stops once it holds so many bytes, and holds at least one record.
pub async fn a_page_stops_once_it_holds_so_many_bytes(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let empty = super::items::data_of(1, "").len();
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=9, &"x".repeat(100 - empty)))]).await;
    for (max_bytes, held) in [(1, 1), (100, 1), (101, 2), (250, 3), (300, 3), (10_000, 9)] {
        let page = given.page(RecordQuery { max_bytes, ..all_records() }).await;
        assert_eq!(page.records.len(), held, "of {max_bytes} bytes");
        assert_eq!(page.next.is_none(), held == 9);
    }
    let query = RecordQuery { max_bytes: 250, ..all_records() };
    assert_eq!(given.paged(query, async |_| {}).await, given.all_records().await);
}

/// A large record is a page of its own, and no page is empty.
pub async fn large_records_come_one_to_a_page(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=4, &"x".repeat(2 << 20)))]).await;
    let query = RecordQuery { max_bytes: 1 << 20, limit: 100, ..all_records() };
    let mut pages = 1;
    let seen = given.paged(query, async |_| pages += 1).await;
    assert_eq!((seen.len(), pages), (4, 4));
}

/// What is there throughout comes exactly once, whatever comes and goes between the pages.
pub async fn pages_skip_and_repeat_nothing_while_records_come_and_go(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let other = given.begun(given.connector(), &["a", "s", "z"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts((0..200).step_by(2), "stays"))]).await;
    let query = RecordQuery { limit: 7, ..all_records() };
    let seen = given
        .paged(query, async |page| {
            let page = i64::try_from(page).unwrap();
            let fresh = puts((1..200).skip(usize::try_from(page % 2 * 2).unwrap()).step_by(4), "goes");
            let old = (1..200).step_by(2).filter(|id| id % 3 == page % 3).map(gone).collect::<Vec<_>>();
            let changed = puts([page * 14 % 200], &format!("changed {page}"));
            for lines in [fresh, old, changed] {
                given.commit(&sync, vec![given.records("s", WHOLE, &lines)]).await;
            }
            for stream in ["a", "s", "z"] {
                given.commit(&other, vec![given.records(stream, WHOLE, &[put(page, "other")])]).await;
            }
        })
        .await;
    let of_sync: Vec<&Record> =
        seen.iter().filter(|record| record.connector_id == sync.connector_id).collect();
    let stayed: Vec<i64> =
        of_sync.iter().map(|record| id_and_value(record).0).filter(|id| id % 2 == 0).collect();
    assert_eq!(stayed, (0..200).step_by(2).collect::<Vec<i64>>());
    assert!(seen.is_sorted_by_key(|record| (record.stream.clone(), record.key.clone())));
}

/// A place stays valid when the very record it was given behind goes, and when the store is opened anew.
pub async fn a_place_outlives_its_record_and_a_restart(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=6, "a"))]).await;
    let query = RecordQuery { limit: 3, ..all_records() };
    let first = given.page(query.clone()).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[gone(2), gone(3), gone(4)])]).await;
    let given = given.reopened().await;
    let second = given.page(RecordQuery { after: first.next, ..query }).await;
    assert_eq!(second.records.iter().map(|record| id_and_value(record).0).collect::<Vec<_>>(), [5, 6]);
    assert_eq!(second.next, None);
}

/// Readers and a writer at once: each page is of one moment, and what stays comes exactly once.
pub async fn pages_are_right_while_a_writer_writes(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &puts(0..100, "stays"))]).await;
    let writing = async {
        for round in 0..20_i64 {
            let value = round.to_string();
            let mut lines = puts(100..120, &value);
            lines.extend((-20..0).map(|id| if round % 2 == 0 { put(id, &value) } else { gone(id) }));
            given.commit(&sync, vec![given.records("s", WHOLE, &lines)]).await;
        }
    };
    let reading = async {
        for _ in 0..10 {
            let query = RecordQuery { limit: 9, ..all_records() };
            let seen = given.paged(query, async |_| {}).await;
            let ids: Vec<i64> = seen.iter().map(|record| id_and_value(record).0).collect();
            assert!((0..100).eq(ids.into_iter().filter(|id| (0..100).contains(id))));
            // One page of everything is of one moment: a commit is in it whole or not at all.
            let values = given.values("s").await;
            let written: Vec<_> = values.iter().filter(|(id, _)| *id >= 100).collect();
            assert!(written.is_empty() || written.len() == 20);
            assert!(written.iter().all(|(_, value)| *value == written[0].1));
        }
    };
    tokio::join!(writing, reading);
}

/// Two connectors with streams `s` and `t`, twenty records in all, keys woven into each other.
async fn two_connectors(given: &Given) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (rest, value) in [(0, "one"), (1, "two")] {
        let sync = given.begun(given.connector(), &["s", "t"]).await;
        let ids = (0..14).filter(|id| id % 2 == rest);
        given.commit(&sync, vec![given.records("s", WHOLE, &puts(ids, value))]).await;
        given.commit(&sync, vec![given.records("t", WHOLE, &puts(1..=3, value))]).await;
        claims.push(sync);
    }
    claims
}
