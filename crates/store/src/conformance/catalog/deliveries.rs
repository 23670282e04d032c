//! Deliveries: what is queued, for whom, and for how long it is kept.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::Outcome;
use inlet_model::{Timestamp, WebhookId};
use serde_json::Value;

use super::delivery_sending::{answered, claim, noted};
use super::given::{Given, after, first};
use crate::catalog::{
    Catalog, Connector, Delivery, DeliveryProgress, DeliveryState, Effect, ExpectedVersion, OnConflict,
    Remains, Verdict, Webhook, WebhookChange, WebhookEvent, WebhookStatus,
};

/// A webhook's deliveries, the oldest first.
pub(super) async fn of(given: &Given, webhook_id: WebhookId) -> Vec<Delivery> {
    let mut page = given.catalog.delivery_list(webhook_id, None, first(1000)).await.unwrap();
    page.items.reverse();
    page.items
}

async fn events(given: &Given, webhook: &Webhook) -> Vec<WebhookEvent> {
    of(given, webhook.id).await.into_iter().map(|delivery| delivery.event).collect()
}

/// A webhook of the connector's space that was stored.
async fn stored(given: &Given, connector: &Connector, change: impl FnOnce(&mut Webhook)) -> Webhook {
    let mut webhook = given.a_webhook(&connector.space_id);
    change(&mut webhook);
    assert_eq!(given.catalog.webhook_create(webhook.clone(), None).await.unwrap(), Effect::Done);
    webhook
}

/// Each move of a sync that has an event is told to every webhook that wants it, and to no other.
pub async fn each_move_of_a_sync_is_told_to_who_wants_it(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let elsewhere = given.stored_collection_in(&connector.space_id).await;
    let sibling = given.stored_connector_in(&elsewhere).await;
    let all = stored(&given, &connector, |_| {}).await;
    let failures = stored(&given, &connector, |webhook| {
        webhook.events = vec![WebhookEvent::SyncFailed, WebhookEvent::SyncCancelled];
    });
    let failures = failures.await;
    let of_collection =
        stored(&given, &connector, |webhook| webhook.collection_id = Some(connector.collection_id.clone()))
            .await;
    let of_sibling = stored(&given, &connector, |webhook| webhook.connector_id = Some(sibling.id)).await;
    let of_another_space = given.stored_webhook().await;

    given.finished_sync(&connector, Outcome::Succeeded).await;
    given.finished_sync(&connector, Outcome::Failed).await;
    let claim = given.cancelling_sync(&connector).await;
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Cancelled)).await.unwrap();
    given.queued_sync(&connector).await;
    given.catalog.sync_cancel(connector.id, None, given.now()).await.unwrap();
    given.finished_sync(&sibling, Outcome::Succeeded).await;

    let (started, succeeded) = (WebhookEvent::SyncStarted, WebhookEvent::SyncSucceeded);
    let (failed, cancelled) = (WebhookEvent::SyncFailed, WebhookEvent::SyncCancelled);
    let ours = [started, succeeded, started, failed, started, cancelled, cancelled];
    let sibling = [started, succeeded];
    assert_eq!(events(&given, &all).await, [&ours[..], &sibling].concat());
    assert_eq!(events(&given, &failures).await, [failed, cancelled, cancelled]);
    assert_eq!(events(&given, &of_collection).await, ours);
    assert_eq!(events(&given, &of_sibling).await, sibling);
    assert_eq!(events(&given, &of_another_space).await, []);
}

