//! Taking over, at start, the syncs of a process that ended.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};
use serde_json::json;

use super::given::Given;
use crate::catalog::{Catalog, Claim, Connector, ExpectedVersion, Remains, Sync};

async fn take_over(given: &Given) -> Vec<Claim> {
    given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap()
}

/// A running sync is taken over with one attempt more, as often as it happens.
pub async fn a_running_sync_is_taken_over_with_one_attempt_more(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let before = given.running_sync(&given.stored_connector().await).await;
    for attempt in [2, 3] {
        let claims = take_over(&given).await;
        let expected = Sync { attempt, ..before.sync.clone() };
        assert_eq!(claims.len(), 1);
        assert_eq!(claims[0].sync, expected);
        assert_eq!(claims[0].connector, before.connector);
        assert_eq!(given.sync(&expected).await, expected);
    }
}

/// A cancelling sync stays cancelling, in the same attempt: it only ends.
pub async fn a_cancelling_sync_stays_cancelling(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let before = given.cancelling_sync(&given.stored_connector().await).await;
    let claims = take_over(&given).await;
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].sync, before.sync);
    assert!(claims[0].fence > before.fence);
    assert_eq!(given.sync(&before.sync).await, before.sync);
}

/// A sync of a deleted connector comes without it.
pub async fn a_sync_of_a_deleted_connector_comes_without_it(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let one = given.stored_connector().await;
    let two = given.stored_connector().await;
    let before = [given.running_sync(&one).await, given.running_sync(&two).await];
    let now = given.now();
    given
        .catalog
        .connector_delete(&one.space_id, &one.collection_id, one.id, ExpectedVersion::Any, Remains::Kept, now)
        .await
        .unwrap();
    given.catalog.space_delete(&two.space_id, true, now).await.unwrap();
    let claims = take_over(&given).await;
    assert_eq!(claims.len(), 2);
    for (claim, before) in claims.iter().zip(before) {
        assert_eq!(claim.sync, Sync { status: SyncStatus::Cancelling, ..before.sync });
        assert_eq!(claim.connector, None);
        assert!(claim.fence > before.fence);
    }
}

/// A sync keeps the config it was claimed with, whatever has become of the connector's since.
pub async fn a_sync_keeps_the_config_it_was_claimed_with(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    given.running_sync(&connector).await;
    let changed = Connector {
        name: "Changed".to_owned(),
        config: json!({"path": "/changed"}).into(),
        streams: None,
        updated_at: given.now(),
        ..connector.clone()
    };
    given.catalog.connector_update(changed).await.unwrap();
    for _ in 0..2 {
        let claims = take_over(&given).await;
        assert_eq!(claims[0].connector, Some(connector.clone()));
    }
}

/// The next sync has the new config.
pub async fn the_next_sync_has_the_new_config(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claim = given.running_sync(&connector).await;
    let wanted = Connector { config: json!({"path": "/changed"}).into(), ..connector };
    given.catalog.connector_update(wanted.clone()).await.unwrap();
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Succeeded)).await.unwrap();
    let next = given.running_sync(&wanted).await;
    assert_eq!(next.connector, Some(Connector { version: 2, ..wanted }));
}

/// What is queued or has ended is left alone.
pub async fn what_is_queued_or_has_ended_is_left_alone(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let ended = given.finished_sync(&connector, Outcome::Succeeded).await;
    let queued = given.queued_sync(&connector).await;
    assert_eq!(take_over(&given).await, []);
    assert_eq!(given.sync(&ended).await, ended);
    assert_eq!(given.sync(&queued).await, queued);
}

/// The fence of a take-over is greater than all before, and the next claim's is greater still.
pub async fn a_fence_of_a_take_over_is_greater_than_all_before(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claimed = given.running_sync(&connector).await;
    let first = take_over(&given).await.remove(0);
    let second = take_over(&given).await.remove(0);
    given.catalog.sync_finish(&given.a_run(&second, Outcome::Succeeded)).await.unwrap();
    let next = given.running_sync(&connector).await;
    let fences = [claimed.fence, first.fence, second.fence, next.fence];
    assert!(fences.is_sorted_by(|one, next| one < next), "{fences:?}");
}
