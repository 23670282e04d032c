//! Connectors that sync by themselves.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::Timestamp;
use inlet_model::policy::ConnectorPolicy;
use inlet_model::schedule::Schedule;
use inlet_model::sync::{Outcome, SyncStatus, SyncTrigger};

use super::given::{Given, a_failure, first};
use crate::catalog::{
    Catalog, Connector, ConnectorStatus, Effect, ExpectedVersion, Remains, Sync, SyncFilter, UpdateEffect,
};

const HOUR: Duration = Duration::from_secs(3600);

fn every(interval: &str) -> Schedule {
    Schedule::Every(interval.parse().unwrap())
}

impl Given {
    async fn scheduled(&self, schedule: Schedule) -> Connector {
        let connector = Connector { schedule, ..self.a_connector(&self.stored_collection().await) };
        let created = self.catalog.connector_create(connector.clone(), None).await.unwrap();
        assert_eq!(created, Effect::Done);
        self.connector(&connector).await
    }

    async fn connector(&self, connector: &Connector) -> Connector {
        let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
        let found = self.catalog.connector_get(space_id, collection_id, connector.id).await.unwrap();
        found.expect("it was stored")
    }

    async fn changed(&self, connector: Connector) -> Connector {
        let wanted = Connector { updated_at: self.now(), ..connector };
        match self.catalog.connector_update(wanted).await.unwrap() {
            UpdateEffect::Updated(connector) => connector,
            other => panic!("{other:?}"),
        }
    }

    async fn fire(&self) -> usize {
        self.catalog.schedule_fire(self.now(), 100).await.unwrap()
    }

    async fn syncs(&self, connector: &Connector) -> Vec<Sync> {
        self.catalog.sync_list(connector.id, SyncFilter::default(), first(100)).await.unwrap().items
    }
}

/// The time of the next sync is there from the beginning, goes with a pause and comes back with its end.
pub async fn a_connector_says_when_it_syncs_next(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let made = given.scheduled(every("1h")).await;
    let next = made.next_sync_at.expect("an interval has a next time");
    assert!((HOUR..HOUR + Duration::from_secs(300)).contains(&next.since(made.created_at)));
    assert_eq!(given.catalog.schedule_next().await.unwrap(), Some(next));

    let paused = given.changed(Connector { status: ConnectorStatus::Paused, ..made.clone() }).await;
    assert_eq!(paused.next_sync_at, None);
    given.let_pass(3 * HOUR);
    let resumed = given.changed(Connector { status: ConnectorStatus::Active, ..paused }).await;
    let later = resumed.next_sync_at.expect("it is active");
    assert!(later > resumed.updated_at && later.since(resumed.updated_at) <= HOUR, "from now on");
    assert_eq!(later.since(next).as_secs() % 3600, 0, "on the same beat");
    let manual = given.changed(Connector { schedule: Schedule::Manual, ..resumed }).await;
    assert_eq!(manual.next_sync_at, None);
    assert_eq!(given.catalog.schedule_next().await.unwrap(), None);
}

/// What is due is queued once, as asked for by the schedule, and has its next time.
pub async fn what_is_due_is_queued_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.scheduled(every("1h")).await;
    assert_eq!(given.fire().await, 0, "not before its time");
    given.let_pass(HOUR + HOUR / 10);
    assert_eq!(given.fire().await, 1);
    assert_eq!(given.fire().await, 0);
    let syncs = given.syncs(&connector).await;
    assert_eq!(syncs.len(), 1);
    assert_eq!((syncs[0].status, syncs[0].trigger), (SyncStatus::Queued, SyncTrigger::Schedule));
    let next = given.connector(&connector).await.next_sync_at;
    assert_eq!(next, connector.next_sync_at.map(|before| before.plus(HOUR)));
}

/// Times that were missed, because nobody fired or because a sync waits already, come to one sync.
pub async fn missed_times_come_to_one_sync(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.scheduled(every("1h")).await;
    given.let_pass(10 * HOUR);
    assert_eq!(given.fire().await, 1);
    assert_eq!(given.syncs(&connector).await.len(), 1);
    given.let_pass(2 * HOUR);
    assert_eq!(given.fire().await, 1);
    assert_eq!(given.syncs(&connector).await.len(), 1, "one waits already");
    assert!(given.claim().await.is_some());
    given.let_pass(2 * HOUR);
    given.fire().await;
    assert_eq!(given.syncs(&connector).await.len(), 2, "one behind the one that runs");
}

/// No more than asked for have their turn at once, the one that is due longest first.
pub async fn as_many_have_their_turn_as_asked_for(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for _ in 0..5 {
        given.scheduled(every("1h")).await;
    }
    given.let_pass(2 * HOUR);
    let now = given.now();
    for turns in [2, 2, 1, 0] {
        assert_eq!(given.catalog.schedule_fire(now, 2).await.unwrap(), turns);
    }
}

