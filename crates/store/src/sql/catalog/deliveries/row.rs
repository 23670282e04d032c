//! The row of a delivery: how it is found and read.

use inlet_model::{DeliveryId, WebhookId};

use crate::catalog::{Delivery, DeliveryAnswer, DeliveryProgress, GiveUpReason, Reply};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlError, SqlResult, Text, params};

pub(crate) const SELECT: &str =
    "SELECT id, webhook_id, event, sync_id, payload, attempts, created_at, next_attempt_at, delivered_at, gave_up_at,
            gave_up_because, answered_at, answer_ms, answer_status, answer_body, answer_error FROM deliveries";

pub(super) fn get(
    db: &dyn Session,
    webhook_id: WebhookId,
    id: DeliveryId,
) -> Result<Option<Delivery>, Trouble> {
    Ok(db.row_if_any(
        &format!("{SELECT} WHERE id = ?1 AND webhook_id = ?2"),
        params![Text(id), Text(webhook_id)],
        delivery_from,
    )?)
}

pub(super) fn delivery_from(columns: &mut Columns<'_>) -> SqlResult<Delivery> {
    Ok(Delivery {
        id: columns.text()?,
        webhook_id: columns.text()?,
        event: columns.text()?,
        sync_id: columns.text()?,
        payload: columns.plain()?,
        attempts: columns.plain()?,
        created_at: columns.time()?,
        progress: progress_of(columns)?,
        last_answer: answer_of(columns)?,
    })
}

fn progress_of(columns: &mut Columns<'_>) -> SqlResult<DeliveryProgress> {
    let (next, delivered, gave_up) =
        (columns.optional_time()?, columns.optional_time()?, columns.optional_time()?);
    let reason: Option<GiveUpReason> = columns.optional_text()?;
    match (next, delivered, gave_up.zip(reason)) {
        (Some(next_attempt_at), None, None) => Ok(DeliveryProgress::Waiting { next_attempt_at }),
        (None, Some(at), None) => Ok(DeliveryProgress::Delivered { at }),
        (None, None, Some((at, reason))) => Ok(DeliveryProgress::GivenUp { at, reason }),
        _ => Err(SqlError::row("a delivery waits, has arrived or is given up")),
    }
}

fn answer_of(columns: &mut Columns<'_>) -> SqlResult<Option<DeliveryAnswer>> {
    let (at, duration_ms) = (columns.optional_time()?, columns.plain::<Option<u32>>()?);
    let (status, body) = (columns.plain::<Option<u16>>()?, columns.plain::<Option<String>>()?);
    let error = columns.optional_text()?;
    let Some((at, duration_ms)) = at.zip(duration_ms) else { return Ok(None) };
    let reply = match (status, body, error) {
        (Some(status), Some(body), None) => Reply::Answered { status, body },
        (None, None, Some(error)) => Reply::Failed(error),
        _ => return Err(SqlError::row("an attempt was answered or failed")),
    };
    Ok(Some(DeliveryAnswer { at, duration_ms, reply }))
}
