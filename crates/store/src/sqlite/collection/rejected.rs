//! The records that a sync refused.

use inlet_model::PushedRecord;
use inlet_model::{Rejection, Scope, StreamName, SyncId};
use rusqlite::{CachedStatement, Connection, params};

use super::error::Outcome;
use super::inbox::Stated;
use super::streams::{id_bytes, read_name, read_number};
use crate::collection::{RejectedQuery, RejectedRecord};

/// So many are kept of one sync; a source gone wrong must not fill the disk with its mistakes. The counters go on.
pub(super) const KEPT: u64 = 10_000;

/// Of the pushed ones among them so many bytes are kept whole.
const KEPT_WHOLE_BYTES: u64 = 64 << 20;

/// Keeps refused records of one sync.
pub(super) struct Keeper<'c> {
    connection: &'c Connection,
    /// Bytes that are kept whole, once that has been asked.
    whole_bytes: Option<u64>,
    insert: CachedStatement<'c>,
    sync_id: [u8; 16],
}

impl<'c> Keeper<'c> {
    pub(super) fn new(connection: &'c Connection, sync_id: SyncId) -> Outcome<Self> {
        let insert = connection.prepare_cached(
            "INSERT INTO rejected (sync_id, seq, stream, scope, position, code, reason, sample)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        Ok(Self { connection, whole_bytes: None, insert, sync_id: id_bytes(sync_id.as_u128()) })
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
        match &rejection.pushed {
            Some(pushed) => self.keep_whole(seq, stream, pushed),
            None => Ok(()),
        }
    }

    /// Keeps a pushed record whole, if there is room.
    fn keep_whole(&mut self, seq: u64, stream: &StreamName, pushed: &PushedRecord) -> Outcome<()> {
        let before = match self.whole_bytes {
            Some(bytes) => bytes,
            None => whole_bytes(self.connection, self.sync_id)?,
        };
        let bytes = before + pushed.line.len() as u64;
        self.whole_bytes = Some(before);
        if bytes > KEPT_WHOLE_BYTES {
            return Ok(());
        }
        self.whole_bytes = Some(bytes);
        let stated = Stated::new(&pushed.key_fields, &pushed.masked)?;
        self.connection
            .prepare_cached(
                "INSERT INTO rejected_pushes (sync_id, seq, stream, key_fields, masking, line)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                self.sync_id,
                seq as i64,
                stream.as_str(),
                stated.key_fields,
                stated.masking,
                pushed.line
            ])?;
        Ok(())
    }
}

fn whole_bytes(connection: &Connection, sync_id: [u8; 16]) -> Outcome<u64> {
    let mut statement = connection
        .prepare_cached("SELECT coalesce(sum(length(line)), 0) FROM rejected_pushes WHERE sync_id = ?1")?;
    Ok(statement.query_row([sync_id], |row| read_number(row, 0))?)
}

/// Those of a sync that are asked for, in order.
pub(super) fn list(
    connection: &Connection,
    sync_id: SyncId,
    query: &RejectedQuery,
) -> Outcome<Vec<RejectedRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, stream, scope, position, code, reason, sample FROM rejected
         WHERE sync_id = ?1 AND seq > ?2 AND (?4 IS NULL OR stream = ?4) AND (?5 IS NULL OR code = ?5)
         ORDER BY seq LIMIT ?3",
    )?;
    let after = i64::try_from(query.after).unwrap_or(i64::MAX);
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let (stream, code) = (query.stream.as_ref().map(StreamName::as_str), query.code.as_deref());
    let asked_for = params![id_bytes(sync_id.as_u128()), after, limit, stream, code];
    let rows = statement.query_map(asked_for, |row| {
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
