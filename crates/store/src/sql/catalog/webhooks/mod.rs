//! Webhooks.

mod change;
pub(crate) mod row;

use async_trait::async_trait;
use inlet_model::{CollectionId, ConnectorId, SpaceId, Timestamp, WebhookId};

use super::page::Listing;
use super::{SqlCatalog, idempotency, spaces};
use crate::StoreResult;
use crate::catalog::{
    Effect, Idempotent, Page, PageQuery, Webhook, WebhookChange, WebhookConflict, WebhookSecret,
    WebhookUpdate, Webhooks,
};
use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

#[async_trait]
impl Webhooks for SqlCatalog {
    async fn webhook_list(&self, space_id: &SpaceId, query: PageQuery) -> StoreResult<Option<Page<Webhook>>> {
        let space_id = space_id.clone();
        self.read_rows("list the webhooks", move |db| {
            let place = |webhook: &Webhook| (webhook.created_at, webhook.id.to_string());
            let page = listing(&space_id, query).read(db, row::SELECT, row::webhook_from, place)?;
            // Only an empty page leaves open whether there is such a space.
            let exists = !page.items.is_empty() || spaces::get(db, &space_id)?.is_some();
            Ok(exists.then_some(page))
        })
        .await
    }

    async fn webhook_get(&self, space_id: &SpaceId, id: WebhookId) -> StoreResult<Option<Webhook>> {
        let space_id = space_id.clone();
        self.read_row("get a webhook", move |db| row::get_in(db, &space_id, id)).await
    }

    async fn webhook_create(
        &self,
        webhook: Webhook,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<WebhookConflict>> {
        self.write("create a webhook", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || change::create(tx, &webhook))
        })
        .await
    }

    async fn webhook_update(
        &self,
        space_id: &SpaceId,
        id: WebhookId,
        change: WebhookChange,
        now: Timestamp,
    ) -> StoreResult<WebhookUpdate> {
        let space_id = space_id.clone();
        self.write("update a webhook", move |tx| change::update(tx, &space_id, id, change.clone(), now)).await
    }

    async fn webhook_rotate(
        &self,
        space_id: &SpaceId,
        id: WebhookId,
        secret: WebhookSecret,
        old_ends_at: Timestamp,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<()>> {
        let space_id = space_id.clone();
        self.write("rotate the secret of a webhook", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || {
                change::rotate(tx, &space_id, id, secret.clone(), old_ends_at, now)
            })
        })
        .await
    }

    async fn webhook_delete(&self, space_id: &SpaceId, id: WebhookId, now: Timestamp) -> StoreResult<bool> {
        let space_id = space_id.clone();
        self.write("delete a webhook", move |tx| change::delete(tx, &space_id, id, now)).await
    }
}

pub(crate) fn listing(space_id: &SpaceId, query: PageQuery) -> Listing {
    Listing::of(query).only("space_id = ?", space_id.to_string()).that("deleted_at IS NULL")
}

const HIDE: &str = "UPDATE webhooks SET deleted_at = ?1, secrets = '{}' WHERE deleted_at IS NULL";

/// Hides the webhooks of a space that goes.
pub(super) fn hide_all_of_space(tx: &dyn Session, space_id: &SpaceId, now: Timestamp) -> Result<(), Trouble> {
    tx.execute(&format!("{HIDE} AND space_id = ?2"), params![now.as_micros(), space_id.as_str()])?;
    Ok(())
}

/// Hides the webhooks that are narrowed to a collection that goes.
pub(super) fn hide_all_of_collection(
    tx: &dyn Session,
    space_id: &SpaceId,
    id: &CollectionId,
    now: Timestamp,
) -> Result<(), Trouble> {
    tx.execute(
        &format!("{HIDE} AND space_id = ?2 AND collection_id = ?3"),
        params![now.as_micros(), space_id.as_str(), id.as_str()],
    )?;
    Ok(())
}

/// Hides the webhooks that are narrowed to a connector that goes.
pub(super) fn hide_all_of_connector(
    tx: &dyn Session,
    id: ConnectorId,
    now: Timestamp,
) -> Result<(), Trouble> {
    // By the index of the space: another space has none of this connector.
    tx.execute(
        &format!(
            "{HIDE} AND space_id = (SELECT space_id FROM connectors WHERE id = ?2) AND connector_id = ?2"
        ),
        params![now.as_micros(), Text(id)],
    )?;
    Ok(())
}
