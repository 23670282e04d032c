//! Upkeep: what is past the history goes, and nothing else is changed.

use std::time::Duration;

use inlet_model::{Change, ChangeOp, ConnectorId};
use serde_json::json;

use super::given::{Claim, Given};
use super::items::{Line, WHOLE, complete, gone, listing, put, puts};
use crate::collection::{UpkeepProgress, UpkeepStep};

pub(super) const HISTORY: Duration = Duration::from_secs(80);

/// The latest change of each record is left, under its number, and nothing of records that are gone.
pub async fn what_is_past_the_history_leaves_the_feed(given: Given) {
    changed(&given).await;
    let (records, stats, feed) = (given.all_records().await, given.stats().await, given.feed().await);
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    let is_latest = |it: &&Change| records.iter().any(|record| record.change == it.change);
    let latest: Vec<Change> = feed.iter().filter(is_latest).cloned().collect();
    assert_eq!(given.feed().await, latest);
    assert_eq!((latest.len(), feed.len()), (500, 1_000));
    assert_eq!(given.all_records().await, records);
    let after = given.stats().await;
    assert_eq!((after.records, after.last_change), (stats.records, stats.last_change));
    for id in [1, 299, 300, 401, 600] {
        given.record("s", id).await;
    }
}

/// What a younger change superseded stays, and so does every tombstone that is not old.
pub async fn what_was_superseded_within_the_history_stays(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=5, "a")).await;
    given.wait(2 * HISTORY);
    synced(&given, connector, vec![put(1, "b"), gone(2)]).await;
    let feed = given.feed().await;
    given.upkeep(HISTORY).await;
    assert_eq!(given.feed().await, feed);
    given.wait(2 * HISTORY);
    synced(&given, connector, vec![put(1, "c"), gone(3)]).await;
    given.upkeep(HISTORY).await;
    let numbers: Vec<u64> = given.feed().await.iter().map(|change| change.change).collect();
    // Of 1 the version that was superseded just now, of 2 nothing, 3 with its delete.
    assert_eq!(numbers, [3, 4, 5, 6, 8, 9]);
}

/// Until then a step changes nothing; from then on it does.
pub async fn an_idle_collection_says_when_something_is_due(given: Given) {
    assert_eq!(given.upkeep(HISTORY).await, None);
    changed(&given).await;
    let due_at = given.upkeep(HISTORY).await.expect("there is something that will be due");
    let feed = given.feed().await;
    let at = |now| UpkeepStep { now, history: HISTORY, runs: HISTORY, max_entries: 10_000 };
    let just_before = inlet_model::Timestamp::from_micros(due_at.as_micros() - 1);
    let step = given.store.upkeep_step(at(just_before)).await.unwrap();
    assert_eq!(step, UpkeepProgress::Idle { due_at: Some(due_at) });
    assert_eq!(given.feed().await, feed);
    assert_eq!(given.store.upkeep_step(at(due_at)).await.unwrap(), UpkeepProgress::More);
    given.wait(10 * HISTORY);
    assert_eq!(given.upkeep(HISTORY).await, None, "only what is there now is left, and the last run");
}

