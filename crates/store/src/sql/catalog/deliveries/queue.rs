//! Queueing: part of the transaction that moves a sync.

use inlet_model::{DeliveryId, Entropy, SyncId, Timestamp, WebhookId};

use super::super::webhooks;
use crate::catalog::{DELIVERIES_WAITING_MAX, GiveUpReason, Sync, WebhookEvent, payload};
use crate::sql::catalog::Trouble;
use crate::sql::{Dialect, Session, Text, params};

/// Queues what each webhook that wants it is told of `event`.
pub(in super::super) fn queue(
    tx: &dyn Session,
    sync: &Sync,
    event: WebhookEvent,
    now: Timestamp,
) -> Result<(), Trouble> {
    let webhooks = webhooks::row::all_of_space(tx, &sync.space_id)?;
    let mut wanting = webhooks.iter().filter(|webhook| webhook.wants(sync, event)).peekable();
    if wanting.peek().is_none() {
        return Ok(());
    }
    let deleted_at = deleted_at(tx, sync)?;
    let text = payload(sync, event, now);
    // A space made again under the id of another is told nothing of what goes on of the old one.
    for webhook in
        wanting.filter(|webhook| deleted_at.is_none_or(|deleted_at| webhook.created_at <= deleted_at))
    {
        insert(tx, webhook.id, sync.id, event, &text, now)?;
        give_up_oldest(tx, webhook.id, now)?;
    }
    Ok(())
}

/// When the sync's connector was deleted, if it was.
fn deleted_at(tx: &dyn Session, sync: &Sync) -> Result<Option<Timestamp>, Trouble> {
    Ok(tx.row(
        "SELECT deleted_at FROM connectors WHERE id = ?1",
        params![Text(sync.connector_id)],
        |columns| columns.optional_time(),
    )?)
}

fn insert(
    tx: &dyn Session,
    webhook_id: WebhookId,
    sync_id: SyncId,
    event: WebhookEvent,
    payload: &str,
    now: Timestamp,
) -> Result<(), Trouble> {
    let number = next_number(tx)?;
    let id = DeliveryId::new(now, &Drawn::of(number, webhook_id, sync_id));
    tx.execute(
        "INSERT INTO deliveries (number, id, webhook_id, event, sync_id, payload, created_at,
         next_attempt_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        params![number, Text(id), Text(webhook_id), event.as_str(), Text(sync_id), payload, now.as_micros()],
    )?;
    Ok(())
}

/// The number of the next delivery, which no other has or had.
fn next_number(tx: &dyn Session) -> Result<i64, Trouble> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'deliveries'",
        Dialect::Postgres => "SELECT nextval('delivery_numbers')",
    };
    Ok(tx.row(sql, params![], |columns| columns.plain())?)
}

/// Gives up what waits beyond the bound, the oldest first; not what is being sent at this moment.
fn give_up_oldest(tx: &dyn Session, webhook_id: WebhookId, now: Timestamp) -> Result<(), Trouble> {
    let waiting: u32 = tx.row(
        "SELECT count(*) FROM deliveries WHERE webhook_id = ?1 AND next_attempt_at IS NOT NULL",
        params![Text(webhook_id)],
        |columns| columns.plain(),
    )?;
    let Some(excess) = waiting.checked_sub(DELIVERIES_WAITING_MAX).filter(|excess| *excess > 0) else {
        return Ok(());
    };
    tx.execute(
        "UPDATE deliveries SET next_attempt_at = NULL, claimed_until = NULL, gave_up_at = ?2,
         gave_up_because = ?3 WHERE number IN (SELECT number FROM deliveries WHERE webhook_id = ?1
         AND next_attempt_at IS NOT NULL AND (claimed_until IS NULL OR claimed_until <= ?2) ORDER BY number
         LIMIT ?4)",
        params![Text(webhook_id), now.as_micros(), GiveUpReason::TooManyWaiting.as_str(), excess],
    )?;
    Ok(())
}

/// The lower bits of an id. They follow from a number that is never used twice, so that a transaction needs no randomness;
/// an id is no secret.
#[derive(Debug)]
struct Drawn([u8; 16]);

impl Drawn {
    fn of(number: i64, webhook_id: WebhookId, sync_id: SyncId) -> Self {
        let parts = [webhook_id.as_u128().to_be_bytes(), sync_id.as_u128().to_be_bytes()].concat();
        Self(xxhash_rust::xxh3::xxh3_128_with_seed(&parts, number.cast_unsigned()).to_be_bytes())
    }
}

impl Entropy for Drawn {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.iter_mut().zip(self.0.iter().cycle()).for_each(|(byte, drawn)| *byte = *drawn);
    }
}
