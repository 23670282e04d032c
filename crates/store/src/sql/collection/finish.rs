//! A run ends, or its connector does.

use inlet_model::ConnectorId;
use inlet_model::sync::Outcome as RunOutcome;

use super::error::{Outcome, Trouble};
use super::runs::{self, Hold};
use super::writer::Writer;
use super::{run_log, scopes, streams};
use crate::collection::{CancelFlag, FinishRun, NewRun, Phase, Run, StreamStatus};
use crate::fault;
use crate::sql::Session;

/// Ends a run. One that has ended stays as it is, whoever holds the connector now.
pub(super) fn finish(writer: &mut Writer, finish: FinishRun) -> Outcome<Run> {
    let (run, pass) = writer.transact(|tx, _| {
        let ended = runs::load(tx, finish.sync_id)?.filter(|run| run.outcome.is_some());
        if let Some(run) = ended {
            return Ok((run, None));
        }
        let cancel = finish.cancel.clone();
        let run = end(tx, finish)?;
        fault::point("run.finish.before");
        let is_cancelled = run.outcome == Some(RunOutcome::Cancelled);
        let pass = if is_cancelled { None } else { Some(runs::pass(&cancel)?) };
        Ok((run, pass))
    })?;
    drop(pass);
    fault::point("run.finish.after");
    writer.rest();
    Ok(run)
}

/// Ends a run within a transaction, unless it has ended.
pub(super) fn end(connection: &dyn Session, finish: FinishRun) -> Outcome<Run> {
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

/// Ends the run that holds the connector, if another takes its place and it has not ended: its sync is over, and could not
/// say so here.
pub(super) fn end_replaced(connection: &dyn Session, hold: Hold, by: &NewRun) -> Outcome<()> {
    let Some(sync_id) = hold.sync_id.filter(|held_by| *held_by != by.sync_id) else { return Ok(()) };
    let left_open = runs::load(connection, sync_id)?.is_some_and(|run| run.outcome.is_none());
    if !left_open {
        return Ok(());
    }
    let finish = FinishRun {
        sync_id,
        connector_id: by.connector_id,
        fence: hold.fence,
        outcome: RunOutcome::Cancelled,
        failure: None,
        lines: Vec::new(),
        cancel: CancelFlag::default(),
        now: by.now,
    };
    end(connection, finish).map(drop)
}

/// Whatever is not complete now will not be: no stream of a run that has ended is under way.
fn give_up_streams(connection: &dyn Session, run: &mut Run) -> Outcome<()> {
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
