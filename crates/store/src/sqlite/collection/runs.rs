//! Runs: what each sync has done, and which of them may write.

use std::ops::RangeInclusive;

use inlet_model::sync::{Failure, Outcome as RunOutcome};
use inlet_model::{ConnectorId, Counts, SyncId, Timestamp};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Outcome, Trouble};
use super::streams::{id_bytes, read_id, read_name, read_number};
use crate::collection::{CancelFlag, Fence, Pass, Phase, Run, StreamProgress};

/// Who may write for a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) fence: Fence,
    pub(super) sync_id: Option<SyncId>,
    pub(super) closed: bool,
}

/// Who may write for the connector, if anybody ever asked.
pub(super) fn hold(connection: &Connection, connector_id: ConnectorId) -> Outcome<Option<Hold>> {
    let mut statement =
        connection.prepare_cached("SELECT fence, sync_id, closed FROM connectors WHERE connector_id = ?1")?;
    let hold = statement.query_row(params![id_bytes(connector_id.as_u128())], |row| {
        let sync_id: Option<[u8; 16]> = row.get(1)?;
        Ok(Hold {
            fence: Fence(read_number(row, 0)?),
            sync_id: sync_id.map(|bytes| SyncId::from_u128(u128::from_be_bytes(bytes))),
            closed: row.get(2)?,
        })
    });
    Ok(hold.optional()?)
}

/// Gives the connector to a run.
pub(super) fn set_hold(
    connection: &Connection,
    connector_id: ConnectorId,
    fence: Fence,
    sync_id: SyncId,
) -> Outcome<()> {
    let fence = i64::try_from(fence.0).map_err(|_| Trouble::Broken("the fence is too great"))?;
    connection
        .prepare_cached(
            "INSERT INTO connectors (connector_id, fence, sync_id, closed, inbox_bytes) VALUES (?1, ?2, ?3, 0, 0)
             ON CONFLICT (connector_id) DO UPDATE SET fence = ?2, sync_id = ?3",
        )?
        .execute(params![id_bytes(connector_id.as_u128()), fence, id_bytes(sync_id.as_u128())])?;
    Ok(())
}

/// Takes the connector from the run that holds it, or held it last: its claim is too small from now on, the catalog's next
/// one is not. Whether there was one.
pub(super) fn release(connection: &Connection, connector_id: ConnectorId) -> Outcome<bool> {
    let released = connection
        .prepare_cached(
            "UPDATE connectors SET fence = fence + 1, sync_id = NULL
             WHERE connector_id = ?1 AND sync_id IS NOT NULL",
        )?
        .execute(params![id_bytes(connector_id.as_u128())])?;
    Ok(released > 0)
}

/// Lets nobody write for the connector any more.
pub(super) fn close(connection: &Connection, connector_id: ConnectorId) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO connectors (connector_id, fence, sync_id, closed, inbox_bytes) VALUES (?1, 0, NULL, 1, 0)
             ON CONFLICT (connector_id) DO UPDATE SET closed = 1",
        )?
        .execute(params![id_bytes(connector_id.as_u128())])?;
    Ok(())
}

/// The run that may write under this fence: that of the sync, not ended, and nobody has taken the connector since.
///
/// Looked at once, at the start of the transaction: from there to its end nobody else can write.
pub(super) fn held(
    connection: &Connection,
    connector_id: ConnectorId,
    fence: Fence,
    sync_id: SyncId,
) -> Outcome<Run> {
    let wanted = Hold { fence, sync_id: Some(sync_id), closed: false };
    if hold(connection, connector_id)? != Some(wanted) {
        return Err(Trouble::Fenced);
    }
    let run = load(connection, sync_id)?
        .ok_or(Trouble::Damaged("a connector is held by a run that is not there"))?;
    if run.outcome.is_some() { Err(Trouble::Fenced) } else { Ok(run) }
}

/// The last act of a transaction of a sync. What this gives is held until the transaction is over.
pub(super) fn pass(cancel: &CancelFlag) -> Outcome<Pass> {
    cancel.pass().ok_or(Trouble::Cancelled)
}

