//! The records that a sync refused.

use inlet_model::PushedRecord;
use inlet_model::{Rejection, Scope, StreamName, SyncId};

use super::error::Outcome;
use super::inbox::Stated;
use super::streams::{id_bytes, read_name};
use crate::collection::{RejectedQuery, RejectedRecord};
use crate::sql::{Session, params};

/// So many are kept of one sync; a source gone wrong must not fill the disk with its mistakes. The counters go on.
pub(super) const KEPT: u64 = 10_000;

/// Of the pushed ones among them so many bytes are kept whole.
const KEPT_WHOLE_BYTES: u64 = 64 << 20;

/// Keeps refused records of one sync.
pub(super) struct Keeper<'c> {
    connection: &'c dyn Session,
    /// Bytes that are kept whole, once that has been asked.
    whole_bytes: Option<u64>,
    sync_id: [u8; 16],
}

impl<'c> Keeper<'c> {
    pub(super) fn new(connection: &'c dyn Session, sync_id: SyncId) -> Outcome<Self> {
        Ok(Self { connection, whole_bytes: None, sync_id: id_bytes(sync_id.as_u128()) })
    }

    /// Keeps one.
    pub(super) fn keep(
        &mut self,
        seq: u64,
        stream: &StreamName,
        scope: &Scope,
        rejection: &Rejection,
    ) -> Outcome<()> {
        self.connection.execute(
            "INSERT INTO store_rejected (store, sync_id, seq, stream, scope, position, code, reason, sample)
             VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                self.sync_id,
                seq as i64,
                stream.as_str(),
                scope.as_str(),
                rejection.position as i64,
                rejection.code,
                rejection.reason,
                rejection.sample
            ],
        )?;
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
        self.connection.execute(
            "INSERT INTO store_rejected_pushes (store, sync_id, seq, stream, key_fields, masking, line)
                 VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                self.sync_id,
                seq as i64,
                stream.as_str(),
                stated.key_fields,
                stated.masking,
                pushed.line
            ],
        )?;
        Ok(())
    }
}

fn whole_bytes(connection: &dyn Session, sync_id: [u8; 16]) -> Outcome<u64> {
    Ok(connection.row(
        "SELECT CAST(coalesce(sum(length(line)), 0) AS BIGINT) FROM store_rejected_pushes WHERE store = ?0 AND sync_id = ?1",
        params![sync_id],
        |columns| columns.unsigned(),
    )?)
}

/// Those of a sync that are asked for, in order.
pub(super) fn list(
    connection: &dyn Session,
    sync_id: SyncId,
    query: &RejectedQuery,
) -> Outcome<Vec<RejectedRecord>> {
    let after = i64::try_from(query.after).unwrap_or(i64::MAX);
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let (stream, code) = (query.stream.as_ref().map(StreamName::as_str), query.code.as_deref());
    let asked_for = params![id_bytes(sync_id.as_u128()), after, limit, stream, code];
    Ok(connection.rows(
        "SELECT seq, stream, scope, position, code, reason, sample FROM store_rejected
         WHERE store = ?0 AND sync_id = ?1 AND seq > ?2 AND stream = coalesce(?4, stream) AND code = coalesce(?5, code)
         ORDER BY seq LIMIT ?3",
        asked_for,
        |columns| {
            Ok(RejectedRecord {
                seq: columns.unsigned()?,
                stream: read_name(columns)?,
                scope: Scope::new(&columns.plain::<String>()?),
                position: columns.plain::<i64>()? as u64,
                code: columns.plain()?,
                reason: columns.plain()?,
                sample: columns.plain()?,
            })
        },
    )?)
}
