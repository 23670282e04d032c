//! Runs: what each sync has done, and which of them may write.

use std::ops::RangeInclusive;

use inlet_model::sync::{Failure, Outcome as RunOutcome};
use inlet_model::{ConnectorId, Counts, SyncId, Timestamp};
use serde::Serialize;

use super::error::{Outcome, Trouble};
use super::streams::{id_bytes, read_name};
use crate::collection::{CancelFlag, Fence, Pass, Phase, Run, StreamProgress};
use crate::sql::{Columns, Session, SqlResult, params};

/// Who may write for a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) fence: Fence,
    pub(super) sync_id: Option<SyncId>,
    pub(super) closed: bool,
}

/// Who may write for the connector, if anybody ever asked.
pub(super) fn hold(connection: &dyn Session, connector_id: ConnectorId) -> Outcome<Option<Hold>> {
    Ok(connection.row_if_any(
        "SELECT fence, sync_id, closed FROM store_connectors WHERE store = ?0 AND connector_id = ?1",
        params![id_bytes(connector_id.as_u128())],
        |columns| {
            let sync_id: Option<[u8; 16]> = columns.at(1).plain()?;
            Ok(Hold {
                fence: Fence(columns.at(0).unsigned()?),
                sync_id: sync_id.map(|bytes| SyncId::from_u128(u128::from_be_bytes(bytes))),
                closed: columns.at(2).plain()?,
            })
        },
    )?)
}

/// Gives the connector to a run.
pub(super) fn set_hold(
    connection: &dyn Session,
    connector_id: ConnectorId,
    fence: Fence,
    sync_id: SyncId,
) -> Outcome<()> {
    let fence = i64::try_from(fence.0).map_err(|_| Trouble::Broken("the fence is too great"))?;
    connection.execute(
        "INSERT INTO store_connectors (store, connector_id, fence, sync_id, closed, inbox_bytes) VALUES (?0, ?1, ?2, ?3, 0, 0)
             ON CONFLICT (store, connector_id) DO UPDATE SET fence = ?2, sync_id = ?3",
        params![id_bytes(connector_id.as_u128()), fence, id_bytes(sync_id.as_u128())],
    )?;
    Ok(())
}

/// Takes the connector from the run that holds it, or held it last: its claim is too small from now on, the catalog's next
/// one is not. Whether there was one.
pub(super) fn release(connection: &dyn Session, connector_id: ConnectorId) -> Outcome<bool> {
    let released = connection.execute(
        "UPDATE store_connectors SET fence = fence + 1, sync_id = NULL
             WHERE store = ?0 AND connector_id = ?1 AND sync_id IS NOT NULL",
        params![id_bytes(connector_id.as_u128())],
    )?;
    Ok(released > 0)
}

/// Lets nobody write for the connector any more.
pub(super) fn close(connection: &dyn Session, connector_id: ConnectorId) -> Outcome<()> {
    connection.execute(
        "INSERT INTO store_connectors (store, connector_id, fence, sync_id, closed, inbox_bytes) VALUES (?0, ?1, 0, NULL, 1,
         0) ON CONFLICT (store, connector_id) DO UPDATE SET closed = 1",
        params![id_bytes(connector_id.as_u128())],
    )?;
    Ok(())
}

/// The run that may write under this fence: that of the sync, not ended, and nobody has taken the connector since.
///
/// Looked at once, at the start of the transaction: from there to its end nobody else can write.
pub(super) fn held(
    connection: &dyn Session,
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
pub(super) fn load(connection: &dyn Session, sync_id: SyncId) -> Outcome<Option<Run>> {
    let id = id_bytes(sync_id.as_u128());
    let run = connection.row_if_any(
        "SELECT connector_id, attempt, barren_attempts, generation, phase, outcome, failure, started_at,
                last_progress_at, finished_at, first_change, last_change
         FROM store_runs WHERE store = ?0 AND sync_id = ?1",
        params![id],
        |columns| {
            Ok(Run {
                sync_id,
                connector_id: ConnectorId::from_u128(columns.id()?),
                attempt: columns.plain()?,
                barren_attempts: columns.plain()?,
                generation: columns.unsigned()?,
                phase: columns.name::<Phase>()?,
                counts: Counts::default(),
                streams: Vec::new(),
                outcome: columns.optional_name::<RunOutcome>()?,
                failure: columns.optional_json()?,
                started_at: columns.time()?,
                last_progress_at: columns.time()?,
                finished_at: columns.optional_time()?,
                changes: read_changes(columns)?,
            })
        },
    );
    let Some(mut run) = run? else { return Ok(None) };
    run.streams = connection.rows(
        "SELECT name, status, error, read, created, updated, unchanged, deleted, rejected, bytes
         FROM store_run_streams WHERE store = ?0 AND sync_id = ?1 ORDER BY place",
        params![id],
        read_progress,
    )?;
    run.streams.iter().for_each(|progress| run.counts += progress.counts);
    Ok(Some(run))
}

/// Reads a first and a last change, which are both there or not.
pub(super) fn read_changes(columns: &mut Columns<'_>) -> SqlResult<Option<RangeInclusive<u64>>> {
    let (first, last) = (columns.optional_unsigned()?, columns.optional_unsigned()?);
    Ok(first.zip(last).map(|(first, last)| first..=last))
}

fn read_progress(columns: &mut Columns<'_>) -> SqlResult<StreamProgress> {
    Ok(StreamProgress {
        name: read_name(columns)?,
        status: columns.name()?,
        error: columns.optional_json()?,
        counts: Counts {
            read: columns.unsigned()?,
            created: columns.unsigned()?,
            updated: columns.unsigned()?,
            unchanged: columns.unsigned()?,
            deleted: columns.unsigned()?,
            rejected: columns.unsigned()?,
            bytes: columns.unsigned()?,
        },
    })
}

/// Writes a run but for its streams.
pub(super) fn save(connection: &dyn Session, run: &Run) -> Outcome<()> {
    connection.execute(
        "INSERT INTO store_runs (store, sync_id, connector_id, attempt, barren_attempts, generation, phase,
             outcome, failure, started_at, last_progress_at, finished_at, first_change, last_change)
         VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (store, sync_id) DO UPDATE SET attempt = excluded.attempt,
             barren_attempts = excluded.barren_attempts, phase = excluded.phase, outcome = excluded.outcome,
             failure = excluded.failure, last_progress_at = excluded.last_progress_at,
             finished_at = excluded.finished_at, first_change = excluded.first_change,
             last_change = excluded.last_change",
        params![
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
        ],
    )?;
    Ok(())
}

/// Writes the stream at `place` of the run.
pub(super) fn save_stream(
    connection: &dyn Session,
    sync_id: SyncId,
    place: usize,
    progress: &StreamProgress,
) -> Outcome<()> {
    let counts = &progress.counts;
    connection.execute(
        "INSERT INTO store_run_streams (store, sync_id, place, name, status, error,
             read, created, updated, unchanged, deleted, rejected, bytes)
         VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (store, sync_id, place) DO UPDATE SET status = excluded.status, error = excluded.error,
             read = excluded.read, created = excluded.created, updated = excluded.updated,
             unchanged = excluded.unchanged, deleted = excluded.deleted, rejected = excluded.rejected,
             bytes = excluded.bytes",
        params![
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
        ],
    )?;
    Ok(())
}

/// The name by which one of the model's enums is stored: the one it has in the API.
fn name_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => unreachable!("enums without data are written as their names"),
    }
}

fn failure_json(failure: Option<&Failure>) -> Option<String> {
    failure.map(|failure| serde_json::to_string(failure).expect("a failure is texts and a flag"))
}
