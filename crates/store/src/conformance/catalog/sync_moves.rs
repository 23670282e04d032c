//! The history of a sync: every move, and why it was made.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::{MoveCause, Outcome, StateMove, SyncStatus};

use super::given::{Given, a_failure};
use crate::catalog::{Catalog, ExpectedVersion, OnConflict, Remains, Sync};

use MoveCause::{CancelRequested, Claimed, ConnectorDeleted, Ended, HeldUp, Replaced, Resumed, Triggered};
use SyncStatus::{Cancelled, Cancelling, Failed, Queued, Running, Waiting};

async fn moves(given: &Given, sync: &Sync) -> Vec<StateMove> {
    given.catalog.sync_moves(sync.id, 0).await.unwrap()
}

fn causes(moves: &[StateMove]) -> Vec<(SyncStatus, MoveCause)> {
    moves.iter().map(|one| (one.to, one.cause)).collect()
}

/// Every move is kept in order, with its time, its cause, the code of the error that led to it, and the attempt.
pub async fn every_move_is_kept_with_its_cause(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let sync = given.waiting_sync(&connector, Duration::from_secs(60)).await;
    given.let_pass(Duration::from_secs(60));
    let claim = given.claim().await.unwrap();
    let run = given.a_run(&claim, Outcome::Failed);
    given.catalog.sync_finish(&run).await.unwrap();

    let moves = moves(&given, &sync).await;
    let expected =
        [(Queued, Triggered), (Running, Claimed), (Waiting, HeldUp), (Running, Resumed), (Failed, Ended)];
    assert_eq!(causes(&moves), expected);
    assert_eq!(moves.iter().map(|one| one.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(moves.iter().map(|one| one.attempt).collect::<Vec<_>>(), [0, 1, 1, 2, 2]);
    let code = Some(a_failure().code);
    assert_eq!(
        moves.iter().map(|one| one.code.clone()).collect::<Vec<_>>(),
        [None, None, code.clone(), None, code]
    );
    assert_eq!(moves[0].from, None);
    assert!(moves.windows(2).all(|pair| pair[1].from == Some(pair[0].to) && pair[0].at <= pair[1].at));
    assert_eq!(Some(moves[0].at), Some(sync.created_at));
    assert_eq!(Some(moves[4].at), run.finished_at);
    assert_eq!(given.catalog.sync_moves(sync.id, 3).await.unwrap(), moves[3..]);
}

/// Who asked for the end of a sync is told from what else ends one.
pub async fn what_ends_a_sync_is_told_apart(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let sync = given.cancelling_sync(&connector).await.sync;
    let ended = [(Queued, Triggered), (Running, Claimed), (Cancelling, CancelRequested)];
    assert_eq!(causes(&moves(&given, &sync).await), ended);

    let other = given.stored_connector().await;
    let replaced = given.queued_sync(&other).await;
    given.catalog.sync_trigger(given.a_sync(&other), OnConflict::Replace, None).await.unwrap();
    assert_eq!(causes(&moves(&given, &replaced).await), [(Queued, Triggered), (Cancelled, Replaced)]);

    let gone = given.stored_connector().await;
    let sync = given.queued_sync(&gone).await;
    let (any, now) = (ExpectedVersion::Any, given.now());
    given
        .catalog
        .connector_delete(&gone.space_id, &gone.collection_id, gone.id, any, Remains::Kept, now)
        .await
        .unwrap();
    assert_eq!(causes(&moves(&given, &sync).await), [(Queued, Triggered), (Cancelled, ConnectorDeleted)]);
}

/// What changes nothing is no move: a second cancel, a second end.
pub async fn what_changes_nothing_is_no_move(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claim = given.cancelling_sync(&connector).await;
    given.catalog.sync_cancel(connector.id, None, given.now()).await.unwrap();
    let run = given.a_run(&claim, Outcome::Cancelled);
    for _ in 0..2 {
        given.catalog.sync_finish(&run).await.unwrap();
    }
    assert_eq!(moves(&given, &claim.sync).await.len(), 4);
}

/// Of a sync that moves without end the first moves and the last are kept.
pub async fn of_very_many_moves_the_middle_goes(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let mut claim = given.running_sync(&given.stored_connector().await).await;
    for _ in 0..150 {
        let wait = given.a_wait(Duration::ZERO);
        given.catalog.sync_wait(claim.sync.id, claim.fence, wait, given.now()).await.unwrap();
        claim = given.claim().await.unwrap();
    }
    let seqs: Vec<u64> = moves(&given, &claim.sync).await.iter().map(|one| one.seq).collect();
    assert_eq!(seqs, (1..=100).chain(203..=302).collect::<Vec<u64>>());
}
