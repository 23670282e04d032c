//! Making, changing and deleting webhooks.

use inlet_model::{SpaceId, Timestamp, WebhookId};

use super::super::audit::Write;
use super::super::{collections, connectors, spaces};
use super::{HIDE, row};
use crate::catalog::{
    Action, Target, WEBHOOKS_MAX, Webhook, WebhookChange, WebhookConflict, WebhookSecret, WebhookSecrets,
    WebhookUpdate,
};
use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// Makes the webhook, or finds what is in its way.
pub(super) fn create(tx: &Write<'_>, webhook: &Webhook) -> Result<Option<WebhookConflict>, Trouble> {
    if spaces::get(tx, &webhook.space_id)?.is_none() {
        return Ok(Some(WebhookConflict::NoSpace));
    }
    if let Some(conflict) = unknown_part(tx, webhook)? {
        return Ok(Some(conflict));
    }
    if count_of(tx, &webhook.space_id)? >= WEBHOOKS_MAX {
        return Ok(Some(WebhookConflict::TooMany));
    }
    row::insert(tx, webhook)?;
    tx.audit(Action::WebhookCreate, target(webhook))?;
    Ok(None)
}

/// What the webhook is narrowed to, if it is not in the space.
fn unknown_part(tx: &dyn Session, webhook: &Webhook) -> Result<Option<WebhookConflict>, Trouble> {
    if let Some(collection_id) = &webhook.collection_id
        && collections::get(tx, &webhook.space_id, collection_id)?.is_none()
    {
        return Ok(Some(WebhookConflict::NoCollection));
    }
    let Some(connector_id) = webhook.connector_id else { return Ok(None) };
    let connector = connectors::get(tx, connector_id)?.filter(|connector| {
        connector.space_id == webhook.space_id
            && webhook.collection_id.as_ref().is_none_or(|only| *only == connector.collection_id)
    });
    Ok(connector.is_none().then_some(WebhookConflict::NoConnector))
}

fn count_of(tx: &dyn Session, space_id: &SpaceId) -> Result<u32, Trouble> {
    Ok(tx.row(
        "SELECT count(*) FROM webhooks WHERE space_id = ?1 AND deleted_at IS NULL",
        params![space_id.as_str()],
        |columns| columns.plain(),
    )?)
}

pub(super) fn update(
    tx: &Write<'_>,
    space_id: &SpaceId,
    id: WebhookId,
    change: WebhookChange,
    now: Timestamp,
) -> Result<WebhookUpdate, Trouble> {
    let Some(stored) = row::get_in(tx, space_id, id)? else { return Ok(WebhookUpdate::Absent) };
    let mut updated = changed(stored.clone(), change);
    let fields = changed_fields(&stored, &updated);
    if fields.is_empty() {
        return Ok(WebhookUpdate::Updated(Box::new(stored)));
    }
    if let Some(conflict) = unknown_part(tx, &updated)? {
        return Ok(WebhookUpdate::Conflict(conflict));
    }
    updated.updated_at = now;
    row::save(tx, &updated)?;
    tx.audit_fields(Action::WebhookUpdate, target(&updated), fields)?;
    Ok(WebhookUpdate::Updated(Box::new(updated)))
}

fn changed(stored: Webhook, change: WebhookChange) -> Webhook {
    Webhook {
        name: change.name.unwrap_or(stored.name),
        url: change.url.unwrap_or(stored.url),
        events: change.events.unwrap_or(stored.events),
        collection_id: change.collection_id.unwrap_or(stored.collection_id),
        connector_id: change.connector_id.unwrap_or(stored.connector_id),
        status: change.status.unwrap_or(stored.status),
        ..stored
    }
}

/// The settings in which the two differ, as JSON Pointers.
fn changed_fields(old: &Webhook, new: &Webhook) -> Vec<String> {
    let all = [
        ("/name", old.name != new.name),
        ("/url", old.url != new.url),
        ("/events", old.events != new.events),
        ("/collection_id", old.collection_id != new.collection_id),
        ("/connector_id", old.connector_id != new.connector_id),
        ("/status", old.status != new.status),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field.to_owned()).collect()
}

/// Gives the webhook a new secret; what may be in the way is that it is not there.
pub(super) fn rotate(
    tx: &Write<'_>,
    space_id: &SpaceId,
    id: WebhookId,
    secret: WebhookSecret,
    old_ends_at: Timestamp,
    now: Timestamp,
) -> Result<Option<()>, Trouble> {
    let Some(stored) = row::get_in(tx, space_id, id)? else { return Ok(Some(())) };
    let secrets =
        WebhookSecrets { current: secret, previous: Some((stored.secrets.current.clone(), old_ends_at)) };
    row::save(tx, &Webhook { secrets, updated_at: now, ..stored.clone() })?;
    tx.audit(Action::WebhookRotate, target(&stored))?;
    Ok(None)
}

pub(super) fn delete(
    tx: &Write<'_>,
    space_id: &SpaceId,
    id: WebhookId,
    now: Timestamp,
) -> Result<bool, Trouble> {
    let hidden = tx.execute(
        &format!("{HIDE} AND id = ?2 AND space_id = ?3"),
        params![now.as_micros(), Text(id), space_id.as_str()],
    )?;
    if hidden == 1 {
        tx.audit(Action::WebhookDelete, Target::webhook(space_id, id))?;
    }
    Ok(hidden == 1)
}

fn target(webhook: &Webhook) -> Target {
    Target::webhook(&webhook.space_id, webhook.id)
}
