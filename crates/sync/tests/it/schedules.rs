//! Connectors that sync by themselves.

use std::time::Duration;

use inlet_model::schedule::Schedule;
use inlet_model::sync::{SyncStatus, SyncTrigger};
use inlet_model::{Clock, ConnectorId, NodeRole, NodeRoles, SystemClock, SystemEntropy, Timestamp};
use inlet_store::catalog::{Connector, Effect, Order, PageQuery, Sync, SyncFilter};
use inlet_sync::EngineOptions;

use crate::fixture::{Fixture, end, options};

/// A connector beside the fixture's, made an hour ago, with this schedule.
async fn scheduled(fixture: &Fixture, schedule: Schedule) -> Connector {
    let now = SystemClock.now();
    let made_at = Timestamp::from_micros(now.as_micros() - 3_600_000_000);
    let id = ConnectorId::new(now, &SystemEntropy);
    let connector = Connector { id, schedule, created_at: made_at, ..fixture.connector.clone() };
    assert_eq!(fixture.catalog.connector_create(connector.clone(), None).await.unwrap(), Effect::Done);
    connector
}

async fn syncs(fixture: &Fixture, connector: &Connector) -> Vec<Sync> {
    let query = PageQuery { after: None, limit: 10, order: Order::NewestFirst };
    fixture.catalog.sync_list(connector.id, SyncFilter::default(), query).await.unwrap().items
}

/// Waits until a sync of the connector has ended.
async fn an_ended_sync(fixture: &Fixture, connector: &Connector) -> Sync {
    let ended = async {
        loop {
            let ended = syncs(fixture, connector).await.into_iter().find(|sync| sync.status.is_final());
            if let Some(sync) = ended {
                return sync;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it syncs by itself within ten seconds")
}

async fn fixture() -> Fixture {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|_request, out| async move {
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    fixture
}

#[tokio::test]
async fn what_was_missed_while_no_engine_ran_is_made_up_for_by_one_sync() {
    let fixture = fixture().await;
    let connector = scheduled(&fixture, Schedule::Every("1m".parse().unwrap())).await;
    let engine = fixture.engine().await;
    let sync = an_ended_sync(&fixture, &connector).await;
    assert_eq!((sync.status, sync.trigger), (SyncStatus::Succeeded, SyncTrigger::Schedule));
    engine.stop(Duration::from_secs(5)).await;
    assert_eq!(syncs(&fixture, &connector).await.len(), 1);
}

#[tokio::test]
async fn a_connector_syncs_after_the_one_it_follows() {
    let fixture = fixture().await;
    let follower = scheduled(&fixture, Schedule::After(fixture.connector.id)).await;
    let last = scheduled(&fixture, Schedule::After(follower.id)).await;
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    for connector in [&follower, &last] {
        assert_eq!(an_ended_sync(&fixture, connector).await.trigger, SyncTrigger::AfterConnector);
    }
}

#[tokio::test]
async fn a_node_that_is_no_scheduler_leaves_schedules_to_others() {
    let fixture = fixture().await;
    let connector = scheduled(&fixture, Schedule::Every("1m".parse().unwrap())).await;
    let roles = NodeRoles::only(NodeRole::Worker);
    let engine = fixture.engine_with(EngineOptions { roles, ..options() }).await;
    fixture.sync_to_the_end(&engine).await;
    engine.stop(Duration::from_secs(5)).await;
    assert_eq!(syncs(&fixture, &connector).await, []);
}
