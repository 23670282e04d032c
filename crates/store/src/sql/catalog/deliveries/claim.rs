//! Giving deliveries to a sender.

use inlet_model::{Timestamp, WebhookId};

use super::super::webhooks;
use super::row;
use crate::catalog::{ClaimedDelivery, DeliveryClaim, DeliveryProgress, Webhook};
use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// Those that are due, of each webhook only as many as it may have at a time.
pub(super) fn claim(tx: &dyn Session, claim: DeliveryClaim) -> Result<Vec<ClaimedDelivery>, Trouble> {
    let mut claimed = Vec::new();
    for webhook_id in webhooks_with_due(tx, claim.now)? {
        let room = claim.limit - claimed.len();
        if room == 0 {
            break;
        }
        let Some(webhook) = webhooks::row::get(tx, webhook_id)? else { continue };
        claim_of(tx, &webhook, claim, room, &mut claimed)?;
    }
    Ok(claimed)
}

/// The active webhooks that have something due, the one that has waited longest first.
fn webhooks_with_due(tx: &dyn Session, now: Timestamp) -> Result<Vec<WebhookId>, Trouble> {
    Ok(tx.rows(
        "SELECT id FROM (
             SELECT id, (SELECT min(next_attempt_at) FROM deliveries
                         WHERE webhook_id = webhooks.id AND next_attempt_at IS NOT NULL) AS next
             FROM webhooks WHERE status = 'active' AND deleted_at IS NULL
         ) AS waiting WHERE next <= ?1 ORDER BY next, id",
        params![now.as_micros()],
        |columns| columns.text(),
    )?)
}

fn claim_of(
    tx: &dyn Session,
    webhook: &Webhook,
    claim: DeliveryClaim,
    room: usize,
    claimed: &mut Vec<ClaimedDelivery>,
) -> Result<(), Trouble> {
    let (now, until) = (claim.now.as_micros(), claim.until.as_micros());
    let held: u32 = tx.row(
        "SELECT count(*) FROM deliveries WHERE webhook_id = ?1 AND claimed_until > ?2",
        params![Text(webhook.id), now],
        |columns| columns.plain(),
    )?;
    let room = u32::try_from(room).unwrap_or(u32::MAX).min(claim.per_webhook.saturating_sub(held));
    let due = tx.rows(
        &format!(
            "{} WHERE webhook_id = ?1 AND next_attempt_at <= ?2 ORDER BY next_attempt_at, number LIMIT ?3",
            row::SELECT
        ),
        params![Text(webhook.id), now, room],
        row::delivery_from,
    )?;
    for mut delivery in due {
        tx.execute(
            "UPDATE deliveries SET attempts = attempts + 1, claimed_until = ?2, next_attempt_at = ?2
             WHERE id = ?1",
            params![Text(delivery.id), until],
        )?;
        delivery.attempts += 1;
        delivery.progress = DeliveryProgress::Waiting { next_attempt_at: claim.until };
        claimed.push(ClaimedDelivery { delivery, webhook: webhook.clone() });
    }
    Ok(())
}

/// When the first of an active webhook becomes due.
pub(super) fn next(db: &dyn Session) -> Result<Option<Timestamp>, Trouble> {
    Ok(db.row(
        "SELECT min(next) FROM (
             SELECT (SELECT min(next_attempt_at) FROM deliveries
                     WHERE webhook_id = webhooks.id AND next_attempt_at IS NOT NULL) AS next
             FROM webhooks WHERE status = 'active' AND deleted_at IS NULL
         ) AS waiting",
        params![],
        |columns| columns.optional_time(),
    )?)
}

/// Ends all claims: who held them is gone.
pub(super) fn take_over(tx: &dyn Session, now: Timestamp) -> Result<(), Trouble> {
    tx.execute(
        "UPDATE deliveries SET claimed_until = NULL, next_attempt_at = ?1 WHERE claimed_until IS NOT NULL",
        params![now.as_micros()],
    )?;
    Ok(())
}
