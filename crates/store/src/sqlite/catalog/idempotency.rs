//! The records of idempotency keys, written by the transactions that have the effects.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::Trouble;
use crate::catalog::{Effect, Idempotent, StoredAnswer};

/// Expired records that one write removes at most.
const SWEPT_PER_WRITE: i64 = 100;

/// Does `act` unless the key was used before, and records the key with it. What `act` returns is in the way of the
/// effect; then it must have changed nothing.
pub(super) fn once<C>(
    tx: &Transaction<'_>,
    idempotent: Option<Idempotent>,
    act: impl FnOnce() -> Result<Option<C>, Trouble>,
) -> Result<Effect<C>, Trouble> {
    if let Some(request) = &idempotent
        && let Some(earlier) = find(tx, request)?
    {
        return Ok(earlier);
    }
    if let Some(conflict) = act()? {
        return Ok(Effect::Conflict(conflict));
    }
    if let Some(request) = &idempotent {
        remember(tx, request)?;
    }
    Ok(Effect::Done)
}

fn find<C>(tx: &Transaction<'_>, request: &Idempotent) -> Result<Option<Effect<C>>, Trouble> {
    let mut statement = tx.prepare_cached(
        "SELECT fingerprint, status, location, body FROM idempotency WHERE scope = ?1 AND created_at >= ?2",
    )?;
    let found = statement.query_row(params![request.scope, request.expired_before.as_micros()], |row| {
        let answer = StoredAnswer { status: row.get(1)?, location: row.get(2)?, body: row.get(3)? };
        Ok((row.get::<_, [u8; 32]>(0)?, answer))
    });
    Ok(found.optional()?.map(|(fingerprint, answer)| {
        if fingerprint == request.fingerprint { Effect::Replayed(answer) } else { Effect::Mismatch }
    }))
}

fn remember(tx: &Transaction<'_>, request: &Idempotent) -> Result<(), Trouble> {
    tx.prepare_cached(
        "DELETE FROM idempotency WHERE scope IN
         (SELECT scope FROM idempotency WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)",
    )?
    .execute(params![request.expired_before.as_micros(), SWEPT_PER_WRITE])?;
    // An expired record of the very key may be left by a sweep that had too much to do.
    tx.prepare_cached(
        "INSERT OR REPLACE INTO idempotency (scope, fingerprint, status, location, body, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        request.scope,
        request.fingerprint,
        request.answer.status,
        request.answer.location,
        request.answer.body,
        request.now.as_micros(),
    ])?;
    Ok(())
}
