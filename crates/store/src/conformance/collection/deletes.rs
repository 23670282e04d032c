//! Pending deletes: what sweeps would delete is shown, approved and taken back.

use inlet_model::sync::Outcome;
use inlet_model::{ConnectorId, Record, Scope};
use serde_json::json;

use super::given::{Claim, Given, kind, name};
use super::items::{
    WHOLE, complete_to_be_approved, complete_to_be_asked, data_of, key_of, listing, put, puts, scopes,
    stream_end,
};
use super::seen::{ALL, id_and_value};
use crate::StoreErrorKind;
use crate::collection::{
    ApproveDeletes, DeletesQuery, DropDeletes, FoundRecords, QuestionsQuery, RecordPage, ScopeListing,
    StreamDeletes, StreamStatus,
};

/// What was not seen is counted, and listed in full, by stream and key.
pub async fn what_waits_for_a_sweep_is_counted_and_listed(given: Given) {
    let sync = half_unseen(&given).await;
    let expected = [of("a", 5, 10), of("b", 2, 3)];
    assert_eq!(given.pending(&sync).await, expected);
    let records = given.pending_records(sync.connector_id, ALL, ALL).await;
    let found: Vec<_> =
        records.iter().map(|record| (record.stream.as_str(), id_and_value(record).0)).collect();
    assert_eq!(found, [("a", 2), ("a", 4), ("a", 6), ("a", 8), ("a", 10), ("b", 1), ("b", 3)]);
    assert_eq!(records[0].data, data_of(2, "a"));
    let one = given.pending_page(&DeletesQuery { stream: Some(name("b")), ..query(sync.connector_id) }).await;
    assert_eq!(one.records.len(), 2);
    assert_eq!(given.sweep(&sync, "a").await + given.sweep(&sync, "b").await, 7);
    assert_eq!(given.pending(&sync).await, []);
    assert_eq!(given.pending_records(sync.connector_id, ALL, ALL).await, []);
}

/// A step of a sweep takes off what it deleted; a record that came to another scope, or comes again, waits no more.
pub async fn the_count_follows_what_is_swept_and_what_moves(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "x", &puts(1..=6, "a"), json!(1))).await;
    given.commit(&first, given.whole_listing("s", "y", &puts(7..=8, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", "x", &puts(1..=1, "a"), json!(2))).await;
    assert_eq!(given.pending(&second).await, [of("s", 5, 8)]);
    let moved = [puts(7..=8, "a"), vec![put(2, "a"), put(3, "b")]].concat();
    given.commit(&second, given.whole_listing("s", "y", &moved, json!(2))).await;
    assert_eq!(given.pending(&second).await, [of("s", 3, 8)]);
    // Outside a listing, as it was and changed.
    given.commit(&second, vec![given.records("s", "x", &[put(4, "a"), put(5, "b")])]).await;
    assert_eq!(given.pending(&second).await, [of("s", 1, 8)]);
    assert_eq!(given.listed(&second).await, [6]);
    given.commit(&second, vec![scopes("s", &["x"])]).await;
    assert_eq!(given.pending(&second).await, [of("s", 5, 8)]);
    given.sweep_step(&second, "s", 4).await;
    assert_eq!(given.pending(&second).await, [of("s", 3, 6)]);
    assert_eq!(given.listed(&second).await, [6, 7, 8]);
    given.sweep(&second, "s").await;
    assert_eq!(given.ids("s").await, [1, 4, 5]);
}

/// However a page is cut, by records, keys or bytes, the pages together are the same.
pub async fn pages_of_any_size_list_the_same(given: Given) {
    let sync = half_unseen(&given).await;
    let all = given.pending_records(sync.connector_id, ALL, ALL).await;
    for (limit, max_keys) in [(1, 1), (1, ALL), (2, 3), (3, 2), (ALL, 1), (7, ALL)] {
        let paged = given.pending_records(sync.connector_id, limit, max_keys).await;
        assert_eq!(paged, all, "{limit} records of {max_keys} keys");
    }
    let small = DeletesQuery { max_bytes: 1, ..query(sync.connector_id) };
    let page = given.pending_page(&small).await;
    assert_eq!(page.records, all[..1]);
    let rest = DeletesQuery { after: page.next, ..query(sync.connector_id) };
    assert_eq!(given.pending_page(&rest).await.records, all[1..]);
}

/// Keys that lie scattered are found wherever the store keeps them.
pub async fn the_key_log_is_looked_into(given: Given) {
    let connector = given.connector();
    let scattered = |step: i64| (0..6_000).map(move |id| (id * step) % 6_007);
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(scattered(2_503), "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    let even = scattered(2_503).filter(|id| id % 2 == 0);
    let changed: Vec<_> = even.map(|id| put(id, if id % 4 == 0 { "a" } else { "b" })).collect();
    given.commit(&second, given.whole_listing("s", WHOLE, &changed, json!(2))).await;
    let mut odd: Vec<i64> = scattered(2_503).filter(|id| id % 2 == 1).collect();
    odd.sort_unstable();
    assert_eq!(given.listed(&second).await, odd);
    assert_eq!(given.pending(&second).await, [of("s", odd.len() as u64, 6_000)]);
}

/// A page may find nothing among the keys it looks at, and the next goes on behind them.
pub async fn a_page_looks_at_no_more_keys_than_it_may(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=20, "a"), json!(1))).await;
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, given.whole_listing("s", WHOLE, &puts(1..=19, "a"), json!(2))).await;
    let narrow = DeletesQuery { max_keys: 8, ..query(connector) };
    let empty = given.pending_page(&narrow).await;
    assert!(empty.records.is_empty() && empty.next.is_some());
    let second_page = given.pending_page(&DeletesQuery { after: empty.next, ..narrow.clone() }).await;
    assert!(second_page.records.is_empty());
    let third = given.pending_page(&DeletesQuery { after: second_page.next, ..narrow }).await;
    assert_eq!(third.records.iter().map(|record| id_and_value(record).0).collect::<Vec<_>>(), [20]);
    assert_eq!(third.next, None);
}

