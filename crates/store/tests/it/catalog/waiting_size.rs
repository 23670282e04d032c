//! How many deliveries of one webhook may wait.

use std::sync::Arc;

use inlet_store::catalog::{
    DELIVERIES_WAITING_MAX, Delivery, DeliveryClaim, DeliveryProgress, DeliveryState, GiveUpReason,
};
use inlet_store::conformance::catalog::given::{Given, first};

use super::{look_into, open};

#[tokio::test]
async fn beyond_the_bound_the_oldest_that_wait_are_given_up_but_not_what_is_being_sent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    let connector = given.stored_connector().await;
    let webhook = given.stored_webhook_in(&connector.space_id).await;
    let cancelled = async || {
        given.queued_sync(&connector).await;
        let now = given.now();
        given.catalog.sync_cancel(connector.id, None, now).await.unwrap();
        now
    };
    let in_state = async |state| -> Vec<Delivery> {
        given.catalog.delivery_list(webhook.id, Some(state), first(9)).await.unwrap().items
    };
    cancelled().await;
    let now = given.now();
    let claim =
        DeliveryClaim { now, until: now.plus(std::time::Duration::from_secs(60)), per_webhook: 9, limit: 9 };
    let sending = given.catalog.delivery_claim(claim).await.unwrap().remove(0).delivery;
    cancelled().await;
    look_into(&path)
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO deliveries (id, webhook_id, event, sync_id, payload, created_at, next_attempt_at)
             SELECT 'msg_' || i, webhook_id, event, sync_id, payload, created_at, next_attempt_at
             FROM deliveries, n WHERE number = 2",
            [DELIVERIES_WAITING_MAX - 3],
        )
        .unwrap();
    cancelled().await;
    assert_eq!(in_state(DeliveryState::GivenUp).await, [], "as many wait as may");
    let at = cancelled().await;
    let given_up = in_state(DeliveryState::GivenUp).await;
    let reason = GiveUpReason::TooManyWaiting;
    assert_eq!(given_up.len(), 1);
    assert_eq!(given_up[0].progress, DeliveryProgress::GivenUp { at, reason });
    assert_ne!(given_up[0].id, sending.id);
    let waiting: u32 = look_into(&path)
        .query_row("SELECT count(*) FROM deliveries WHERE next_attempt_at IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(waiting, DELIVERIES_WAITING_MAX);
}
