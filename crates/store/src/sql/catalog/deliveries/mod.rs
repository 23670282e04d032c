//! Deliveries: the outbox of webhooks.

mod claim;
mod forget;
mod note;
mod queue;
pub(crate) mod row;

use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{DeliveryId, Timestamp, WebhookId};
use tokio::sync::Notify;

pub(super) use self::queue::queue;
use super::page::Listing;
use super::{SqlCatalog, idempotency};
use crate::StoreResult;
use crate::catalog::{
    ClaimedDelivery, Deliveries, Delivery, DeliveryClaim, DeliveryNote, DeliveryState, Effect, Idempotent,
    Page, PageQuery, RetryConflict,
};

#[async_trait]
impl Deliveries for SqlCatalog {
    async fn delivery_list(
        &self,
        webhook_id: WebhookId,
        state: Option<DeliveryState>,
        query: PageQuery,
    ) -> StoreResult<Page<Delivery>> {
        self.read_rows("list the deliveries", move |db| {
            let place = |delivery: &Delivery| (delivery.created_at, delivery.id.to_string());
            Ok(listing(webhook_id, state, query).read(db, row::SELECT, row::delivery_from, place)?)
        })
        .await
    }

    async fn delivery_get(&self, webhook_id: WebhookId, id: DeliveryId) -> StoreResult<Option<Delivery>> {
        self.read_row("get a delivery", move |db| row::get(db, webhook_id, id)).await
    }

    async fn delivery_retry(
        &self,
        webhook_id: WebhookId,
        id: DeliveryId,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<RetryConflict>> {
        self.write("send a delivery again", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || note::retry(tx, webhook_id, id, now))
        })
        .await
    }

    async fn delivery_claim(&self, claim: DeliveryClaim) -> StoreResult<Vec<ClaimedDelivery>> {
        self.write("claim deliveries", move |tx| claim::claim(tx, claim)).await
    }

    async fn delivery_next(&self) -> StoreResult<Option<Timestamp>> {
        self.read_row("find the next delivery", claim::next).await
    }

    async fn delivery_note(&self, note: DeliveryNote) -> StoreResult<bool> {
        self.write("note the end of an attempt", move |tx| note::note(tx, &note)).await
    }

    async fn delivery_take_over(&self, now: Timestamp) -> StoreResult<()> {
        self.write("take over the deliveries", move |tx| claim::take_over(tx, now)).await
    }

    async fn delivery_forget(&self, before: Timestamp, limit: usize) -> StoreResult<usize> {
        self.write("forget deliveries", move |tx| forget::forget(tx, before, limit)).await
    }

    fn delivery_queued(&self) -> Arc<Notify> {
        self.database.delivery_queued()
    }
}

pub(crate) fn listing(webhook_id: WebhookId, state: Option<DeliveryState>, query: PageQuery) -> Listing {
    let listing = Listing::of(query).only("webhook_id = ?", webhook_id.to_string());
    match state {
        None => listing,
        Some(DeliveryState::Waiting) => listing.that("next_attempt_at IS NOT NULL"),
        Some(DeliveryState::Delivered) => listing.that("delivered_at IS NOT NULL"),
        Some(DeliveryState::GivenUp) => listing.that("gave_up_at IS NOT NULL"),
    }
}
