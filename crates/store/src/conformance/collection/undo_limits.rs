//! Undoing a sync: in steps, under a fence, as long as its history is there.

use inlet_model::sync::Outcome;

use super::given::{Given, kind};
use super::items::{WHOLE, gone, put, puts};
use super::upkeep::{HISTORY, synced};
use crate::StoreErrorKind::{Cancelled, Fenced};
use crate::collection::{CancelFlag, NoUndo, UndoEffect, UpkeepProgress};

/// A step writes at most so many changes, which all have its time; between two steps the feed is the records.
pub async fn an_undo_goes_in_bounded_steps_that_are_one_commit_each(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=10, "a")).await;
    let undone =
        synced(&given, connector, [put(11, "b"), gone(10)].into_iter().chain(puts(1..=9, "b")).collect())
            .await;
    let undo = given.begun(connector, &[]).await;
    let mut taken_back = 0;
    for _ in 0..100 {
        let before = given.stats().await.last_change;
        let progress = given.undo_step(&undo, &undone, 2).await;
        let made = given.changes_after(before).await;
        assert!(made.len() <= 2);
        assert!(made.iter().all(|it| it.at == given.last_now()));
        taken_back += made.len() as u64;
        assert_eq!(progress.taken_back, taken_back);
        let counts = given.counts(&undo).await;
        assert_eq!(counts.created + counts.updated + counts.deleted, taken_back);
        assert_eq!(given.replayed().await, given.present().await);
        if progress.done {
            break;
        }
    }
    assert_eq!(taken_back, 11);
    assert_eq!(given.values("s").await, (1..=10).map(|id| (id, "a".to_owned())).collect::<Vec<_>>());
}

/// Each step is durable; another attempt goes on with it, and its totals count all steps.
pub async fn an_undo_goes_on_after_a_restart_and_in_another_attempt(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=6, "a")).await;
    let undone = synced(&given, connector, puts(3..=9, "b")).await;
    synced(&given, connector, vec![put(4, "c")]).await;
    let mut undo = given.begun(connector, &[]).await;
    let mut given = given;
    for _ in 0..100 {
        let progress = given.undo_step(&undo, &undone, 1).await;
        if progress.done {
            assert_eq!((progress.taken_back, progress.kept), (6, 1));
            break;
        }
        given = given.reopened().await;
        undo = given.begun_again(&undo).await;
        assert_eq!(given.run(&undo).await.barren_attempts, 1, "each attempt before got further");
    }
    let run = given.finish(&undo).await;
    assert_eq!((run.counts.updated, run.counts.deleted, run.counts.unchanged), (3, 3, 1));
    assert_eq!(given.ids("s").await, [1, 2, 3, 4, 5, 6]);
}

/// What was taken back before stays taken back.
pub async fn a_cancelled_undo_writes_nothing_and_another_takes_back_the_rest(given: Given) {
    let connector = given.connector();
    let undone = synced(&given, connector, puts(1..=6, "a")).await;
    let undo = given.begun(connector, &[]).await;
    while given.undo_step(&undo, &undone, 2).await.taken_back == 0 {}
    let sight = given.sight(&undo).await;
    undo.cancel.raise();
    assert_eq!(kind(given.try_undo(&undo, &undone, 2).await), Cancelled);
    assert_eq!(given.sight(&undo).await, sight);
    let run = given.try_finish(&undo, Outcome::Cancelled).await.unwrap();
    assert_eq!((run.outcome, run.counts.deleted), (Some(Outcome::Cancelled), 2));
    let another = given.begun(connector, &[]).await;
    let progress = given.undo(&another, &undone, 2).await;
    assert_eq!((progress.taken_back, progress.kept), (4, 2));
    assert_eq!(given.all_records().await, []);
}

/// To a greater fence, to a purge, or because its connector was closed.
pub async fn an_undo_that_lost_its_connector_writes_nothing(given: Given) {
    let connector = given.connector();
    let undone = synced(&given, connector, puts(1..=6, "a")).await;
    let lost = given.begun(connector, &[]).await;
    given.undo_step(&lost, &undone, 2).await;
    let another = given.begun_again(&lost).await;
    let sight = given.sight(&lost).await;
    assert_eq!(kind(given.try_undo(&lost, &undone, 2).await), Fenced);
    assert_eq!(given.sight(&lost).await, sight);
    given.undo_step(&another, &undone, 2).await;
    given.purge_step(connector, None, 1).await;
    assert_eq!(kind(given.try_undo(&another, &undone, 2).await), Fenced);
    let third = given.begun(connector, &[]).await;
    given.store.close_connector(connector).await.unwrap();
    assert_eq!(kind(given.try_undo(&third, &undone, 2).await), Fenced);
}

/// Nothing is forgotten of how its streams were read.
pub async fn a_sync_that_did_nothing_is_undone_at_once(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=3, "a")).await;
    let undone = given.begun(connector, &["s"]).await;
    given.commit(&undone, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), 1.into())).await;
    given.finish(&undone).await;
    let undo = given.begun(connector, &[]).await;
    let progress = given.undo_step(&undo, &undone, 1).await;
    assert_eq!((progress.taken_back, progress.kept, progress.done), (0, 0, true));
    given.finish(&undo).await;
    let next = given.begun(connector, &["s"]).await;
    assert_eq!(given.cursor(&next, "s", WHOLE).await, Some(1.into()));
}