/// A delivery holds the sync as it was at that moment, and waits to be sent at once. No two have one id.
pub async fn a_delivery_holds_the_sync_as_it_was(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let (one, other) = (stored(&given, &connector, |_| {}).await, stored(&given, &connector, |_| {}).await);
    let sync = given.finished_sync(&connector, Outcome::Failed).await;
    let found = of(&given, one.id).await;
    let [started, failed] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((failed.sync_id, failed.attempts, &failed.last_answer), (sync.id, 0, &None));
    assert_eq!(failed.progress, DeliveryProgress::Waiting { next_attempt_at: failed.created_at });
    assert_eq!(Some(failed.created_at), sync.finished_at);
    let told = |delivery: &Delivery| serde_json::from_str::<Value>(&delivery.payload).unwrap();
    let (before, after) = (told(started), told(failed));
    assert_eq!((&before["type"], &before["data"]["status"]), (&"sync.started".into(), &"running".into()));
    assert_eq!((&after["type"], &after["data"]["status"]), (&"sync.failed".into(), &"failed".into()));
    assert_eq!(after["timestamp"], failed.created_at.to_string());
    let data = &after["data"];
    assert_eq!(data["id"], sync.id.to_string());
    assert_eq!(data["space_id"], connector.space_id.as_str());
    assert_eq!(data["collection_id"], connector.collection_id.as_str());
    assert_eq!(data["connector_id"], connector.id.to_string());
    assert_eq!(data["counts"], serde_json::to_value(sync.counts).unwrap());
    assert_eq!(data["streams"], serde_json::to_value(&sync.streams).unwrap());
    assert_eq!(data["error"], serde_json::to_value(&sync.failure).unwrap());
    let mut ids: Vec<_> = [found.clone(), of(&given, other.id).await].concat();
    ids.sort_by_key(|delivery| delivery.id);
    ids.dedup_by_key(|delivery| delivery.id);
    assert_eq!(ids.len(), 4);
    let again = given.catalog.delivery_get(one.id, failed.id).await.unwrap();
    assert_eq!(again.as_ref(), Some(failed));
    assert_eq!(given.catalog.delivery_get(other.id, failed.id).await.unwrap(), None);
}

/// A sync that goes on after a wait, or is taken over by another process, is not begun again.
pub async fn going_on_is_no_beginning(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let webhook = stored(&given, &connector, |_| {}).await;
    let hour = Duration::from_secs(3600);
    given.waiting_sync(&connector, hour).await;
    given.let_pass(hour);
    assert!(given.claim().await.is_some());
    given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap();
    assert_eq!(events(&given, &webhook).await, [WebhookEvent::SyncStarted]);
}

/// What is refused, passed over or answered from an earlier request tells nothing.
pub async fn a_move_that_is_not_made_tells_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let webhook = stored(&given, &connector, |_| {}).await;
    let claim = given.running_sync(&connector).await;
    let refused = given.catalog.sync_trigger(given.a_sync(&connector), OnConflict::Reject, None).await;
    assert!(matches!(refused.unwrap(), Effect::Conflict(Some(_))));
    let run = given.a_run(&claim, Outcome::Succeeded);
    given.catalog.sync_finish(&run).await.unwrap();
    given.catalog.sync_finish(&run).await.unwrap();
    given.catalog.sync_cancel(connector.id, Some(claim.sync.id), given.now()).await.unwrap();
    assert_eq!(events(&given, &webhook).await, [WebhookEvent::SyncStarted, WebhookEvent::SyncSucceeded]);
}

/// A webhook that is disabled is told nothing of that time.
pub async fn a_disabled_webhook_is_told_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let webhook = stored(&given, &connector, |webhook| webhook.status = WebhookStatus::Disabled).await;
    let claim = given.running_sync(&connector).await;
    let change = WebhookChange { status: Some(WebhookStatus::Active), ..WebhookChange::default() };
    given.catalog.webhook_update(&webhook.space_id, webhook.id, change, given.now()).await.unwrap();
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Succeeded)).await.unwrap();
    assert_eq!(events(&given, &webhook).await, [WebhookEvent::SyncSucceeded]);
}

