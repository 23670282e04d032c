//! Syncs that undo another.

use std::sync::Arc;

use inlet_model::schedule::Schedule;
use inlet_model::sync::{Outcome, SyncStatus};

use super::given::Given;
use crate::catalog::{
    Action, Actor, AuditQuery, Catalog, Claim, Connector, ConnectorStatus, Effect, OnConflict,
    RevertConflict, Sync,
};

impl Given {
    /// A connector that syncs every hour, and a sync of it that has ended.
    async fn bad_sync(&self) -> (Connector, Sync) {
        let schedule = Schedule::Every("1h".parse().unwrap());
        let connector = Connector { schedule, ..self.a_connector(&self.stored_collection().await) };
        self.catalog.connector_create(connector.clone(), None).await.unwrap();
        let sync = self.finished_sync(&connector, Outcome::Succeeded).await;
        (self.found(&connector).await, sync)
    }

    async fn found(&self, connector: &Connector) -> Connector {
        let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
        let found = self.catalog.connector_get(space_id, collection_id, connector.id).await.unwrap();
        found.expect("it was stored")
    }

    fn a_revert(&self, connector: &Connector, of: &Sync) -> Sync {
        Sync { reverts: Some(of.id), ..self.a_sync(connector) }
    }

    async fn revert(&self, revert: &Sync, on_conflict: OnConflict) -> Effect<RevertConflict> {
        self.catalog.sync_revert(revert.clone(), on_conflict, None).await.unwrap()
    }

    async fn running_revert(&self) -> (Connector, Sync, Claim) {
        let (connector, bad) = self.bad_sync().await;
        let revert = self.a_revert(&connector, &bad);
        assert_eq!(self.revert(&revert, OnConflict::Reject).await, Effect::Done);
        (connector, bad, self.claim().await.expect("a revert is queued"))
    }
}

/// The notice names both syncs, and the audit log the one that is undone.
pub async fn a_revert_is_queued_and_pauses_its_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (connector, bad) = given.bad_sync().await;
    let revert = given.a_revert(&connector, &bad);
    let asking = given.catalog.sync_revert(revert.clone(), OnConflict::Reject, None);
    assert_eq!(given.a_cause(Actor::Local).run(asking).await.unwrap(), Effect::Done);
    assert_eq!(given.sync(&revert).await, revert);
    let paused = given.found(&connector).await;
    let notice = paused.notice.clone().expect("it says why");
    assert_eq!(notice.code, "connector.paused_by_revert");
    assert_eq!(notice.at.to_string(), revert.created_at.to_string());
    assert!([bad.id, revert.id].iter().all(|id| notice.message.contains(&id.to_string())));
    let expected = Connector {
        status: ConnectorStatus::Paused,
        version: connector.version + 1,
        updated_at: revert.created_at,
        next_sync_at: None,
        notice: paused.notice.clone(),
        ..connector
    };
    assert_eq!(paused, expected);
    let query = AuditQuery {
        space_id: Some(expected.space_id),
        actor: None,
        action: None,
        page: super::given::first(2),
    };
    let entries = given.catalog.audit_list(query).await.unwrap().items;
    let told: Vec<_> = entries.iter().map(|entry| (entry.action, entry.target.sync_id)).collect();
    assert_eq!(told, [(Action::SyncRevert, Some(bad.id))]);
}

/// Whether by itself or by somebody before: no other sync of it would begin.
pub async fn a_revert_begins_though_its_connector_is_paused(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (connector, bad, claim) = given.running_revert().await;
    assert_eq!((claim.sync.reverts, claim.sync.status), (Some(bad.id), SyncStatus::Running));
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Succeeded)).await.unwrap();
    let paused = given.found(&connector).await;
    let refused = given.catalog.sync_trigger(given.a_sync(&connector), OnConflict::Reject, None).await;
    assert_eq!(refused.unwrap(), Effect::Conflict(None));
    let second = given.a_revert(&connector, &claim.sync);
    assert_eq!(given.revert(&second, OnConflict::Reject).await, Effect::Done);
    assert_eq!(given.found(&connector).await.version, paused.version, "no setting of it has changed");
    assert_eq!(given.claim().await.map(|claim| claim.sync.id), Some(second.id));
}

