//! Syncs that ask before they delete.

use std::sync::Arc;

use inlet_model::approval::Approval;
use inlet_model::sync::{MoveCause, Outcome, SyncStatus};

use super::given::{Given, an_approval};
use crate::catalog::{
    CancelEffect, Catalog, ClaimKind, Discard, Effect, ExpectedVersion, OnConflict, Remains, Sync,
};
use crate::collection::StreamStatus;

async fn discards(given: &Given) -> Vec<Discard> {
    given.catalog.discard_list(99).await.unwrap()
}

async fn approve(given: &Given, sync: &Sync) -> Effect<Option<Sync>> {
    given.catalog.sync_approve(sync.connector_id, sync.id, given.now(), None).await.unwrap()
}

async fn discard(given: &Given, sync: &Sync) -> Effect<Option<Sync>> {
    given.catalog.sync_discard(sync.connector_id, sync.id, given.now(), None).await.unwrap()
}

/// It shows the numbers of its run, holds its connector, and is nobody's.
pub async fn a_sync_that_asks_says_what_it_would_delete(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claim = given.running_sync(&connector).await;
    let run = given.a_run(&claim, Outcome::Succeeded);
    let asking = given.catalog.sync_ask(&run, claim.fence, an_approval(), given.now()).await.unwrap();
    let expected = Sync {
        status: SyncStatus::NeedsApproval,
        approval: Some(an_approval()),
        counts: run.counts,
        streams: run.streams,
        last_progress_at: Some(run.last_progress_at),
        ..claim.sync
    };
    assert_eq!(asking, Some(expected.clone()));
    assert_eq!(given.sync(&expected).await, expected);
    let next = given.catalog.sync_trigger(given.a_sync(&connector), OnConflict::Reject, None).await.unwrap();
    assert_eq!(next, Effect::Conflict(Some(expected)));
    assert_eq!(given.claim().await, None);
    assert_eq!(given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap(), []);
}

/// A sync that is being cancelled, or that another claim has, does not ask.
pub async fn only_the_latest_claim_of_a_running_sync_asks(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let cancelling = given.cancelling_sync(&given.stored_connector().await).await;
    let run = given.a_run(&cancelling, Outcome::Cancelled);
    let stayed = given.catalog.sync_ask(&run, cancelling.fence, an_approval(), given.now()).await.unwrap();
    assert_eq!(stayed, Some(cancelling.sync));
    given.catalog.sync_finish(&run).await.unwrap();
    let before = given.running_sync(&given.stored_connector().await).await;
    let taken_over = given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap().remove(0);
    let run = given.a_run(&before, Outcome::Succeeded);
    let stayed = given.catalog.sync_ask(&run, before.fence, an_approval(), given.now()).await.unwrap();
    assert_eq!(stayed, Some(taken_over.sync));
}

/// It is running at once, and whoever claims next has it: before all that was never begun, in the next attempt, under a greater
/// fence, and not as one that was lost.
pub async fn a_sync_that_is_approved_goes_on(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let asking = given.asking_sync(&given.stored_connector().await).await;
    let queued = given.queued_sync(&given.stored_connector().await).await;
    assert_eq!(approve(&given, &asking).await, Effect::Done);
    let approval = Some(Approval { approved: true, ..an_approval() });
    let expected = Sync { status: SyncStatus::Running, approval, ..asking.clone() };
    assert_eq!(given.sync(&asking).await, expected);
    let last = given.catalog.sync_moves(asking.id, 0).await.unwrap().pop().unwrap();
    assert_eq!((last.cause, last.to), (MoveCause::Approved, SyncStatus::Running));
    let claim = given.claim().await.unwrap();
    assert_eq!((claim.kind, claim.sync), (ClaimKind::Resumed, Sync { attempt: 2, ..expected }));
    assert!(claim.connector.is_some());
    assert_eq!(given.claim().await.map(|claim| claim.sync.id), Some(queued.id));
    assert_eq!(discards(&given).await, []);
}

/// A cancel that comes before anybody has it is for whoever claims it to carry out.
pub async fn a_sync_that_is_approved_can_be_cancelled_before_it_goes_on(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let asking = given.asking_sync(&given.stored_connector().await).await;
    approve(&given, &asking).await;
    let effect = given.catalog.sync_cancel(asking.connector_id, None, given.now()).await.unwrap();
    assert!(matches!(effect, CancelEffect::Cancelling(_)));
    let claim = given.claim().await.unwrap();
    assert_eq!((claim.sync.id, claim.sync.status), (asking.id, SyncStatus::Cancelling));
}

/// Its streams that were to be swept are not complete, and its store has something to take back.
pub async fn a_sync_that_is_discarded_is_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let asking = given.asking_sync(&given.stored_connector().await).await;
    assert_eq!(discard(&given, &asking).await, Effect::Done);
    let ended = given.sync(&asking).await;
    assert_eq!((ended.status, ended.counts), (SyncStatus::Cancelled, asking.counts));
    assert!(ended.finished_at.is_some());
    assert_eq!(ended.streams[0].status, StreamStatus::Cancelled);
    let expected =
        Discard { sync_id: asking.id, connector_id: asking.connector_id, store_id: asking.store_id };
    assert_eq!(discards(&given).await, [expected]);
    let last = given.catalog.sync_moves(asking.id, 0).await.unwrap().pop().unwrap();
    assert_eq!((last.cause, last.to), (MoveCause::Discarded, SyncStatus::Cancelled));
}

