//! What came of an attempt, and asking for another.

use inlet_model::{DeliveryId, Timestamp, WebhookId};

use super::super::audit::Write;
use super::super::webhooks;
use crate::catalog::{
    Action, DeliveryNote, GiveUpReason, Reply, RetryConflict, Target, Verdict, WebhookStatus,
};
use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// Writes down how an attempt ended, if it is the last one of a delivery that waits.
pub(super) fn note(tx: &dyn Session, note: &DeliveryNote) -> Result<bool, Trouble> {
    let at = note.answer.at;
    let (next, delivered_at, given_up) = match note.verdict {
        Verdict::Delivered => (None, Some(at), None),
        Verdict::RetryAt(then) => (Some(then), None, None),
        Verdict::Expired => (None, None, Some(GiveUpReason::Expired)),
        Verdict::TargetGone => (None, None, Some(GiveUpReason::TargetGone)),
    };
    let (status, body, error) = match &note.answer.reply {
        Reply::Answered { status, body } => (Some(*status), Some(body.as_str()), None),
        Reply::Failed(error) => (None, None, Some(error.as_str())),
    };
    let noted: Option<WebhookId> = tx.row_if_any(
        "UPDATE deliveries SET claimed_until = NULL, next_attempt_at = ?3, delivered_at = ?4,
         gave_up_at = ?5, gave_up_because = ?6, answered_at = ?7, answer_ms = ?8, answer_status = ?9, answer_body = ?10,
         answer_error = ?11 WHERE id = ?1 AND attempts = ?2 AND claimed_until IS NOT NULL
         RETURNING webhook_id",
        params![
            Text(note.id),
            note.attempt,
            next.map(Timestamp::as_micros),
            delivered_at.map(Timestamp::as_micros),
            given_up.map(|_| at.as_micros()),
            given_up.map(GiveUpReason::as_str),
            at.as_micros(),
            note.answer.duration_ms,
            status,
            body,
            error,
        ],
        |columns| columns.text(),
    )?;
    if let (Some(webhook_id), Verdict::TargetGone) = (noted, note.verdict) {
        tx.execute(
            "UPDATE webhooks SET status = 'disabled', updated_at = ?2 WHERE id = ?1",
            params![Text(webhook_id), at.as_micros()],
        )?;
    }
    Ok(noted.is_some())
}

/// Makes a delivery due, unless it is being sent.
pub(super) fn retry(
    tx: &Write<'_>,
    webhook_id: WebhookId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Option<RetryConflict>, Trouble> {
    let webhook = webhooks::row::get(tx, webhook_id)?;
    let (Some(webhook), Some(_)) = (webhook, super::row::get(tx, webhook_id, id)?) else {
        return Ok(Some(RetryConflict::Absent));
    };
    if webhook.status == WebhookStatus::Disabled {
        return Ok(Some(RetryConflict::Disabled));
    }
    tx.execute(
        "UPDATE deliveries SET claimed_until = NULL, next_attempt_at = ?2, delivered_at = NULL,
         gave_up_at = NULL, gave_up_because = NULL WHERE id = ?1 AND (claimed_until IS NULL OR claimed_until <= ?2)",
        params![Text(id), now.as_micros()],
    )?;
    tx.audit(Action::WebhookRetry, Target::webhook(&webhook.space_id, webhook_id))?;
    Ok(None)
}