/// A webhook learns how the syncs of a deleted connector end, unless it was made after that was gone: in a space made
/// again under the same id nothing is told of the old one.
pub async fn a_webhook_made_after_its_connector_went_is_told_nothing_of_it(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let connector = given.stored_connector_in(&collection).await;
    let before = stored(&given, &connector, |_| {}).await;
    let claim = given.running_sync(&connector).await;
    let (any, kept, now) = (ExpectedVersion::Any, Remains::Kept, given.now());
    let (space_id, collection_id) = (&collection.space_id, &collection.id);
    given.catalog.connector_delete(space_id, collection_id, connector.id, any, kept, now).await.unwrap();
    let later = stored(&given, &connector, |_| {}).await;
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Cancelled)).await.unwrap();
    assert_eq!(events(&given, &before).await, [WebhookEvent::SyncStarted, WebhookEvent::SyncCancelled]);
    assert_eq!(events(&given, &later).await, []);
}

/// Deliveries are listed newest first, page by page, all of them or those that stand so.
pub async fn deliveries_are_listed_newest_first_and_by_state(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let webhook = stored(&given, &connector, |_| {}).await;
    for verdict in [Verdict::Delivered, Verdict::Expired] {
        given.finished_sync(&connector, Outcome::Succeeded).await;
        for claimed in claim(&given, 9).await {
            noted(&given, &claimed.delivery, answered(500), verdict).await;
        }
    }
    given.finished_sync(&connector, Outcome::Succeeded).await;
    let list = async |state, query| given.catalog.delivery_list(webhook.id, state, query).await.unwrap();
    let mut all = of(&given, webhook.id).await;
    all.reverse();
    assert!(all.is_sorted_by_key(|delivery| std::cmp::Reverse(delivery.created_at)));
    assert_eq!(list(Some(DeliveryState::Waiting), first(9)).await.items, all[..2]);
    assert_eq!(list(Some(DeliveryState::GivenUp), first(9)).await.items, all[2..4]);
    assert_eq!(list(Some(DeliveryState::Delivered), first(9)).await.items, all[4..]);
    let page = list(Some(DeliveryState::Delivered), first(1)).await;
    let rest = list(Some(DeliveryState::Delivered), after(page.next.unwrap(), 9)).await;
    assert_eq!(rest.items, all[5..]);
    assert_eq!(rest.next, None);
}

/// Whoever waits for deliveries is told after the transaction that has queued some, and finds them.
pub async fn whoever_sends_is_told_of_what_is_queued(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    stored(&given, &connector, |_| {}).await;
    let queued = given.catalog.delivery_queued();
    given.running_sync(&connector).await;
    tokio::time::timeout(Duration::from_secs(30), queued.notified()).await.expect("it was told");
    assert_eq!(claim(&given, 9).await.len(), 1);
}

/// What is older than asked for is forgotten, and all that deleted webhooks leave, a bounded number at a time.
pub async fn old_deliveries_and_those_of_deleted_webhooks_are_forgotten_in_steps(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let (gone, kept) = (stored(&given, &connector, |_| {}).await, stored(&given, &connector, |_| {}).await);
    for _ in 0..3 {
        given.finished_sync(&connector, Outcome::Succeeded).await;
    }
    let all = of(&given, kept.id).await;
    let never = Timestamp::from_micros(0);
    let forgotten = async |before| {
        let mut steps = Vec::new();
        loop {
            steps.push(given.catalog.delivery_forget(before, 4).await.unwrap());
            if steps.last() < Some(&4) {
                return steps;
            }
        }
    };
    assert_eq!(forgotten(never).await, [0]);
    given.catalog.webhook_delete(&gone.space_id, gone.id, given.now()).await.unwrap();
    assert!(forgotten(never).await.len() > 1);
    assert_eq!(of(&given, gone.id).await, []);
    assert_eq!(of(&given, kept.id).await, all);
    assert_eq!(forgotten(all[2].created_at).await, [2]);
    assert_eq!(of(&given, kept.id).await, all[2..]);
}