/// Of what goes only if it is absent, the count is the most that can go, and says so.
pub async fn what_an_askable_listing_left_is_counted_apart(given: Given) {
    let sync = listed_twice(&given).await;
    let seen = given.records("s", WHOLE, &puts([1, 3], "a"));
    given.commit(&sync, vec![listing("s", WHOLE), seen, complete_to_be_asked("s", WHOLE, json!(2))]).await;
    assert_eq!(given.pending(&sync).await, [StreamDeletes { if_absent: 2, ..of("s", 2, 4) }]);
    assert_eq!(given.listed(&sync).await, [2, 4]);
}

/// The keys to ask for come page by page; what was found counts as seen, after a restart too, and nothing else does.
pub async fn what_the_source_has_waits_no_more(given: Given) {
    let sync = listed_twice(&given).await;
    let seen = given.records("s", WHOLE, &puts([1], "a"));
    given.commit(&sync, vec![listing("s", WHOLE), seen, complete_to_be_asked("s", WHOLE, json!(2))]).await;
    for max_keys in [1, 2, ALL] {
        assert_eq!(given.questions(&sync, max_keys).await, [2, 3, 4].map(key_of), "{max_keys}");
    }
    given.try_found(&sync, &[1, 2, 2, 4, 9]).await.unwrap();
    let given = given.reopened().await;
    assert_eq!(given.pending(&sync).await, [StreamDeletes { if_absent: 1, ..of("s", 1, 4) }]);
    assert_eq!(given.questions(&sync, ALL).await, [key_of(3)]);
    assert_eq!(given.listed(&sync).await, [3]);
    assert_eq!(given.try_candidates(&sync, "s", ALL).await.unwrap(), [key_of(3)]);
    assert_eq!(given.sweep_absent(&sync, "s", ALL, (1..=4).map(key_of)).await.deleted, 1);
    assert_eq!(given.ids("s").await, [1, 2, 4]);
    // What is certain to go is nothing to ask for.
    let next = given.begun(sync.connector_id, &["s"]).await;
    given.commit(&next, given.whole_listing("s", WHOLE, &puts([1], "a"), json!(3))).await;
    assert!(given.questions(&next, ALL).await.is_empty());
    given.try_found(&next, &[2, 4]).await.unwrap();
    assert_eq!(given.pending(&next).await, [of("s", 2, 3)]);
}