/// No other, and nothing is written.
pub async fn only_a_sync_of_the_connector_that_has_ended_can_be_undone(given: Given) {
    let (connector, other) = (given.connector(), given.connector());
    let of_other = synced(&given, other, puts(1..=3, "a")).await;
    let never_begun = given.claim(connector, &["s"]);
    let undo = given.begun(connector, &[]).await;
    let sight = given.sight(&undo).await;
    for (undone, why) in
        [(&of_other, NoUndo::Unknown), (&never_begun, NoUndo::Unknown), (&undo, NoUndo::NotEnded)]
    {
        assert_eq!(given.try_undo(&undo, undone, 9).await.unwrap(), UndoEffect::Impossible(why));
    }
    assert_eq!(given.sight(&undo).await, sight);
}

/// As the first step would, for those of any connector; for a sync that can be undone there is none.
pub async fn why_a_sync_cannot_be_undone_is_said_beforehand(given: Given) {
    let (connector, other) = (given.connector(), given.connector());
    synced(&given, connector, puts(1..=3, "a")).await;
    let old = synced(&given, connector, puts(1..=3, "b")).await;
    given.wait(2 * HISTORY);
    let young = synced(&given, connector, puts(1..=3, "c")).await;
    given.compact(HISTORY).await;
    let running = given.begun(connector, &["s"]).await;
    let never_begun = given.claim(connector, &["s"]);
    let expired = NoUndo::Expired { compacted_through: 6 };
    for (of, undone, why) in [
        (connector, &young, None),
        (connector, &old, Some(expired)),
        (connector, &running, Some(NoUndo::NotEnded)),
        (connector, &never_begun, Some(NoUndo::Unknown)),
        (other, &young, Some(NoUndo::Unknown)),
    ] {
        assert_eq!(given.store.no_undo(of, undone.sync_id).await.unwrap(), why);
    }
    let sight = given.sight(&running).await;
    given.store.no_undo(connector, young.sync_id).await.unwrap();
    assert_eq!(given.sight(&running).await, sight);
}

/// That is said, and nothing is written; the sync after it, of which all is there, can be.
pub async fn once_its_history_is_gone_a_sync_cannot_be_undone(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=3, "a")).await;
    let old = synced(&given, connector, puts(1..=3, "b")).await;
    given.wait(2 * HISTORY);
    let young = synced(&given, connector, vec![put(1, "c"), gone(2)]).await;
    given.compact(HISTORY).await;
    let undo = given.begun(connector, &[]).await;
    let expired = UndoEffect::Impossible(NoUndo::Expired { compacted_through: 6 });
    assert_eq!(given.try_undo(&undo, &old, 9).await.unwrap(), expired);
    assert_eq!(given.counts(&undo).await.read, 0);
    assert_eq!(given.undo(&undo, &young, 9).await.taken_back, 2);
    assert_eq!(given.values("s").await, [1, 2, 3].map(|id| (id, "b".to_owned())));
}

/// Upkeep between its steps takes nothing from under it, however old it becomes; afterwards it does.
pub async fn the_history_stays_while_an_undo_needs_it(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=300, "a")).await;
    let undone =
        synced(&given, connector, [puts(1..=150, "b"), (151..=300).map(gone).collect()].concat()).await;
    let undo = given.begun(connector, &[]).await;
    for _ in 0..1_000 {
        let progress = given.undo_step(&undo, &undone, 40).await;
        given.wait(2 * HISTORY);
        for _ in 0..20 {
            if given.upkeep_step(HISTORY, 100).await != UpkeepProgress::More {
                break;
            }
        }
        if progress.done {
            break;
        }
    }
    assert_eq!(given.values("s").await, (1..=300).map(|id| (id, "a".to_owned())).collect::<Vec<_>>());
    given.finish(&undo).await;
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    assert_eq!(given.feed().await.len(), 300);
}

/// Another undo of the same sync collects it anew.
pub async fn what_an_abandoned_undo_collected_goes(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=3, "a")).await;
    let undone = synced(&given, connector, puts(1..=3, "b")).await;
    let mut abandoned = given.begun(connector, &[]).await;
    given.undo_step(&abandoned, &undone, 100).await;
    abandoned.cancel = CancelFlag::default();
    given.try_finish(&abandoned, Outcome::Cancelled).await.unwrap();
    assert_eq!(given.upkeep_step(HISTORY, 2).await, UpkeepProgress::More);
    assert_eq!(given.upkeep_step(HISTORY, 2).await, UpkeepProgress::More);
    assert!(matches!(given.upkeep_step(HISTORY, 2).await, UpkeepProgress::Idle { .. }));
    let undo = given.begun(connector, &[]).await;
    assert_eq!(given.undo(&undo, &undone, 1).await.taken_back, 3);
}