/// However small the steps: between any two the feed, replayed, equals the records.
pub async fn upkeep_in_steps_of_any_size_comes_to_the_same(given: Given) {
    let mut given = given;
    let mut left = Vec::new();
    for max_entries in [1, 40, 700, 100_000] {
        given = given.with_a_new_collection().await;
        changed(&given).await;
        let records = given.all_records().await;
        given.wait(2 * HISTORY);
        while given.upkeep_step(HISTORY, max_entries).await == UpkeepProgress::More {
            assert_eq!(given.replayed().await, given.present().await);
        }
        assert_eq!(given.all_records().await, records);
        left.push(given.feed().await.iter().map(|change| change.change).collect::<Vec<_>>());
    }
    assert!(left.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Each step is durable, and the next goes on behind it.
pub async fn upkeep_goes_on_after_a_restart(given: Given) {
    changed(&given).await;
    given.wait(2 * HISTORY);
    let mut given = given;
    for _ in 0..100 {
        let progress = given.upkeep_step(HISTORY, 100).await;
        given = given.reopened().await;
        assert_eq!(given.replayed().await, given.present().await);
        if progress != UpkeepProgress::More {
            break;
        }
    }
    assert_eq!(given.feed().await.len(), 500);
}

/// What was written a record at a time reads the same, and can be changed as before.
pub async fn many_small_commits_are_read_as_before(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    for id in 1..=150 {
        given.commit(&sync, vec![given.records("s", WHOLE, &[put(id, "a")])]).await;
    }
    given.commit(&sync, vec![given.records("s", WHOLE, &[gone(3), put(70, "b")])]).await;
    let records = given.all_records().await;
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    assert_eq!(given.all_records().await, records);
    assert_eq!(given.replayed().await, given.present().await);
    let lines = [put(1, "c"), gone(2), put(150, "c")];
    given.commit(&sync, vec![given.records("s", WHOLE, &lines)]).await;
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    assert_eq!(given.replayed().await, given.present().await);
    assert_eq!(given.feed().await.len(), 148);
}

/// What a listing saw before stays seen, and its sweep deletes exactly the rest.
pub async fn an_open_listing_and_its_sweep_do_not_notice(given: Given) {
    let connector = given.connector();
    changed_by(&given, connector).await;
    let sync = given.begun(connector, &["s"]).await;
    let half = given.records_to("s", WHOLE, &puts(200..=350, "b"), json!(1));
    given.commit(&sync, vec![listing("s", WHOLE), half]).await;
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    let rest = given.records_to("s", WHOLE, &puts(401..=450, "a"), json!(2));
    given.commit(&sync, vec![rest, complete("s", WHOLE, json!(3))]).await;
    given.wait(2 * HISTORY);
    let mut deleted = 0;
    loop {
        given.upkeep(HISTORY).await;
        let progress = given.sweep_step(&sync, "s", 60).await;
        deleted += progress.deleted;
        if progress.done {
            break;
        }
    }
    // 301 to 350 came anew with the listing; 1 to 199 and 451 to 600 were not seen.
    assert_eq!(deleted, 199 + 150);
    let expected: Vec<i64> = (200..=350).chain(401..=450).collect();
    assert_eq!(given.ids("s").await, expected);
    assert_eq!(given.run(&sync).await.counts.unchanged, 101 + 50);
}

/// Records are purged as without it.
pub async fn a_purge_does_not_notice(given: Given) {
    let connector = given.connector();
    changed_by(&given, connector).await;
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    let mut deleted = 0;
    loop {
        let progress = given.purge_step(connector, None, 90).await;
        given.upkeep(Duration::ZERO).await;
        deleted += progress.deleted;
        if progress.done {
            break;
        }
    }
    assert_eq!((deleted, given.all_records().await.len()), (500, 0));
    given.wait(HISTORY);
    given.upkeep(Duration::ZERO).await;
    assert_eq!(given.feed().await, []);
}

/// Nothing goes before all changes up to it are past the history, whatever time they got.
pub async fn a_clock_that_was_set_back_lets_nothing_go_too_early(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let late = given.now().plus(4 * HISTORY);
    given.try_commit_at(&sync, vec![given.records("s", WHOLE, &puts(1..=3, "a"))], late).await.unwrap();
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "b"), gone(2)])]).await;
    let feed = given.feed().await;
    given.wait(3 * HISTORY);
    given.upkeep(HISTORY).await;
    assert_eq!(given.feed().await, feed);
    given.wait(4 * HISTORY);
    given.upkeep(HISTORY).await;
    assert_eq!(
        given.feed().await.iter().map(|it| it.op).collect::<Vec<_>>(),
        [ChangeOp::Created, ChangeOp::Updated]
    );
}

/// The run goes, in bounded steps, and what it refused with it; its records stay.
pub async fn a_run_that_ended_long_ago_goes_with_what_it_refused(given: Given) {
    let connector = given.connector();
    let old = synced(&given, connector, vec![put(1, "a"), Line::Refused, Line::Refused, Line::Refused]).await;
    given.wait(2 * HISTORY);
    let young = synced(&given, connector, vec![put(2, "a"), Line::Refused]).await;
    synced(&given, connector, vec![]).await;
    given.upkeep_in_steps_of(HISTORY, 2).await;
    assert_eq!(given.try_run(old.sync_id).await, None);
    assert_eq!(given.rejected(&old).await, []);
    assert_eq!(given.run(&young).await.counts.rejected, 1);
    assert_eq!(given.rejected(&young).await.len(), 1);
    assert_eq!(given.ids("s").await, [1, 2]);
}

/// However long ago.
pub async fn a_run_that_has_not_ended_and_the_last_of_a_connector_stay(given: Given) {
    let last = synced(&given, given.connector(), vec![put(1, "a"), Line::Refused]).await;
    let running = given.begun(given.connector(), &["s"]).await;
    given.commit(&running, vec![given.records("s", WHOLE, &[put(2, "a"), Line::Refused])]).await;
    given.wait(10 * HISTORY);
    given.upkeep(HISTORY).await;
    for sync in [&last, &running] {
        assert_eq!(given.run(sync).await.counts.rejected, 1);
        assert_eq!(given.rejected(sync).await.len(), 1);
    }
    given.finish(&running).await;
}

/// 500 records of the stream `s`, half of them updated, and 100 that were deleted: a thousand changes in blocks of any kind.
pub(super) async fn changed(given: &Given) {
    changed_by(given, given.connector()).await;
}

async fn changed_by(given: &Given, connector: ConnectorId) {
    synced(given, connector, puts(1..=600, "a")).await;
    synced(given, connector, puts(1..=300, "b")).await;
    synced(given, connector, (301..=400).map(gone).collect()).await;
}

/// A sync that reads this and has ended.
pub(super) async fn synced(given: &Given, connector: ConnectorId, lines: Vec<Line>) -> Claim {
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &lines)]).await;
    given.finish(&sync).await;
    sync
}