/// As a commit, it is refused to an older claim and to a sync that is cancelled.
pub async fn who_does_not_hold_the_connector_keeps_nothing(given: Given) {
    let sync = listed_twice(&given).await;
    given.commit(&sync, vec![listing("s", WHOLE), complete_to_be_asked("s", WHOLE, json!(2))]).await;
    let newer = given.begun_again(&sync).await;
    assert_eq!(kind(given.try_found(&sync, &[1]).await), StoreErrorKind::Fenced);
    newer.cancel.raise();
    assert_eq!(kind(given.try_found(&newer, &[1]).await), StoreErrorKind::Cancelled);
    assert_eq!(given.questions(&newer, ALL).await.len(), 4);
}

/// Of a listing that may have missed something, and cannot be asked about, nothing goes that nobody approved.
pub async fn what_a_listing_in_doubt_left_goes_only_if_approved(given: Given) {
    let doubted = async |sync: &Claim, cursor: i64| {
        let seen = given.records("s", WHOLE, &puts([1, 3], "a"));
        given
            .commit(sync, vec![listing("s", WHOLE), seen, complete_to_be_approved("s", WHOLE, json!(cursor))])
            .await;
        assert_eq!(given.pending(sync).await, [StreamDeletes { if_approved: 2, ..of("s", 2, 4) }]);
        assert_eq!(given.listed(sync).await, [2, 4]);
    };
    let second = listed_twice(&given).await;
    doubted(&second, 2).await;
    assert_eq!(given.sweep(&second, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3, 4]);
    assert_eq!(given.cursor(&second, "s", WHOLE).await, Some(json!(2)));
    assert!(given.unswept(&second).await.is_empty());
    let third = given.begun(second.connector_id, &["s"]).await;
    doubted(&third, 3).await;
    given.approve(&third, &["s"]).await;
    assert_eq!(given.sweep(&third, "s").await, 2);
    assert_eq!(given.ids("s").await, [1, 3]);
}

/// An approval is of what was there to be seen.
pub async fn what_was_approved_goes_and_what_comes_later_waits(given: Given) {
    let sync = half_unseen(&given).await;
    given.approve(&sync, &["a", "never named"]).await;
    given.approve(&sync, &["a"]).await;
    assert_eq!(given.pending(&sync).await, [StreamDeletes { approved: 5, ..of("a", 0, 10) }, of("b", 2, 3)]);
    assert_eq!(given.sweep(&sync, "a").await, 5);
    given.commit(&sync, given.whole_listing("a", WHOLE, &puts([1], "a"), json!(3))).await;
    assert_eq!(given.pending(&sync).await, [of("a", 4, 5), of("b", 2, 3)]);
}

/// What a person has approved is approved, whatever becomes of the sync that asked.
pub async fn an_approval_outlives_a_restart_and_the_sync(given: Given) {
    let sync = half_unseen(&given).await;
    given.approve(&sync, &["a", "b"]).await;
    let approved =
        [StreamDeletes { approved: 5, ..of("a", 0, 10) }, StreamDeletes { approved: 2, ..of("b", 0, 3) }];
    let given = given.reopened().await;
    assert_eq!(given.pending(&sync).await, approved);
    given.finish(&sync).await;
    let next = given.begun(sync.connector_id, &["a", "b"]).await;
    assert_eq!(given.pending(&next).await, approved);
    given.sweep_step(&next, "a", 4).await;
    assert_eq!(given.pending(&next).await[0].approved, 3);
}

/// An approval is refused as a commit would be.
pub async fn who_does_not_hold_the_connector_approves_nothing(given: Given) {
    let sync = half_unseen(&given).await;
    let newer = given.begun_again(&sync).await;
    assert_eq!(kind(given.try_approve(&sync, &["a"]).await), StoreErrorKind::Fenced);
    given.finish(&newer).await;
    assert_eq!(kind(given.try_approve(&newer, &["a"]).await), StoreErrorKind::Fenced);
    assert_eq!(given.pending(&sync).await, [of("a", 5, 10), of("b", 2, 3)]);
}

/// All records stay, nothing waits any more, and the next complete listing finds the same missing.
pub async fn what_was_dropped_stays_and_is_found_again(given: Given) {
    let sync = half_unseen(&given).await;
    let before = given.all_records().await;
    given.drop_all(&sync).await;
    assert_eq!(given.pending(&sync).await, []);
    let next = given.begun(sync.connector_id, &["a", "b"]).await;
    assert!(given.unswept(&next).await.is_empty());
    assert_eq!(given.sweep(&next, "a").await + given.sweep(&next, "b").await, 0);
    assert_eq!(given.all_records().await, before);
    let seen = puts([1, 3, 5, 7, 9], "a");
    given.commit(&next, given.whole_listing("a", WHOLE, &seen, json!(3))).await;
    assert_eq!(given.pending(&next).await, [of("a", 5, 10)]);
    assert_eq!(given.listed(&next).await, [2, 4, 6, 8, 10]);
}

