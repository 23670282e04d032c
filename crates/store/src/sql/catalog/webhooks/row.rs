//! The row of a webhook: how it is found, read and written.

use inlet_model::secret::Secrets;
use inlet_model::{SpaceId, Timestamp, WebhookId};

use crate::catalog::{Webhook, WebhookSecret, WebhookSecrets};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Json, Name, Session, SqlError, SqlResult, Text, params};

pub(crate) const SELECT: &str =
    "SELECT id, space_id, collection_id, connector_id, name, url, events, secrets, current_secret,
            previous_secret_ends_at, status, created_at, updated_at FROM webhooks";

/// The webhook of that id, unless it is deleted.
pub(in super::super) fn get(db: &dyn Session, id: WebhookId) -> Result<Option<Webhook>, Trouble> {
    Ok(db.row_if_any(
        &format!("{SELECT} WHERE id = ?1 AND deleted_at IS NULL"),
        params![Text(id)],
        webhook_from,
    )?)
}

pub(super) fn get_in(
    db: &dyn Session,
    space_id: &SpaceId,
    id: WebhookId,
) -> Result<Option<Webhook>, Trouble> {
    Ok(get(db, id)?.filter(|webhook| webhook.space_id == *space_id))
}

/// The webhooks of a space, at most so many as there may be.
pub(in super::super) fn all_of_space(db: &dyn Session, space_id: &SpaceId) -> Result<Vec<Webhook>, Trouble> {
    Ok(db.rows(
        &format!("{SELECT} WHERE space_id = ?1 AND deleted_at IS NULL ORDER BY created_at DESC, id DESC"),
        params![space_id.as_str()],
        webhook_from,
    )?)
}

pub(super) fn insert(tx: &dyn Session, webhook: &Webhook) -> Result<(), Trouble> {
    tx.execute(
        "INSERT INTO webhooks (id, space_id, collection_id, connector_id, name, url, events, secrets,
         current_secret, previous_secret_ends_at, status, created_at, updated_at) VALUES (?1, ?2, ?3, ?4,
         ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            Text(webhook.id),
            webhook.space_id.as_str(),
            webhook.collection_id.as_ref().map(|id| id.as_str()),
            webhook.connector_id.map(Text),
            webhook.name,
            webhook.url,
            Json(&webhook.events),
            Json(webhook.secrets.by_place()),
            webhook.secrets.current.pointer,
            ends_at(&webhook.secrets),
            Name(webhook.status),
            webhook.created_at.as_micros(),
            webhook.updated_at.as_micros(),
        ],
    )?;
    Ok(())
}

/// Writes back what may change of a webhook.
pub(super) fn save(tx: &dyn Session, webhook: &Webhook) -> Result<(), Trouble> {
    tx.execute(
        "UPDATE webhooks SET collection_id = ?2, connector_id = ?3, name = ?4, url = ?5, events = ?6,
         secrets = ?7, current_secret = ?8, previous_secret_ends_at = ?9, status = ?10, updated_at = ?11
         WHERE id = ?1",
        params![
            Text(webhook.id),
            webhook.collection_id.as_ref().map(|id| id.as_str()),
            webhook.connector_id.map(Text),
            webhook.name,
            webhook.url,
            Json(&webhook.events),
            Json(webhook.secrets.by_place()),
            webhook.secrets.current.pointer,
            ends_at(&webhook.secrets),
            Name(webhook.status),
            webhook.updated_at.as_micros(),
        ],
    )?;
    Ok(())
}

fn ends_at(secrets: &WebhookSecrets) -> Option<i64> {
    secrets.previous.as_ref().map(|(_, ends_at)| ends_at.as_micros())
}

pub(in super::super) fn webhook_from(columns: &mut Columns<'_>) -> SqlResult<Webhook> {
    Ok(Webhook {
        id: columns.text()?,
        space_id: columns.text()?,
        collection_id: columns.optional_text()?,
        connector_id: columns.optional_text()?,
        name: columns.plain()?,
        url: columns.plain()?,
        events: columns.json()?,
        secrets: secrets_of(columns.json()?, columns.plain()?, columns.optional_time()?)?,
        status: columns.name()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

/// The secrets of a row: the one at the place `current`, and beside it at most one other.
pub(in super::super) fn secrets_of(
    mut secrets: Secrets,
    current: String,
    previous_ends_at: Option<Timestamp>,
) -> SqlResult<WebhookSecrets> {
    let Some(sealed) = secrets.remove(&current) else {
        return Err(SqlError::row("the newest secret is missing"));
    };
    let previous = secrets.pop_first().map(|(pointer, sealed)| WebhookSecret { pointer, sealed });
    let current = WebhookSecret { pointer: current, sealed };
    Ok(WebhookSecrets { current, previous: previous.zip(previous_ends_at) })
}