/// A connector that is paused or deleted is not due.
pub async fn a_paused_or_deleted_connector_is_not_due(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let paused = given.scheduled(every("1h")).await;
    given.changed(Connector { status: ConnectorStatus::Paused, ..paused }).await;
    let gone = given.scheduled(every("1h")).await;
    let (any, now) = (ExpectedVersion::Any, given.now());
    given
        .catalog
        .connector_delete(&gone.space_id, &gone.collection_id, gone.id, any, Remains::Kept, now)
        .await
        .unwrap();
    given.let_pass(2 * HOUR);
    assert_eq!(given.fire().await, 0);
}

/// A connector that follows another has its turn when that one has succeeded, and only then.
pub async fn a_follower_has_its_turn_after_a_success(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let leader = given.stored_connector().await;
    let follower = given.scheduled(Schedule::After(leader.id)).await;
    let paused = given.scheduled(Schedule::After(leader.id)).await;
    given.changed(Connector { status: ConnectorStatus::Paused, ..paused.clone() }).await;
    for outcome in [Outcome::Failed, Outcome::Cancelled] {
        given.finished_sync(&leader, outcome).await;
        assert_eq!(given.syncs(&follower).await, []);
    }
    given.finished_sync(&leader, Outcome::Succeeded).await;
    let syncs = given.syncs(&follower).await;
    assert_eq!(syncs.len(), 1);
    assert_eq!((syncs[0].status, syncs[0].trigger), (SyncStatus::Queued, SyncTrigger::AfterConnector));
    assert_eq!(given.syncs(&paused).await, []);
}

/// No connector follows itself, directly or by way of others.
pub async fn no_connector_follows_itself(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let one = given.stored_connector().await;
    let two = given.scheduled(Schedule::After(one.id)).await;
    let three = given.scheduled(Schedule::After(two.id)).await;
    for followed in [one.id, two.id, three.id] {
        let wanted = Connector { schedule: Schedule::After(followed), ..one.clone() };
        assert_eq!(given.catalog.connector_update(wanted).await.unwrap(), UpdateEffect::Circular);
    }
    let fine = Connector { schedule: Schedule::After(one.id), ..three };
    assert!(matches!(given.catalog.connector_update(fine).await.unwrap(), UpdateEffect::Updated(_)));
}

/// Each failure in a row keeps a connector away for longer; a success ends that.
pub async fn failures_keep_a_connector_away_for_longer(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let policy = ConnectorPolicy { pause_after_failures: 0, ..ConnectorPolicy::default() };
    let connector = given.scheduled(every("1m")).await;
    let connector = given.changed(Connector { policy, ..connector }).await;
    for (failures, minutes) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
        let ended = given.finished_sync(&connector, Outcome::Failed).await.finished_at.unwrap();
        let after = given.connector(&connector).await;
        assert_eq!((after.failures, after.status), (failures, ConnectorStatus::Active));
        let away = after.next_sync_at.unwrap().since(ended);
        let backoff = Duration::from_secs(60 * minutes);
        assert!(away > backoff && away <= backoff + Duration::from_secs(66), "{away:?}");
    }
    let ended = given.finished_sync(&connector, Outcome::Succeeded).await.finished_at.unwrap();
    let after = given.connector(&connector).await;
    assert_eq!(after.failures, 0);
    assert!(after.next_sync_at.unwrap().since(ended) <= Duration::from_secs(66), "within its spread");
}

/// A scheduled connector that fails as often as its policy says is paused, with a notice that says why; who resumes it begins anew.
pub async fn a_connector_that_fails_again_and_again_is_paused(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.scheduled(every("1m")).await;
    assert_eq!(connector.policy.pause_after_failures, 3);
    for _ in 0..3 {
        assert_eq!(given.connector(&connector).await.status, ConnectorStatus::Active);
        given.finished_sync(&connector, Outcome::Failed).await;
    }
    let paused = given.connector(&connector).await;
    assert_eq!((paused.status, paused.next_sync_at), (ConnectorStatus::Paused, None));
    let notice = paused.notice.clone().expect("it says why");
    assert_eq!(notice.code, "connector.paused_after_failures");
    assert!(notice.message.contains(&a_failure().message), "{}", notice.message);
    assert!(paused.version > connector.version);
    let resumed = given.changed(Connector { status: ConnectorStatus::Active, ..paused }).await;
    assert_eq!((resumed.failures, resumed.notice), (0, None));
    assert!(resumed.next_sync_at > Some(Timestamp::from_micros(0)));
}

/// A connector without a schedule is paused by nobody: whoever syncs it sees it fail.
pub async fn a_connector_without_a_schedule_is_not_paused(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for _ in 0..4 {
        given.finished_sync(&connector, Outcome::Failed).await;
    }
    let after = given.connector(&connector).await;
    assert_eq!((after.failures, after.status, after.notice), (4, ConnectorStatus::Active, None));
}