/// As if the listing had never been complete, also of a scope that was gone.
pub async fn a_dropped_listing_leaves_the_cursor_as_it_was(given: Given) {
    let sync = half_unseen(&given).await;
    assert_eq!(given.listing_of(&sync, "b", "y").await, Some(ScopeListing::Gone));
    given.drop_all(&sync).await;
    assert_eq!(given.listing_of(&sync, "b", "y").await, None);
    let next = given.begun(sync.connector_id, &["a", "b"]).await;
    assert_eq!(given.cursor(&next, "a", WHOLE).await, Some(json!(1)));
    assert_eq!(given.cursor(&next, "b", "y").await, Some(json!(1)));
}

/// What is not taken back yet is still counted and listed alike, after a restart too.
pub async fn deletes_are_dropped_in_bounded_steps(given: Given) {
    let sync = half_unseen(&given).await;
    let mut given = given;
    for step in 0.. {
        assert!(step < 20, "the drop does not end");
        let done = given.drop_step(&sync, 1).await;
        given = given.reopened().await;
        let left = given.pending(&sync).await;
        assert!(!done || left.is_empty());
        let listed = given.pending_records(sync.connector_id, ALL, ALL).await;
        assert_eq!(listed.len() as u64, left.iter().map(|stream| stream.records).sum::<u64>());
        if done {
            break;
        }
    }
    assert_eq!(given.stats().await.records, 13);
}

/// The run ends with it, as cancelled, and what was to be swept is not complete.
pub async fn a_drop_ends_the_run_and_can_be_repeated(given: Given) {
    let sync = half_unseen(&given).await;
    given.commit(&sync, vec![stream_end("a"), stream_end("b")]).await;
    given.drop_all(&sync).await;
    let run = given.run(&sync).await;
    assert_eq!(run.outcome, Some(Outcome::Cancelled));
    assert!(run.finished_at.is_some());
    assert_eq!(
        run.streams.iter().map(|stream| stream.status).collect::<Vec<_>>(),
        [StreamStatus::Cancelled; 2]
    );
    assert_eq!(kind(given.try_commit(&sync, vec![]).await), StoreErrorKind::Fenced);
    given.drop_all(&sync).await;
    assert_eq!(given.run(&sync).await, run);
}

/// A drop that comes late takes nothing back that another sync has left.
pub async fn a_drop_leaves_other_syncs_and_connectors_alone(given: Given) {
    let sync = half_unseen(&given).await;
    let other = half_unseen(&given).await;
    let next = given.begun(sync.connector_id, &["a", "b"]).await;
    given.drop_all(&sync).await;
    assert_eq!(given.pending(&next).await, [of("a", 5, 10), of("b", 2, 3)]);
    assert_eq!(given.run(&next).await.outcome, None);
    given.drop_all(&next).await;
    assert_eq!(given.pending(&other).await, [of("a", 5, 10), of("b", 2, 3)]);
    given.store.close_connector(other.connector_id).await.unwrap();
    given.drop_all(&other).await;
    assert_eq!(given.run(&other).await.outcome, None);
}

/// To rest gives up memory, and nothing else.
pub async fn a_store_that_rests_goes_on_where_it_was(given: Given) {
    let sync = half_unseen(&given).await;
    given.store.rest().await.unwrap();
    assert_eq!(given.pending(&sync).await, [of("a", 5, 10), of("b", 2, 3)]);
    assert_eq!(given.sweep(&sync, "a").await, 5);
    assert_eq!(given.ids("a").await, [1, 3, 5, 7, 9]);
}

fn of(stream: &str, records: u64, of: u64) -> StreamDeletes {
    StreamDeletes { records, ..StreamDeletes::none(name(stream), of) }
}

fn query(connector_id: ConnectorId) -> DeletesQuery {
    DeletesQuery { connector_id, stream: None, after: None, limit: ALL, max_bytes: ALL, max_keys: ALL }
}

