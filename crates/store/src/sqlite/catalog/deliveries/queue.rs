//! Queueing: part of the transaction that moves a sync.

use inlet_model::{DeliveryId, Entropy, SyncId, Timestamp, WebhookId};
use rusqlite::{Transaction, params};

use super::super::error::Trouble;
use super::super::row::{Columns, Text};
use super::super::webhooks;
use crate::catalog::{DELIVERIES_WAITING_MAX, GiveUpReason, Sync, WebhookEvent, payload};

/// Queues what each webhook that wants it is told of `event`.
pub(in super::super) fn queue(
    tx: &Transaction<'_>,
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
fn deleted_at(tx: &Transaction<'_>, sync: &Sync) -> Result<Option<Timestamp>, Trouble> {
    let mut statement = tx.prepare_cached("SELECT deleted_at FROM connectors WHERE id = ?1")?;
    Ok(statement.query_row([Text(sync.connector_id)], |row| Columns::of(row).optional_time())?)
}

fn insert(
    tx: &Transaction<'_>,
    webhook_id: WebhookId,
    sync_id: SyncId,
    event: WebhookEvent,
    payload: &str,
    now: Timestamp,
) -> Result<(), Trouble> {
    let last: i64 = tx
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'deliveries'")?
        .query_row([], |row| row.get(0))?;
    let number = last + 1;
    let id = DeliveryId::new(now, &Drawn::of(number, webhook_id, sync_id));
    tx.prepare_cached(
        "INSERT INTO deliveries (number, id, webhook_id, event, sync_id, payload, created_at, next_attempt_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
    )?
    .execute(params![
        number,
        Text(id),
        Text(webhook_id),
        event.as_str(),
        Text(sync_id),
        payload,
        now.as_micros()
    ])?;
    Ok(())
}

/// Gives up what waits beyond the bound, the oldest first; not what is being sent at this moment.
fn give_up_oldest(tx: &Transaction<'_>, webhook_id: WebhookId, now: Timestamp) -> Result<(), Trouble> {
    let waiting: u32 = tx
        .prepare_cached(
            "SELECT count(*) FROM deliveries WHERE webhook_id = ?1 AND next_attempt_at IS NOT NULL",
        )?
        .query_row([Text(webhook_id)], |row| row.get(0))?;
    let Some(excess) = waiting.checked_sub(DELIVERIES_WAITING_MAX).filter(|excess| *excess > 0) else {
        return Ok(());
    };
    tx.prepare_cached(
        "UPDATE deliveries SET next_attempt_at = NULL, claimed_until = NULL, gave_up_at = ?2, gave_up_because = ?3 WHERE number IN
         (SELECT number FROM deliveries WHERE webhook_id = ?1 AND next_attempt_at IS NOT NULL
              AND (claimed_until IS NULL OR claimed_until <= ?2) ORDER BY number LIMIT ?4)",
    )?
    .execute(params![Text(webhook_id), now.as_micros(), GiveUpReason::TooManyWaiting.as_str(), excess])?;
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
