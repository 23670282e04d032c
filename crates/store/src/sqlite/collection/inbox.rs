//! The inbox in the collection's file.

use inlet_model::{ConnectorId, StreamName};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Outcome, Trouble};
use super::streams::{id_bytes, read_name, read_number};
use super::writer::Writer;
use super::{idempotency, runs};
use crate::collection::{InboxItem, Push, PushEffect};
use crate::fault;

/// Pushes of records are kept compressed; they are read once, soon.
const ZSTD_LEVEL: i32 = 1;

/// Stores a push, if nothing is against it.
pub(super) fn push(writer: &mut Writer, push: &Push) -> Outcome<PushEffect> {
    let effect = writer.transact(|tx, _| {
        let effect = store(tx, push)?;
        fault::point("push.before");
        Ok(effect)
    })?;
    fault::point("push.after");
    Ok(effect)
}

fn store(connection: &Connection, push: &Push) -> Outcome<PushEffect> {
    if let Some(idempotent) = &push.idempotent
        && let Some(effect) = idempotency::earlier(connection, idempotent)?
    {
        return Ok(effect);
    }
    if runs::hold(connection, push.connector_id)?.is_some_and(|hold| hold.closed) {
        return Err(Trouble::Fenced);
    }
    let pending_bytes = pending_bytes(connection, push.connector_id)?;
    let bytes = push.lines.len() as u64;
    if pending_bytes.saturating_add(bytes) > push.max_pending_bytes {
        return Ok(PushEffect::Full { pending_bytes });
    }
    add_pending(connection, push.connector_id, bytes as i64)?;
    let key_fields =
        serde_json::to_string(&push.key_fields).map_err(|_| Trouble::Broken("texts are no JSON"))?;
    connection
        .prepare_cached(
            "INSERT INTO inbox (connector_id, stream, key_fields, bytes, lines) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id_bytes(push.connector_id.as_u128()),
            push.stream.as_str(),
            key_fields,
            bytes as i64,
            zstd::bulk::compress(&push.lines, ZSTD_LEVEL)?
        ])?;
    let seq = connection.last_insert_rowid() as u64;
    if let Some(idempotent) = &push.idempotent {
        idempotency::store(connection, idempotent)?;
    }
    Ok(PushEffect::Stored { seq })
}

fn pending_bytes(connection: &Connection, connector_id: ConnectorId) -> Outcome<u64> {
    let mut statement =
        connection.prepare_cached("SELECT inbox_bytes FROM connectors WHERE connector_id = ?1")?;
    let id = id_bytes(connector_id.as_u128());
    Ok(statement.query_row([id], |row| read_number(row, 0)).optional()?.unwrap_or(0))
}

fn add_pending(connection: &Connection, connector_id: ConnectorId, bytes: i64) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO connectors (connector_id, fence, sync_id, closed, inbox_bytes) VALUES (?1, 0, NULL, 0, ?2)
             ON CONFLICT (connector_id) DO UPDATE SET inbox_bytes = inbox_bytes + ?2",
        )?
        .execute(params![id_bytes(connector_id.as_u128()), bytes])?;
    Ok(())
}

/// Removes the pushes to a stream up to `through`.
pub(super) fn take(
    connection: &Connection,
    connector_id: ConnectorId,
    stream: &StreamName,
    through: u64,
) -> Outcome<()> {
    let through = i64::try_from(through).unwrap_or(i64::MAX);
    let id = id_bytes(connector_id.as_u128());
    let which = "connector_id = ?1 AND stream = ?2 AND seq <= ?3";
    let bytes: i64 = connection
        .prepare_cached(&format!("SELECT coalesce(sum(bytes), 0) FROM inbox WHERE {which}"))?
        .query_row(params![id, stream.as_str(), through], |row| row.get(0))?;
    connection.prepare_cached(&format!("DELETE FROM inbox WHERE {which}"))?.execute(params![
        id,
        stream.as_str(),
        through
    ])?;
    add_pending(connection, connector_id, -bytes)
}

/// Removes every push to the connector.
pub(super) fn empty(connection: &Connection, connector_id: ConnectorId) -> Outcome<()> {
    let id = id_bytes(connector_id.as_u128());
    connection.prepare_cached("DELETE FROM inbox WHERE connector_id = ?1")?.execute([id])?;
    connection
        .prepare_cached("UPDATE connectors SET inbox_bytes = 0 WHERE connector_id = ?1")?
        .execute([id])?;
    Ok(())
}

/// The streams that have pushes waiting.
pub(super) fn streams(connection: &Connection, connector_id: ConnectorId) -> Outcome<Vec<StreamName>> {
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT stream FROM inbox WHERE connector_id = ?1 ORDER BY stream")?;
    let rows = statement.query_map([id_bytes(connector_id.as_u128())], |row| read_name(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Pushes to a stream behind `after`.
pub(super) fn after(
    connection: &Connection,
    connector_id: ConnectorId,
    stream: &StreamName,
    after: u64,
    max_bytes: usize,
) -> Outcome<Vec<InboxItem>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, key_fields, bytes, lines FROM inbox
         WHERE connector_id = ?1 AND stream = ?2 AND seq > ?3 ORDER BY seq",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![id_bytes(connector_id.as_u128()), stream.as_str(), after])?;
    let (mut items, mut held) = (Vec::new(), 0_usize);
    while let Some(row) = rows.next()? {
        let bytes = read_number(row, 2)? as usize;
        if !items.is_empty() && held + bytes > max_bytes {
            break;
        }
        held += bytes;
        let unreadable = || Trouble::Damaged("a push cannot be read");
        let key_fields: String = row.get(1)?;
        let stored = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        let lines = zstd::bulk::decompress(stored, bytes).map_err(|_| unreadable())?;
        if lines.len() != bytes {
            return Err(unreadable());
        }
        items.push(InboxItem {
            seq: read_number(row, 0)?,
            key_fields: serde_json::from_str(&key_fields).map_err(|_| unreadable())?,
            lines,
        });
    }
    Ok(items)
}
