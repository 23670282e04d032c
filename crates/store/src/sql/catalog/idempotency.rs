//! The records of idempotency keys, written by the transactions that have the effects.

use crate::catalog::{Effect, Idempotent, StoredAnswer};
use crate::sql::catalog::Trouble;
use crate::sql::{Session, params};

/// Expired records that one write removes at most.
const SWEPT_PER_WRITE: i64 = 100;

/// Does `act` unless the key was used before, and records the key with it. What `act` returns is in the way of the
/// effect; then it must have changed nothing.
pub(super) fn once<C>(
    tx: &dyn Session,
    idempotent: Option<&Idempotent>,
    act: impl FnOnce() -> Result<Option<C>, Trouble>,
) -> Result<Effect<C>, Trouble> {
    if let Some(request) = idempotent
        && let Some(earlier) = find(tx, request)?
    {
        return Ok(earlier);
    }
    if let Some(conflict) = act()? {
        return Ok(Effect::Conflict(conflict));
    }
    if let Some(request) = idempotent {
        remember(tx, request)?;
    }
    Ok(Effect::Done)
}

fn find<C>(tx: &dyn Session, request: &Idempotent) -> Result<Option<Effect<C>>, Trouble> {
    let found = tx.row_if_any(
        "SELECT fingerprint, status, location, body FROM idempotency WHERE scope = ?1 AND created_at >= ?2",
        params![request.scope, request.expired_before.as_micros()],
        |columns| {
            let fingerprint: [u8; 32] = columns.plain()?;
            let answer =
                StoredAnswer { status: columns.plain()?, location: columns.plain()?, body: columns.plain()? };
            Ok((fingerprint, answer))
        },
    );
    Ok(found?.map(|(fingerprint, answer)| {
        if fingerprint == request.fingerprint { Effect::Replayed(answer) } else { Effect::Mismatch }
    }))
}

fn remember(tx: &dyn Session, request: &Idempotent) -> Result<(), Trouble> {
    tx.execute(
        "DELETE FROM idempotency WHERE scope IN
         (SELECT scope FROM idempotency WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)",
        params![request.expired_before.as_micros(), SWEPT_PER_WRITE],
    )?;
    // An expired record of the very key may be left by a sweep that had too much to do.
    tx.execute(
        "INSERT INTO idempotency (scope, fingerprint, status, location, body, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (scope) DO UPDATE SET
         fingerprint = excluded.fingerprint, status = excluded.status, location = excluded.location,
         body = excluded.body, created_at = excluded.created_at",
        params![
            request.scope,
            request.fingerprint,
            request.answer.status,
            request.answer.location,
            request.answer.body,
            request.now.as_micros(),
        ],
    )?;
    Ok(())
}