/// Any other is shown, and stays as it is; so does one of another connector.
pub async fn only_a_sync_that_asks_is_decided_on(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let ended = given.finished_sync(&given.stored_connector().await, Outcome::Succeeded).await;
    let asking = given.asking_sync(&given.stored_connector().await).await;
    let queued = given.queued_sync(&given.stored_connector().await).await;
    let elsewhere = Sync { connector_id: given.stored_connector().await.id, ..asking.clone() };
    assert_eq!(approve(&given, &elsewhere).await, Effect::Conflict(None));
    assert_eq!(discard(&given, &elsewhere).await, Effect::Conflict(None));
    assert_eq!(approve(&given, &asking).await, Effect::Done);
    for sync in [given.sync(&asking).await, ended, queued] {
        assert_eq!(approve(&given, &sync).await, Effect::Conflict(Some(sync.clone())));
        assert_eq!(discard(&given, &sync).await, Effect::Conflict(Some(sync.clone())));
        assert_eq!(given.sync(&sync).await, sync);
    }
}

/// The same request again is answered as before, although the sync does not ask any more.
pub async fn decisions_are_repeated_by_their_keys(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let asking = given.asking_sync(&given.stored_connector().await).await;
    let (connector_id, id) = (asking.connector_id, asking.id);
    for (expected, request) in [(Effect::Done, 1), (replayed(&given, 1), 1), (Effect::Mismatch, 2)] {
        let key = Some(given.idempotent(1, request));
        assert_eq!(given.catalog.sync_approve(connector_id, id, given.now(), key).await.unwrap(), expected);
    }
}

fn replayed(given: &Given, request: u8) -> Effect<Option<Sync>> {
    Effect::Replayed(given.idempotent(1, request).answer)
}

/// Only whoever has the sync forgets it.
pub async fn an_approval_that_is_spent_is_forgotten(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let asking = given.asking_sync(&given.stored_connector().await).await;
    approve(&given, &asking).await;
    let first = given.claim().await.unwrap();
    let second = given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap().remove(0);
    given.catalog.sync_approval_spent(asking.id, first.fence).await.unwrap();
    assert_eq!(given.sync(&asking).await, second.sync);
    given.catalog.sync_approval_spent(asking.id, second.fence).await.unwrap();
    assert_eq!(given.sync(&asking).await, Sync { approval: None, ..second.sync });
}

/// What a store has not taken back yet must not meet another sync.
pub async fn no_sync_begins_while_a_discard_is_queued(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let asking = given.asking_sync(&connector).await;
    discard(&given, &asking).await;
    let next = given.queued_sync(&connector).await;
    let other = given.queued_sync(&given.stored_connector().await).await;
    assert_eq!(given.claim().await.map(|claim| claim.sync.id), Some(other.id));
    assert_eq!(given.claim().await, None);
    given.catalog.discard_done(asking.id).await.unwrap();
    assert_eq!(discards(&given).await, []);
    assert_eq!(given.claim().await.map(|claim| claim.sync.id), Some(next.id));
}

/// A cancel, a sync that takes its place, a delete of its connector.
pub async fn whatever_ends_a_sync_that_asks_is_a_discard(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let cancelled = given.asking_sync(&given.stored_connector().await).await;
    let effect = given.catalog.sync_cancel(cancelled.connector_id, None, given.now()).await.unwrap();
    assert!(matches!(effect, CancelEffect::Cancelled(_)));
    let connector = given.stored_connector().await;
    let replaced = given.asking_sync(&connector).await;
    given.catalog.sync_trigger(given.a_sync(&connector), OnConflict::Replace, None).await.unwrap();
    let connector = given.stored_connector().await;
    let deleted = given.asking_sync(&connector).await;
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    given
        .catalog
        .connector_delete(
            space_id,
            collection_id,
            connector.id,
            ExpectedVersion::Any,
            Remains::Kept,
            given.now(),
        )
        .await
        .unwrap();
    let ids: Vec<_> = discards(&given).await.into_iter().map(|discard| discard.sync_id).collect();
    assert_eq!(ids, [cancelled.id, replaced.id, deleted.id]);
    for sync in [cancelled, replaced, deleted] {
        assert_eq!(given.sync(&sync).await.status, SyncStatus::Cancelled);
    }
}

/// To open a store that goes would make it anew.
pub async fn a_collection_takes_its_discards_along(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    given.asking_sync(&connector).await;
    let deleted = given.catalog.collection_delete(
        &connector.space_id,
        &connector.collection_id,
        true,
        false,
        given.now(),
    );
    deleted.await.unwrap();
    assert_eq!(discards(&given).await, []);
}