/// The run of a sync.
pub(super) fn load(connection: &Connection, sync_id: SyncId) -> Outcome<Option<Run>> {
    let mut statement = connection.prepare_cached(
        "SELECT connector_id, attempt, barren_attempts, generation, phase, outcome, failure, started_at,
                last_progress_at, finished_at, first_change, last_change
         FROM runs WHERE sync_id = ?1",
    )?;
    let id = id_bytes(sync_id.as_u128());
    let run = statement.query_row(params![id], |row| {
        Ok(Run {
            sync_id,
            connector_id: ConnectorId::from_u128(read_id(row, 0)?),
            attempt: row.get(1)?,
            barren_attempts: row.get(2)?,
            generation: read_number(row, 3)?,
            phase: named::<Phase>(row.get(4)?, 4)?,
            counts: Counts::default(),
            streams: Vec::new(),
            outcome: row.get::<_, Option<String>>(5)?.map(|name| named::<RunOutcome>(name, 5)).transpose()?,
            failure: read_failure(row, 6)?,
            started_at: Timestamp::from_micros(row.get(7)?),
            last_progress_at: Timestamp::from_micros(row.get(8)?),
            finished_at: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_micros),
            changes: read_changes(row, 10)?,
        })
    });
    let Some(mut run) = run.optional()? else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT name, status, error, read, created, updated, unchanged, deleted, rejected, bytes
         FROM run_streams WHERE sync_id = ?1 ORDER BY place",
    )?;
    let mut rows = statement.query(params![id])?;
    while let Some(row) = rows.next()? {
        let progress = read_progress(row)?;
        run.counts += progress.counts;
        run.streams.push(progress);
    }
    Ok(Some(run))
}

/// Reads a first and a last change, which are both there or not.
pub(super) fn read_changes(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<RangeInclusive<u64>>> {
    if row.get_ref(at)? == ValueRef::Null {
        return Ok(None);
    }
    Ok(Some(read_number(row, at)?..=read_number(row, at + 1)?))
}

fn read_progress(row: &Row<'_>) -> rusqlite::Result<StreamProgress> {
    Ok(StreamProgress {
        name: read_name(row, 0)?,
        status: named(row.get(1)?, 1)?,
        error: read_failure(row, 2)?,
        counts: Counts {
            read: read_number(row, 3)?,
            created: read_number(row, 4)?,
            updated: read_number(row, 5)?,
            unchanged: read_number(row, 6)?,
            deleted: read_number(row, 7)?,
            rejected: read_number(row, 8)?,
            bytes: read_number(row, 9)?,
        },
    })
}

/// Writes a run but for its streams.
pub(super) fn save(connection: &Connection, run: &Run) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO runs (sync_id, connector_id, attempt, barren_attempts, generation, phase, outcome,
                failure, started_at, last_progress_at, finished_at, first_change, last_change)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            id_bytes(run.sync_id.as_u128()),
            id_bytes(run.connector_id.as_u128()),
            run.attempt,
            run.barren_attempts,
            run.generation as i64,
            name_of(&run.phase),
            run.outcome.as_ref().map(name_of),
            failure_json(run.failure.as_ref()),
            run.started_at.as_micros(),
            run.last_progress_at.as_micros(),
            run.finished_at.map(Timestamp::as_micros),
            run.changes.as_ref().map(|changes| *changes.start() as i64),
            run.changes.as_ref().map(|changes| *changes.end() as i64),
        ])?;
    Ok(())
}

/// Writes the stream at `place` of the run.
pub(super) fn save_stream(
    connection: &Connection,
    sync_id: SyncId,
    place: usize,
    progress: &StreamProgress,
) -> Outcome<()> {
    let counts = &progress.counts;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO run_streams (sync_id, place, name, status, error,
                read, created, updated, unchanged, deleted, rejected, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            id_bytes(sync_id.as_u128()),
            place as i64,
            progress.name.as_str(),
            name_of(&progress.status),
            failure_json(progress.error.as_ref()),
            counts.read as i64,
            counts.created as i64,
            counts.updated as i64,
            counts.unchanged as i64,
            counts.deleted as i64,
            counts.rejected as i64,
            counts.bytes as i64,
        ])?;
    Ok(())
}

/// The name by which one of the model's enums is stored: the one it has in the API.
fn name_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => unreachable!("enums without data are written as their names"),
    }
}

fn named<T: DeserializeOwned>(name: String, at: usize) -> rusqlite::Result<T> {
    serde_json::from_value(serde_json::Value::String(name)).map_err(|error| unreadable(at, error))
}

fn failure_json(failure: Option<&Failure>) -> Option<String> {
    failure.map(|failure| serde_json::to_string(failure).expect("a failure is texts and a flag"))
}

fn read_failure(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Failure>> {
    let json: Option<String> = row.get(at)?;
    json.map(|json| serde_json::from_str(&json)).transpose().map_err(|error| unreadable(at, error))
}

fn unreadable(at: usize, error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, error.into())
}
