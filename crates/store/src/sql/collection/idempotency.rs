//! The record of a push that came with an idempotency key, stored with the push.

use super::error::Outcome;
use crate::catalog::{Idempotent, StoredAnswer};
use crate::collection::PushEffect;
use crate::sql::{Session, params};

/// Records removed with each new one, so that the table shrinks faster than it grows.
const REMOVED_AT_ONCE: i64 = 100;

/// What an earlier request with this key came to, if there was one that counts.
pub(super) fn earlier(connection: &dyn Session, idempotent: &Idempotent) -> Outcome<Option<PushEffect>> {
    let found = connection.row_if_any(
        "SELECT fingerprint, status, location, body FROM store_idempotency WHERE store = ?0 AND scope = ?1 AND at >= ?2",
        params![idempotent.scope, idempotent.expired_before.as_micros()],
        |columns| {
            let fingerprint: [u8; 32] = columns.plain()?;
            let answer =
                StoredAnswer { status: columns.plain()?, location: columns.plain()?, body: columns.plain()? };
            Ok((fingerprint, answer))
        },
    )?;
    Ok(found.map(|(fingerprint, answer)| {
        if fingerprint == idempotent.fingerprint {
            PushEffect::Replayed(answer)
        } else {
            PushEffect::Mismatch
        }
    }))
}

/// Stores the record of a request, and removes some that count no more.
pub(super) fn store(connection: &dyn Session, idempotent: &Idempotent) -> Outcome<()> {
    connection.execute(
        "DELETE FROM store_idempotency WHERE store = ?0 AND scope IN (SELECT scope FROM store_idempotency WHERE store = ?0 AND at < ?1 ORDER BY at
         LIMIT ?2)",
        params![idempotent.expired_before.as_micros(), REMOVED_AT_ONCE],
    )?;
    let answer = &idempotent.answer;
    connection.execute(
        "INSERT INTO store_idempotency (store, scope, fingerprint, at, status, location, body)
         VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (store, scope) DO UPDATE SET fingerprint = excluded.fingerprint, at = excluded.at,
             status = excluded.status, location = excluded.location, body = excluded.body",
        params![
            idempotent.scope,
            idempotent.fingerprint,
            idempotent.now.as_micros(),
            answer.status,
            answer.location,
            answer.body
        ],
    )?;
    Ok(())
}
