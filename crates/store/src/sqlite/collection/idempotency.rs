//! The record of a push that came with an idempotency key, stored with the push.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Outcome;
use crate::catalog::{Idempotent, StoredAnswer};
use crate::collection::PushEffect;

/// Records removed with each new one, so that the table shrinks faster than it grows.
const REMOVED_AT_ONCE: i64 = 100;

/// What an earlier request with this key came to, if there was one that counts.
pub(super) fn earlier(connection: &Connection, idempotent: &Idempotent) -> Outcome<Option<PushEffect>> {
    let mut statement = connection.prepare_cached(
        "SELECT fingerprint, status, location, body FROM idempotency WHERE scope = ?1 AND at >= ?2",
    )?;
    let found = statement
        .query_row(params![idempotent.scope, idempotent.expired_before.as_micros()], |row| {
            let fingerprint: [u8; 32] = row.get(0)?;
            let answer = StoredAnswer { status: row.get(1)?, location: row.get(2)?, body: row.get(3)? };
            Ok((fingerprint, answer))
        })
        .optional()?;
    Ok(found.map(|(fingerprint, answer)| {
        if fingerprint == idempotent.fingerprint {
            PushEffect::Replayed(answer)
        } else {
            PushEffect::Mismatch
        }
    }))
}

/// Stores the record of a request, and removes some that count no more.
pub(super) fn store(connection: &Connection, idempotent: &Idempotent) -> Outcome<()> {
    connection
        .prepare_cached(
            "DELETE FROM idempotency WHERE scope IN (SELECT scope FROM idempotency WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute(params![idempotent.expired_before.as_micros(), REMOVED_AT_ONCE])?;
    let answer = &idempotent.answer;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO idempotency (scope, fingerprint, at, status, location, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            idempotent.scope,
            idempotent.fingerprint,
            idempotent.now.as_micros(),
            answer.status,
            answer.location,
            answer.body
        ])?;
    Ok(())
}
