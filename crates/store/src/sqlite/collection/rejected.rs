//! The records that a sync refused.

use inlet_model::{Rejection, Scope, StreamName, SyncId};
use rusqlite::{CachedStatement, Connection, params};

use super::error::Outcome;
use super::streams::{id_bytes, read_name, read_number};
use crate::collection::RejectedRecord;

/// So many are kept of one sync; a source gone wrong must not fill the disk with its mistakes. The counters go on.
pub(super) const KEPT: u64 = 10_000;

/// Keeps refused records of one sync.
pub(super) struct Keeper<'c> {
    insert: CachedStatement<'c>,
    sync_id: [u8; 16],
}

impl<'c> Keeper<'c> {
    pub(super) fn new(connection: &'c Connection, sync_id: SyncId) -> Outcome<Self> {
        let insert = connection.prepare_cached(
            "INSERT INTO rejected (sync_id, seq, stream, scope, position, code, reason, sample)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        Ok(Self { insert, sync_id: id_bytes(sync_id.as_u128()) })
    }

    /// Keeps one.
    pub(super) fn keep(
        &mut self,
        seq: u64,
        stream: &StreamName,
        scope: &Scope,
        rejection: &Rejection,
    ) -> Outcome<()> {
        self.insert.execute(params![
            self.sync_id,
            seq as i64,
            stream.as_str(),
            scope.as_str(),
            rejection.position as i64,
            rejection.code,
            rejection.reason,
            rejection.sample
        ])?;
        Ok(())
    }
}

/// Those of a sync after `after`, in order.
pub(super) fn list(
    connection: &Connection,
    sync_id: SyncId,
    after: u64,
    limit: usize,
) -> Outcome<Vec<RejectedRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, stream, scope, position, code, reason, sample FROM rejected
         WHERE sync_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![id_bytes(sync_id.as_u128()), after, limit], |row| {
        Ok(RejectedRecord {
            seq: read_number(row, 0)?,
            stream: read_name(row, 1)?,
            scope: Scope::new(&row.get::<_, String>(2)?),
            position: row.get::<_, i64>(3)? as u64,
            code: row.get(4)?,
            reason: row.get(5)?,
            sample: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
