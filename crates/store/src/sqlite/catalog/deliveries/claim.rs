//! Giving deliveries to a sender.

use inlet_model::{Timestamp, WebhookId};
use rusqlite::{Connection, Transaction, params};

use super::super::error::Trouble;
use super::super::row::{Columns, Text};
use super::super::webhooks;
use super::row;
use crate::catalog::{ClaimedDelivery, Delivery, DeliveryClaim, DeliveryProgress, Webhook};

/// Those that are due, of each webhook only as many as it may have at a time.
pub(super) fn claim(tx: &Transaction<'_>, claim: DeliveryClaim) -> Result<Vec<ClaimedDelivery>, Trouble> {
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
fn webhooks_with_due(tx: &Transaction<'_>, now: Timestamp) -> Result<Vec<WebhookId>, Trouble> {
    let mut statement = tx.prepare_cached(
        "SELECT id, (SELECT min(next_attempt_at) FROM deliveries
                     WHERE webhook_id = webhooks.id AND next_attempt_at IS NOT NULL) AS next
         FROM webhooks WHERE status = 'active' AND deleted_at IS NULL AND next <= ?1 ORDER BY next, id",
    )?;
    let rows = statement.query_map([now.as_micros()], |row| Columns::of(row).text())?;
    Ok(rows.collect::<rusqlite::Result<Vec<WebhookId>>>()?)
}

fn claim_of(
    tx: &Transaction<'_>,
    webhook: &Webhook,
    claim: DeliveryClaim,
    room: usize,
    claimed: &mut Vec<ClaimedDelivery>,
) -> Result<(), Trouble> {
    let (now, until) = (claim.now.as_micros(), claim.until.as_micros());
    let held: u32 = tx
        .prepare_cached("SELECT count(*) FROM deliveries WHERE webhook_id = ?1 AND claimed_until > ?2")?
        .query_row(params![Text(webhook.id), now], |row| row.get(0))?;
    let room = u32::try_from(room).unwrap_or(u32::MAX).min(claim.per_webhook.saturating_sub(held));
    let mut due = tx.prepare_cached(&format!(
        "{} WHERE webhook_id = ?1 AND next_attempt_at <= ?2 ORDER BY next_attempt_at, number LIMIT ?3",
        row::SELECT
    ))?;
    let due = due.query_map(params![Text(webhook.id), now, room], row::delivery_from)?;
    let due = due.collect::<rusqlite::Result<Vec<Delivery>>>()?;
    let mut take = tx.prepare_cached(
        "UPDATE deliveries SET attempts = attempts + 1, claimed_until = ?2, next_attempt_at = ?2 WHERE id = ?1",
    )?;
    for mut delivery in due {
        take.execute(params![Text(delivery.id), until])?;
        delivery.attempts += 1;
        delivery.progress = DeliveryProgress::Waiting { next_attempt_at: claim.until };
        claimed.push(ClaimedDelivery { delivery, webhook: webhook.clone() });
    }
    Ok(())
}

/// When the first of an active webhook becomes due.
pub(super) fn next(db: &Connection) -> Result<Option<Timestamp>, Trouble> {
    let mut statement = db.prepare_cached(
        "SELECT min((SELECT min(next_attempt_at) FROM deliveries
                     WHERE webhook_id = webhooks.id AND next_attempt_at IS NOT NULL))
         FROM webhooks WHERE status = 'active' AND deleted_at IS NULL",
    )?;
    Ok(statement.query_row([], |row| Columns::of(row).optional_time())?)
}

/// Ends all claims: who held them is gone.
pub(super) fn take_over(tx: &Transaction<'_>, now: Timestamp) -> Result<(), Trouble> {
    tx.prepare_cached(
        "UPDATE deliveries SET claimed_until = NULL, next_attempt_at = ?1 WHERE claimed_until IS NOT NULL",
    )?
    .execute([now.as_micros()])?;
    Ok(())
}