/// Whether the first is queued, running or has succeeded. It is named.
pub async fn a_sync_is_reverted_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (connector, bad) = given.bad_sync().await;
    let first = given.a_revert(&connector, &bad);
    given.revert(&first, OnConflict::Reject).await;
    let refused = async |first: Sync| {
        for on_conflict in [OnConflict::Reject, OnConflict::Queue, OnConflict::Replace] {
            let second = given.a_revert(&connector, &bad);
            let expected = Effect::Conflict(RevertConflict::Reverted(first.clone()));
            assert_eq!(given.revert(&second, on_conflict).await, expected);
        }
    };
    refused(first).await;
    let claim = given.claim().await.unwrap();
    refused(claim.sync.clone()).await;
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Succeeded)).await.unwrap();
    refused(given.sync(&claim.sync).await).await;
}

/// What they did not take back is still to be taken back.
pub async fn a_revert_that_failed_or_was_cancelled_may_be_asked_for_again(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for outcome in [Outcome::Failed, Outcome::Cancelled] {
        let (connector, bad, claim) = given.running_revert().await;
        given.catalog.sync_finish(&given.a_run(&claim, outcome)).await.unwrap();
        let again = given.a_revert(&connector, &bad);
        assert_eq!(given.revert(&again, OnConflict::Reject).await, Effect::Done);
        assert_eq!(given.claim().await.map(|claim| claim.sync.id), Some(again.id));
    }
}

/// One that has not ended is in the way, and the connector is not paused.
pub async fn a_revert_waits_for_no_other_sync(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (connector, bad) = given.bad_sync().await;
    let running = given.running_sync(&connector).await.sync;
    let revert = given.a_revert(&connector, &bad);
    let expected = Effect::Conflict(RevertConflict::Unfinished(running));
    assert_eq!(given.revert(&revert, OnConflict::Reject).await, expected);
    assert_eq!(given.found(&connector).await.status, ConnectorStatus::Active);
}

/// It comes next, once the one that ran has ended.
pub async fn a_revert_takes_the_place_of_others_where_asked(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (connector, bad) = given.bad_sync().await;
    let running = given.running_sync(&connector).await;
    let waiting = given.a_sync(&connector);
    given.catalog.sync_trigger(waiting.clone(), OnConflict::Queue, None).await.unwrap();
    let revert = given.a_revert(&connector, &bad);
    assert_eq!(given.revert(&revert, OnConflict::Replace).await, Effect::Done);
    assert_eq!(given.sync(&running.sync).await.status, SyncStatus::Cancelling);
    assert_eq!(given.sync(&waiting).await.status, SyncStatus::Cancelled);
    assert_eq!(given.claim().await, None);
    given.catalog.sync_finish(&given.a_run(&running, Outcome::Cancelled)).await.unwrap();
    assert_eq!(given.claim().await.map(|claim| claim.sync.id), Some(revert.id));
}

/// The very one.
pub async fn a_revert_needs_its_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (connector, bad) = given.bad_sync().await;
    let unknown = given.a_revert(&given.a_connector(&given.stored_collection().await), &bad);
    let elsewhere = Sync { space_id: given.stored_space().await.id, ..given.a_revert(&connector, &bad) };
    for revert in [unknown, elsewhere] {
        let effect = given.revert(&revert, OnConflict::Reject).await;
        assert_eq!(effect, Effect::Conflict(RevertConflict::Absent));
    }
}

/// It counts as no failure, takes no notice away, and nothing follows it.
pub async fn the_end_of_a_revert_is_nothing_to_its_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for outcome in [Outcome::Failed, Outcome::Succeeded] {
        let (connector, _, claim) = given.running_revert().await;
        let schedule = Schedule::After(connector.id);
        let collection = given.catalog.collection_get(&connector.space_id, &connector.collection_id).await;
        let follower = Connector { schedule, ..given.a_connector(&collection.unwrap().unwrap()) };
        given.catalog.connector_create(follower, None).await.unwrap();
        let paused = given.found(&connector).await;
        given.catalog.sync_finish(&given.a_run(&claim, outcome)).await.unwrap();
        assert_eq!(given.found(&connector).await, paused);
        assert_eq!(given.claim().await, None);
    }
}

/// The same request again is answered as before.
pub async fn a_revert_is_asked_for_by_its_key_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (connector, bad) = given.bad_sync().await;
    let replayed = Effect::Replayed(given.idempotent(1, 1).answer);
    for (expected, request) in [(Effect::Done, 1), (replayed, 1), (Effect::Mismatch, 2)] {
        let (revert, key) = (given.a_revert(&connector, &bad), Some(given.idempotent(1, request)));
        let effect = given.catalog.sync_revert(revert, OnConflict::Reject, key).await.unwrap();
        assert_eq!(effect, expected);
    }
}
