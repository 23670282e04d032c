//! A run ends, or its connector does.

use inlet_model::ConnectorId;
use rusqlite::Connection;

use super::error::{Outcome, Trouble};
use super::runs;
use super::writer::Writer;
use super::{run_log, scopes, streams};
use crate::collection::{FinishRun, Phase, Run, StreamStatus};
use crate::fault;

/// Ends a run. One that has ended stays as it is, whoever holds the connector now.
pub(super) fn finish(writer: &mut Writer, finish: FinishRun) -> Outcome<Run> {
    let run = writer.transact(|tx, _| {
        let run = end(tx, finish)?;
        fault::point("run.finish.before");
        Ok(run)
    })?;
    fault::point("run.finish.after");
    writer.rest();
    Ok(run)
}

/// Ends a run within a transaction, unless it has ended.
pub(super) fn end(connection: &Connection, finish: FinishRun) -> Outcome<Run> {
    let run = runs::load(connection, finish.sync_id)?.ok_or(Trouble::Broken("there is no run to end"))?;
    if run.outcome.is_some() {
        return Ok(run);
    }
    let mut run = runs::held(connection, finish.connector_id, finish.fence, finish.sync_id)?;
    run.phase = Phase::Ended;
    run.outcome = Some(finish.outcome);
    run.failure = finish.failure;
    run.finished_at = Some(finish.now);
    give_up_streams(connection, &mut run)?;
    runs::save(connection, &run)?;
    run_log::write(connection, run.sync_id, finish.now, &finish.lines)?;
    Ok(run)
}

/// Whatever is not complete now will not be: no stream of a run that has ended is under way.
fn give_up_streams(connection: &Connection, run: &mut Run) -> Outcome<()> {
    for (place, progress) in run.streams.iter_mut().enumerate() {
        let complete = match progress.status {
            StreamStatus::Failed | StreamStatus::Cancelled => true,
            StreamStatus::Pending | StreamStatus::Running => false,
            StreamStatus::Succeeded => match streams::find(connection, run.connector_id, &progress.name)? {
                Some(row) => scopes::unswept(connection, row.id)?.is_empty(),
                None => true,
            },
        };
        if !complete {
            progress.give_up(run.failure.as_ref());
            runs::save_stream(connection, run.sync_id, place, progress)?;
        }
    }
    Ok(())
}

/// Closes a connector to runs and pushes.
pub(super) fn close_connector(writer: &mut Writer, connector_id: ConnectorId) -> Outcome<()> {
    writer.transact(|tx, memory| {
        memory.seen.clear();
        runs::close(tx, connector_id)
    })
}
