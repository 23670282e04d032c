//! The records that a sync refused.

use std::borrow::Cow;

use inlet_model::{Rejection, Scope, StreamName, SyncId};

use super::error::Outcome;
use super::inbox::Stated;
use super::streams::{id_bytes, read_name};
use crate::collection::{RejectedQuery, RejectedRecord};
use crate::sql::{Bound, Session, params, rows};

/// So many are kept of one sync; a source gone wrong must not fill the disk with its mistakes. The counters go on.
pub(super) const KEPT: u64 = 10_000;

/// Of the pushed ones among them so many bytes are kept whole.
const KEPT_WHOLE_BYTES: u64 = 64 << 20;

/// With one statement go so many bytes of pushed records, or a single one.
const WHOLE_BYTES_AT_ONCE: usize = 1 << 20;

/// A refused record that is to be kept, with its number within its sync.
pub(super) struct Refused<'a> {
    pub(super) seq: u64,
    pub(super) stream: &'a StreamName,
    pub(super) scope: &'a Scope,
    pub(super) rejection: Cow<'a, Rejection>,
}

/// Keeps refused records of one sync.
pub(super) fn keep(connection: &dyn Session, sync_id: SyncId, refused: &[Refused<'_>]) -> Outcome<()> {
    let sync_id = id_bytes(sync_id.as_u128());
    let rows: Vec<_> = refused
        .iter()
        .map(|Refused { seq, stream, scope, rejection }| {
            vec![
                Bound::Blob(&sync_id),
                Bound::Integer(*seq as i64),
                Bound::Text(stream.as_str().into()),
                Bound::Text(scope.as_str().into()),
                Bound::Integer(rejection.position as i64),
                Bound::Text(rejection.code.into()),
                Bound::Text(rejection.reason.as_str().into()),
                Bound::Text(rejection.sample.as_str().into()),
            ]
        })
        .collect();
    let into = "store_rejected (store, sync_id, seq, stream, scope, position, code, reason, sample)";
    rows::insert(connection, into, &rows, "")?;
    keep_whole(connection, &sync_id, refused)
}

/// Keeps the pushed ones among them whole, as long as there is room.
fn keep_whole(connection: &dyn Session, sync_id: &[u8; 16], refused: &[Refused<'_>]) -> Outcome<()> {
    let mut pushed =
        refused.iter().filter_map(|refused| Some((refused, refused.rejection.pushed.as_deref()?))).peekable();
    if pushed.peek().is_none() {
        return Ok(());
    }
    let mut room = KEPT_WHOLE_BYTES.saturating_sub(whole_bytes(connection, *sync_id)?);
    let mut at_once = Vec::new();
    let mut bytes = 0;
    for (refused, pushed) in pushed {
        let Some(left) = room.checked_sub(pushed.line.len() as u64) else { continue };
        room = left;
        if bytes + pushed.line.len() > WHOLE_BYTES_AT_ONCE {
            insert_whole(connection, &std::mem::take(&mut at_once))?;
            bytes = 0;
        }
        bytes += pushed.line.len();
        let Stated { key_fields, masking } = Stated::new(&pushed.key_fields, &pushed.masked)?;
        at_once.push(vec![
            Bound::Blob(sync_id),
            Bound::Integer(refused.seq as i64),
            Bound::Text(refused.stream.as_str().into()),
            Bound::Text(key_fields.into()),
            Bound::Text(masking.into()),
            Bound::Blob(&pushed.line),
        ]);
    }
    insert_whole(connection, &at_once)
}

fn insert_whole(connection: &dyn Session, pushes: &[Vec<Bound<'_>>]) -> Outcome<()> {
    let into = "store_rejected_pushes (store, sync_id, seq, stream, key_fields, masking, line)";
    Ok(rows::insert(connection, into, pushes, "")?)
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