/// Of the stream `a` records 1 to 10, of which a certified listing has not seen the even ones; of the stream `b` the scope `x`
/// with record 2, and the scope `y` with 1 and 3, which is gone.
async fn half_unseen(given: &Given) -> Claim {
    let connector = given.connector();
    let first = given.begun(connector, &["a", "b"]).await;
    given.commit(&first, given.whole_listing("a", WHOLE, &puts(1..=10, "a"), json!(1))).await;
    given.commit(&first, given.whole_listing("b", "x", &puts([2], "b"), json!(1))).await;
    given.commit(&first, given.whole_listing("b", "y", &puts([1, 3], "b"), json!(1))).await;
    given.finish(&first).await;
    let second = given.begun(connector, &["a", "b"]).await;
    given.commit(&second, given.whole_listing("a", WHOLE, &puts([1, 3, 5, 7, 9], "a"), json!(2))).await;
    given.commit(&second, vec![scopes("b", &["x"])]).await;
    second
}

/// A second sync over records 1 to 4.
async fn listed_twice(given: &Given) -> Claim {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=4, "a"), json!(1))).await;
    given.finish(&first).await;
    given.begun(connector, &["s"]).await
}

impl Given {
    async fn pending(&self, claim: &Claim) -> Vec<StreamDeletes> {
        self.store.pending_deletes(claim.connector_id).await.unwrap()
    }

    async fn pending_page(&self, query: &DeletesQuery) -> RecordPage {
        self.store.pending_records(query.clone()).await.unwrap()
    }

    /// All records that wait for sweeps, page by page.
    pub(super) async fn pending_records(
        &self,
        connector_id: ConnectorId,
        limit: usize,
        max_keys: usize,
    ) -> Vec<Record> {
        let mut query = DeletesQuery { limit, max_keys, ..query(connector_id) };
        let mut found = Vec::new();
        loop {
            let page = self.pending_page(&query).await;
            assert!(page.records.len() <= limit);
            found.extend(page.records);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return found,
            }
        }
    }

    /// The ids of the records that wait for sweeps.
    async fn listed(&self, claim: &Claim) -> Vec<i64> {
        let records = self.pending_records(claim.connector_id, 100, 1_000).await;
        records.iter().map(|record| id_and_value(record).0).collect()
    }

    /// The keys that the sweep of the stream `s` asks for, page by page.
    async fn questions(&self, claim: &Claim, max_keys: usize) -> Vec<Vec<u8>> {
        let mut after = None;
        let mut keys = Vec::new();
        loop {
            let query =
                QuestionsQuery { connector_id: claim.connector_id, stream: name("s"), after, max_keys };
            let page = self.store.pending_questions(query).await.unwrap();
            keys.extend(page.keys);
            match page.next {
                Some(next) => after = Some(next),
                None => return keys,
            }
        }
    }

    async fn try_found(&self, claim: &Claim, ids: &[i64]) -> crate::StoreResult<()> {
        let found = FoundRecords {
            sync_id: claim.sync_id,
            connector_id: claim.connector_id,
            fence: claim.fence,
            cancel: claim.cancel.clone(),
            stream: name("s"),
            keys: ids.iter().map(|id| key_of(*id)).collect(),
        };
        self.store.keep_found(found).await
    }

    pub(super) async fn try_approve(&self, claim: &Claim, streams: &[&str]) -> crate::StoreResult<()> {
        let approve = ApproveDeletes {
            sync_id: claim.sync_id,
            connector_id: claim.connector_id,
            fence: claim.fence,
            streams: streams.iter().map(|stream| name(stream)).collect(),
        };
        self.store.approve_deletes(approve).await
    }

    async fn approve(&self, claim: &Claim, streams: &[&str]) {
        self.try_approve(claim, streams).await.unwrap();
    }

    async fn drop_step(&self, claim: &Claim, max_rows: usize) -> bool {
        let (sync_id, connector_id) = (claim.sync_id, claim.connector_id);
        let drop = DropDeletes { sync_id, connector_id, now: self.now(), max_rows };
        self.store.drop_deletes(drop).await.unwrap()
    }

    async fn drop_all(&self, claim: &Claim) {
        assert!(self.drop_step(claim, 1_000).await);
    }

    async fn listing_of(&self, claim: &Claim, stream: &str, scope: &str) -> Option<ScopeListing> {
        let all = self.store.checkpoints(claim.connector_id, Some(&name(stream)), None, ALL).await.unwrap();
        all.into_iter().find(|found| found.scope == Scope::new(scope)).and_then(|found| found.listing)
    }
}
